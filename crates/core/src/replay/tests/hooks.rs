//! Hooks: registration, payloads, expiry.

use super::driver::Driver;
use super::log::{chosen, drawn, expiring, hook, hook_created, hook_expired, hook_received, run};
use crate::event::{Correlation, EventKind};
use crate::id::{HookId, Place};
use crate::replay::{Fed, Registration};
use crate::samples::{at, token};
use crate::token::Token;

fn woken(id: HookId) -> Fed {
    Fed::Poll(Some(Correlation::Hook(id)))
}

fn registered(hook: HookId, token: Token) -> Registration {
    Registration::Registered { hook, token }
}

#[test]
fn a_hook_is_registered_when_its_record_is_fed_at_its_own_place() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(chosen("t"));
    assert_eq!(driver.machine.take_registration(h), None);
    assert_eq!(driver.append(), [woken(h)]);
    assert_eq!(
        driver.machine.take_registration(h),
        Some(registered(h, token("t")))
    );
    assert_eq!(driver.machine.take_registration(h), None);
    driver.assert_nothing_more();
}

#[test]
fn the_record_wakes_the_call_even_with_facts_before_it() {
    let mut driver = Driver::begun();
    let first = driver.register(chosen("first"));
    let second = driver.ask_for_hook(chosen("second"));
    assert_eq!(driver.outsider(hook_received(first, "1")), woken(first));
    assert_eq!(driver.machine.take_registration(second), None);
    assert_eq!(driver.append(), [woken(second)]);
    assert_eq!(
        driver.machine.take_registration(second),
        Some(registered(second, token("second")))
    );
    assert_eq!(driver.receive(first).as_deref(), Some("1"));
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_drawn_token_is_the_logs_and_never_compared() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(drawn(1));
    assert_eq!(h, HookId::derive(run(), Place(0), ""));
    assert_eq!(driver.worker(hook_created(h, drawn(2))), woken(h));
    assert_eq!(
        driver.machine.take_registration(h),
        Some(registered(h, Token::random(2)))
    );
    driver.assert_nothing_more();
}

#[test]
fn payloads_wait_in_order_and_each_is_given_once() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    for text in ["1", "2"] {
        assert_eq!(driver.outsider(hook_received(h, text)), woken(h));
    }
    assert!(driver.machine.peek_payload(h).is_some());
    assert_eq!(driver.receive(h).as_deref(), Some("1"));
    assert_eq!(driver.receive(h).as_deref(), Some("2"));
    assert_eq!(driver.machine.peek_payload(h), None);
    assert_eq!(driver.receive(h), None);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_payload_that_comes_before_the_hook_is_polled_waits_for_it() {
    let mut driver = Driver::begun();
    let h = hook(0, "t");
    driver.by_worker(hook_created(h, chosen("t")));
    driver.by_outsider(hook_received(h, "early"));
    driver.ask_for_hook(chosen("t"));
    assert_eq!(
        driver.machine.take_registration(h),
        Some(registered(h, token("t")))
    );
    assert_eq!(driver.receive(h).as_deref(), Some("early"));
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn what_arrived_before_the_expiry_is_read_and_then_the_expiry() {
    let mut driver = Driver::begun();
    let h = driver.register(expiring("t", 500));
    driver.by_outsider(hook_received(h, "in time"));
    assert_eq!(driver.outsider(hook_expired(h)), woken(h));
    assert_eq!(driver.receive(h).as_deref(), Some("in time"));
    assert_eq!(driver.receive(h).as_deref(), Some("<expired>"));
    assert_eq!(driver.receive(h).as_deref(), Some("<expired>"));
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn the_time_of_expiry_counts_from_the_event_that_the_code_reacts_to() {
    let mut driver = Driver::begun();
    driver.ask_for_hook(expiring("t", 500));
    let record = driver.machine.records().next();
    let Some(EventKind::HookCreated { expires_at, .. }) = record else {
        panic!("{record:?}");
    };
    assert_eq!(*expires_at, Some(at(2_500)));
}

#[test]
fn a_hook_nobody_knows_gives_nothing() {
    let mut driver = Driver::begun();
    let stranger = hook(9, "t");
    assert_eq!(driver.machine.take_registration(stranger), None);
    assert_eq!(driver.machine.take_payload(stranger), None);
    assert_eq!(driver.machine.peek_payload(stranger), None);
    assert!(!driver.machine.take_closed(stranger));
    driver.machine.dispose_hook(stranger);
    driver.assert_nothing_more();
}
