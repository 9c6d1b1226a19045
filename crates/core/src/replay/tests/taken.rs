//! Counts of payloads taken: recorded once, compared on replay.

use super::driver::Driver;
use super::log::{chosen, expiring, hook_expired, hook_received, step, step_created};
use crate::event::{Position, Taken};
use crate::id::HookId;

/// A hook that has given `read` of `received` payloads of one byte each.
fn read(received: u64, read: u64) -> (Driver, HookId) {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    for _ in 0..received {
        driver.by_outsider(hook_received(h, "x"));
    }
    for _ in 0..read {
        assert_eq!(driver.receive(h).as_deref(), Some("x"));
    }
    (driver, h)
}

const fn taken(hook: HookId, count: u64) -> Taken {
    Taken {
        hook,
        count,
        bytes: count,
    }
}

#[test]
fn what_was_taken_is_told_until_it_is_recorded_and_not_again() {
    let (mut driver, h) = read(3, 2);
    assert_eq!(driver.machine.taken(), [taken(h, 2)]);
    assert_eq!(driver.machine.taken(), [taken(h, 2)]);
    driver.append();
    assert_eq!(driver.machine.taken(), []);
    driver.receive(h);
    assert_eq!(driver.machine.taken(), [taken(h, 3)]);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn what_a_hook_holds_is_weighed_until_it_is_taken() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    let empty = weight(&mut driver);
    let long = "x".repeat(5_000);
    driver.by_outsider(hook_received(h, &long));
    assert!(driver.machine.weight() >= empty + long.len());
    driver.receive(h);
    assert!(weight(&mut driver) < empty + long.len());
    driver.by_outsider(hook_received(h, &long));
    driver.machine.dispose_hook(h);
    driver.append();
    assert_eq!(weight(&mut driver), weight(&mut Driver::begun()));
}

fn weight(driver: &mut Driver) -> usize {
    driver.machine.shrink_to_fit();
    driver.machine.weight()
}

#[test]
fn a_payload_that_has_only_arrived_is_not_taken() {
    let (mut driver, _) = read(2, 0);
    driver.assert_nothing_more();
}

#[test]
fn reading_the_end_takes_nothing() {
    let mut driver = Driver::begun();
    let h = driver.register(expiring("t", 500));
    driver.by_outsider(hook_expired(h));
    assert_eq!(driver.receive(h).as_deref(), Some("<expired>"));
    driver.assert_nothing_more();
}

#[test]
fn the_view_of_the_hook_shows_what_is_recorded() {
    let (mut driver, h) = read(2, 2);
    let count = |driver: &Driver| driver.machine.entities().hooks().get(&h).unwrap().taken;
    assert_eq!(count(&driver), 0);
    driver.append();
    assert_eq!(count(&driver), 2);
}

#[test]
fn a_count_outlives_the_receiver_until_it_is_recorded() {
    let (mut driver, h) = read(1, 1);
    driver.machine.dispose_hook(h);
    assert_eq!(driver.machine.taken(), [taken(h, 1)]);
    driver.append();
    assert_eq!(driver.machine.taken(), []);
    driver.assert_nothing_more();
}

#[test]
fn an_older_count_does_not_undo_a_newer_one() {
    let (mut driver, h) = read(2, 2);
    driver.append();
    driver.machine.feed_taken(Position(6), &[taken(h, 1)]);
    driver.assert_nothing_more();
}

#[test]
fn a_payload_that_the_log_knows_as_read_must_be_read() {
    let (mut driver, h) = read(2, 1);
    let a = driver.call_step("a");
    driver.worker_taken(step_created(a, "a"), h, 2);
    assert_eq!(driver.machine.taken(), [], "the log knows more than this");
    let expected = "at event 6 the log has payload 2 of the hook with token `t` read, but the \
                    workflow waits without having asked for it";
    assert_eq!(driver.parted(), (Position(6), expected.to_owned()));
}

#[test]
fn payloads_that_parted_before_a_record_did_are_what_is_reported() {
    let (mut driver, h) = read(2, 1);
    let a = driver.call_step("a");
    driver.worker_taken(step_created(a, "a"), h, 2);
    driver.by_worker(step_created(step(9, "z"), "z"));
    assert_eq!(driver.parted().0, Position(6));
}

#[test]
fn a_receiver_dropped_too_early_does_not_hide_what_it_left_unread() {
    let (mut driver, h) = read(2, 1);
    driver.machine.dispose_hook(h);
    let a = driver.call_step("a");
    driver.worker_taken(step_created(a, "a"), h, 2);
    assert_eq!(driver.parted().0, Position(6));
}

#[test]
fn a_payload_read_later_than_the_log_recorded_it_is_no_divergence_once_it_is_read() {
    let (mut driver, h) = read(2, 1);
    let a = driver.call_step("a");
    driver.worker_taken(step_created(a, "a"), h, 2);
    driver.receive(h);
    driver.machine.abandon_step(a);
    assert_eq!(driver.machine.rest(), Ok(()));
    assert_eq!(driver.machine.taken(), []);
}
