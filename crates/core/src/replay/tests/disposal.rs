//! Disposal: closing a hook, dropping its receiver, giving up its registration.

use super::driver::Driver;
use super::log::{
    chosen, expiring, hook, hook_created, hook_disposed, hook_expired, hook_received,
};
use crate::event::{Correlation, Disposal, EventKind};
use crate::id::HookId;
use crate::replay::Fed;

fn woken(id: HookId) -> Fed {
    Fed::Poll(Some(Correlation::Hook(id)))
}

fn records(driver: &Driver) -> Vec<EventKind> {
    driver.machine.records().cloned().collect()
}

#[test]
fn what_arrived_before_the_close_is_read_and_then_the_close() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    driver.by_outsider(hook_received(h, "before"));
    driver.machine.close_hook(h);
    assert!(!driver.machine.take_closed(h));
    driver.by_outsider(hook_received(h, "while closing"));
    assert_eq!(driver.append(), [woken(h)]);
    assert!(driver.machine.take_closed(h));
    assert!(!driver.machine.take_closed(h));
    assert_eq!(driver.receive(h).as_deref(), Some("before"));
    assert_eq!(driver.receive(h).as_deref(), Some("while closing"));
    assert_eq!(driver.receive(h).as_deref(), Some("<closed>"));
    driver.append();
    driver.machine.dispose_hook(h);
    driver.assert_nothing_more();
    assert!(driver.machine.entities().hooks().is_empty());
}

#[test]
fn a_closed_hook_is_closed_again_at_once() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    driver.machine.close_hook(h);
    driver.machine.close_hook(h);
    assert_eq!(driver.record_names(), ["hook_disposed"]);
    driver.append();
    assert!(driver.machine.take_closed(h));
    driver.machine.close_hook(h);
    assert!(driver.machine.take_closed(h));
    driver.assert_nothing_more();
}

#[test]
fn a_dropped_receiver_leaves_what_it_holds_unread_and_is_recorded_once() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    driver.by_outsider(hook_received(h, "unread"));
    driver.machine.dispose_hook(h);
    driver.machine.dispose_hook(h);
    assert_eq!(records(&driver), [hook_disposed(h, Disposal::Dropped)]);
    driver.by_outsider(hook_received(h, "unread too"));
    assert_eq!(driver.receive(h), None);
    assert_eq!(driver.machine.peek_payload(h), None);
    assert_eq!(driver.append(), [Fed::Nothing]);
    driver.assert_nothing_more();
    assert!(driver.machine.entities().hooks().is_empty());
}

#[test]
fn dropping_a_receiver_that_is_being_closed_is_recorded_behind_the_close() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    driver.machine.close_hook(h);
    driver.machine.dispose_hook(h);
    driver.machine.dispose_hook(h);
    // What arrives before the close is on record is left unread, and nobody knows yet whether
    // anything does.
    driver.by_outsider(hook_received(h, "unread"));
    let both = [Disposal::Closed, Disposal::Dropped].map(|by| hook_disposed(h, by));
    assert_eq!(records(&driver), both);
    assert_eq!(driver.append(), [woken(h), Fed::Nothing]);
    assert!(
        !driver.machine.take_closed(h),
        "nobody is left to hear of it"
    );
    driver.assert_nothing_more();
    assert!(driver.machine.entities().hooks().is_empty());
}

/// A hook that has ended, with one payload that its workflow has not read.
fn ended_with_a_payload(by_expiry: bool) -> (Driver, HookId) {
    let mut driver = Driver::begun();
    let h = driver.register(expiring("t", 500));
    driver.by_outsider(hook_received(h, "waits"));
    if by_expiry {
        driver.by_outsider(hook_expired(h));
    } else {
        driver.machine.close_hook(h);
        driver.append();
        assert!(driver.machine.take_closed(h));
    }
    (driver, h)
}

#[test]
fn dropping_the_receiver_of_an_ended_hook_is_recorded_where_payloads_wait() {
    for by_expiry in [false, true] {
        let (mut driver, h) = ended_with_a_payload(by_expiry);
        driver.machine.dispose_hook(h);
        driver.machine.dispose_hook(h);
        assert_eq!(records(&driver), [hook_disposed(h, Disposal::Dropped)]);
        assert_eq!(driver.receive(h), None);
        assert_eq!(driver.append(), [Fed::Nothing]);
        driver.assert_nothing_more();
        assert!(driver.machine.entities().hooks().is_empty());
    }
}

#[test]
fn dropping_the_receiver_of_an_ended_hook_leaves_nothing_once_all_is_read() {
    for by_expiry in [false, true] {
        let (mut driver, h) = ended_with_a_payload(by_expiry);
        assert_eq!(driver.receive(h).as_deref(), Some("waits"));
        driver.machine.dispose_hook(h);
        assert_eq!(driver.record_names(), [""; 0]);
        let taken = driver.machine.taken();
        driver.by_worker(hook_created(hook(9, "u"), chosen("u")));
        let at = driver.machine.fed();
        driver.machine.feed_taken(at, &taken);
        assert!(driver.machine.entities().hooks().get(&h).is_none());
    }
}

