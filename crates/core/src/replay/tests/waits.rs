//! Waits: sleeping, being woken, and giving up.

use super::driver::Driver;
use super::log::{wait, wait_cancelled, wait_completed, wait_created};
use crate::event::Correlation;
use crate::id::WaitId;
use crate::replay::Fed;
use crate::samples::at;

fn woken(id: WaitId) -> Fed {
    Fed::Poll(Some(Correlation::Wait(id)))
}

#[test]
fn a_wait_ends_when_its_end_is_fed_and_not_by_time() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(1);
    assert_eq!(driver.append(), [Fed::Nothing]);
    assert!(!driver.machine.take_wait(w));
    assert_eq!(driver.worker(wait_completed(w)), woken(w));
    assert!(driver.machine.take_wait(w));
    assert!(!driver.machine.take_wait(w));
    driver.assert_nothing_more();
}

#[test]
fn the_recorded_time_is_the_logs_and_never_compared() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(9_999);
    driver.by_worker(wait_created(w, 5_000));
    assert_eq!(driver.machine.next_due(), Some(at(5_000)));
    driver.by_worker(wait_completed(w));
    assert!(driver.machine.take_wait(w));
    driver.assert_nothing_more();
}

#[test]
fn a_wait_given_up_leaves_a_record() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(9_000);
    driver.append();
    driver.machine.cancel_wait(w);
    assert_eq!(driver.record_names(), ["wait_cancelled"]);
    assert_eq!(driver.append(), [Fed::Nothing]);
    driver.assert_nothing_more();
}

#[test]
fn a_wait_given_up_before_its_record_came_back_is_created_and_given_up() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(9_000);
    driver.machine.cancel_wait(w);
    assert_eq!(driver.record_names(), ["wait_created", "wait_cancelled"]);
    assert_eq!(driver.append(), [Fed::Nothing, Fed::Nothing]);
    driver.assert_nothing_more();
}

#[test]
fn a_wait_given_up_as_an_outsider_ends_it_still_leaves_its_record() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(9_000);
    driver.append();
    driver.machine.cancel_wait(w);
    assert_eq!(driver.outsider(wait_completed(w)), woken(w));
    assert_eq!(driver.record_names(), ["wait_cancelled"]);
    assert_eq!(driver.append(), [Fed::Nothing]);
    driver.assert_nothing_more();
    assert!(driver.machine.entities().waits().is_empty());
}

#[test]
fn a_wait_given_up_as_its_own_worker_ends_it_still_leaves_its_record() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(9_000);
    driver.append();
    driver.machine.cancel_wait(w);
    assert_eq!(driver.worker(wait_completed(w)), woken(w));
    assert_eq!(driver.append(), [Fed::Nothing]);
    driver.assert_nothing_more();
}

#[test]
fn dropping_a_wait_that_has_ended_leaves_nothing() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(9_000);
    driver.append();
    driver.by_worker(wait_completed(w));
    driver.machine.cancel_wait(w);
    driver.assert_nothing_more();
    assert!(!driver.machine.take_wait(w));
    assert!(driver.machine.entities().waits().is_empty());
}

#[test]
fn the_end_of_a_wait_that_is_not_yet_polled_waits_for_it() {
    let mut driver = Driver::begun();
    let w = wait(0);
    driver.by_worker(wait_created(w, 5_000));
    driver.by_worker(wait_completed(w));
    driver.begin_wait(7_000);
    assert!(driver.machine.take_wait(w));
    driver.assert_nothing_more();
}

#[test]
fn a_wait_polled_late_is_given_up_as_it_was_even_if_somebody_had_ended_it() {
    let mut driver = Driver::begun();
    let w = wait(0);
    driver.by_worker(wait_created(w, 5_000));
    driver.by_outsider(wait_completed(w));
    driver.by_worker(wait_cancelled(w));
    driver.begin_wait(7_000);
    assert!(!driver.machine.take_wait(w));
    driver.machine.cancel_wait(w);
    driver.assert_nothing_more();
}