#[test]
fn a_registration_never_taken_of_a_hook_that_has_expired_leaves_its_payloads_unread() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(expiring("t", 500));
    driver.append();
    driver.by_outsider(hook_received(h, "waits"));
    driver.by_outsider(hook_expired(h));
    driver.machine.abandon_hook(h);
    assert_eq!(records(&driver), [hook_disposed(h, Disposal::Dropped)]);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn the_drop_of_an_ended_hook_polled_late_claims_its_record() {
    for by_expiry in [false, true] {
        let (mut driver, h) = ended_with_a_payload(by_expiry);
        driver.by_worker(hook_disposed(h, Disposal::Dropped));
        driver.machine.dispose_hook(h);
        driver.assert_nothing_more();
        assert!(driver.machine.entities().hooks().is_empty());
    }
}

#[test]
fn a_log_that_ends_without_the_drop_of_an_ended_hook_gets_it_at_its_end() {
    let (mut driver, h) = ended_with_a_payload(false);
    driver.machine.dispose_hook(h);
    // As such logs were written before: the run went on, and nothing said that the receiver was gone.
    let step = driver.call_step("next");
    driver.by_worker(super::log::step_created(step, "next"));
    assert_eq!(driver.machine.rest(), Ok(()));
    assert_eq!(records(&driver), [hook_disposed(h, Disposal::Dropped)]);
}

#[test]
fn a_hook_disposed_of_as_it_expires_still_leaves_its_record() {
    for dropped_first in [true, false] {
        let mut driver = Driver::begun();
        let h = driver.register(expiring("t", 500));
        driver.machine.close_hook(h);
        if dropped_first {
            driver.machine.dispose_hook(h);
        }
        assert_eq!(driver.outsider(hook_expired(h)), woken(h));
        let expected = [woken(h), Fed::Nothing];
        assert_eq!(driver.append(), expected[..=usize::from(dropped_first)]);
        assert_eq!(driver.machine.take_closed(h), !dropped_first);
        driver.machine.dispose_hook(h);
        driver.assert_nothing_more();
        assert!(driver.machine.entities().hooks().is_empty());
    }
}

#[test]
fn a_hook_dropped_as_its_own_worker_finds_it_expired_still_leaves_its_record() {
    let mut driver = Driver::begun();
    let h = driver.register(expiring("t", 500));
    driver.machine.dispose_hook(h);
    assert_eq!(driver.worker(hook_expired(h)), woken(h));
    assert_eq!(driver.append(), [Fed::Nothing]);
    driver.assert_nothing_more();
}

#[test]
fn an_expired_hook_is_closed_or_dropped_without_a_record() {
    let mut driver = Driver::begun();
    let h = driver.register(expiring("t", 500));
    driver.by_outsider(hook_expired(h));
    driver.machine.close_hook(h);
    assert!(driver.machine.take_closed(h));
    driver.machine.dispose_hook(h);
    driver.assert_nothing_more();
    assert!(driver.machine.entities().hooks().is_empty());
}

#[test]
fn a_hook_given_up_before_its_registration_is_created_and_dropped() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(chosen("t"));
    driver.machine.abandon_hook(h);
    assert_eq!(driver.record_names(), ["hook_created", "hook_disposed"]);
    assert_eq!(driver.append(), [woken(h), Fed::Nothing]);
    assert_eq!(driver.machine.take_registration(h), None);
    driver.assert_nothing_more();
    assert!(driver.machine.entities().hooks().is_empty());
}

#[test]
fn a_hook_given_up_while_its_record_is_on_its_way_takes_nothing() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(expiring("t", 500));
    driver.machine.abandon_hook(h);
    driver.by_worker(hook_created(h, expiring("t", 500)));
    driver.by_outsider(hook_received(h, "unread"));
    driver.by_outsider(hook_expired(h));
    assert_eq!(driver.receive(h), None);
    assert_eq!(driver.append(), [Fed::Nothing]);
    driver.assert_nothing_more();
}

#[test]
fn a_registration_that_arrived_and_was_not_taken_is_dropped_as_a_hook() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(chosen("t"));
    driver.append();
    driver.machine.abandon_hook(h);
    assert_eq!(records(&driver), [hook_disposed(h, Disposal::Dropped)]);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_close_or_drop_polled_late_claims_its_record() {
    for by in [Disposal::Closed, Disposal::Dropped] {
        let mut driver = Driver::begun();
        let h = hook(0, "t");
        driver.register(chosen("t"));
        driver.by_worker(hook_disposed(h, by));
        match by {
            Disposal::Closed => {
                driver.machine.close_hook(h);
                assert!(driver.machine.take_closed(h));
                assert_eq!(driver.receive(h).as_deref(), Some("<closed>"));
            }
            Disposal::Dropped => driver.machine.dispose_hook(h),
        }
        driver.machine.dispose_hook(h);
        driver.assert_nothing_more();
    }
}

#[test]
fn a_drop_polled_late_claims_its_record_even_if_the_hook_had_expired() {
    let mut driver = Driver::begun();
    let h = driver.register(expiring("t", 500));
    driver.by_outsider(hook_expired(h));
    driver.by_worker(hook_disposed(h, Disposal::Dropped));
    driver.machine.dispose_hook(h);
    driver.assert_nothing_more();
}
