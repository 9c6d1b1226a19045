//! What falls due by itself.

use super::driver::Driver;
use super::log::{
    chosen, expiring, hook_created, hook_expired, run_completed, wait_completed, wait_created,
};
use crate::event::{Correlation, EventKind};
use crate::replay::Fed;
use crate::samples::{at, payload, run_created};
use crate::time::Timestamp;

fn due(driver: &Driver, ms: u64) -> Vec<Correlation> {
    driver.machine.due(at(ms)).collect()
}

#[test]
fn what_the_log_knows_falls_due_at_its_time_earliest_first() {
    let mut driver = Driver::begun();
    let late = driver.begin_wait(9_000);
    let early = driver.begin_wait(5_000);
    assert_eq!(driver.machine.next_due(), None, "not in the log yet");
    driver.append();
    let h = driver.ask_for_hook(expiring("t", 4_000));
    driver.append();
    let expiry = at(6_000);
    assert_eq!(driver.machine.next_due(), Some(at(5_000)));
    assert_eq!(due(&driver, 4_999), []);
    assert_eq!(due(&driver, 5_000), [Correlation::Wait(early)]);
    let all = [
        Correlation::Wait(early),
        Correlation::Hook(h),
        Correlation::Wait(late),
    ];
    assert_eq!(due(&driver, 9_000), all);
    driver.by_worker(wait_completed(early));
    assert_eq!(driver.machine.next_due(), Some(expiry));
    driver.by_outsider(hook_expired(h));
    assert_eq!(driver.machine.next_due(), Some(at(9_000)));
    driver.by_worker(wait_completed(late));
    assert_eq!(driver.machine.next_due(), None);
    assert_eq!(due(&driver, u64::MAX), []);
}

#[test]
fn two_at_the_same_time_are_both_due() {
    let mut driver = Driver::begun();
    let (a, b) = (driver.begin_wait(5_000), driver.begin_wait(5_000));
    driver.append();
    let mut both = [Correlation::Wait(a), Correlation::Wait(b)];
    both.sort();
    assert_eq!(due(&driver, 5_000), both);
    driver.by_worker(wait_completed(a));
    assert_eq!(due(&driver, 5_000), [Correlation::Wait(b)]);
}

#[test]
fn a_hook_without_expiry_never_falls_due() {
    let mut driver = Driver::begun();
    driver.register(chosen("t"));
    assert_eq!(driver.machine.next_due(), None);
}

#[test]
fn a_hook_that_waits_to_be_adopted_falls_due_too() {
    let mut driver = Driver::new();
    driver.by_outsider(run_created());
    let h = super::log::hook(0, "t");
    let EventKind::HookCreated {
        hook,
        token,
        metadata,
        ..
    } = hook_created(h, chosen("t"))
    else {
        unreachable!("that is what it makes");
    };
    driver.by_outsider(EventKind::HookCreated {
        hook,
        token,
        chosen: true,
        metadata,
        is_webhook: false,
        expires_at: Some(at(3_000)),
    });
    assert_eq!(due(&driver, 3_000), [Correlation::Hook(h)]);
}

#[test]
fn what_the_workflow_has_given_up_is_not_due_even_before_its_record_stands() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(5_000);
    let closed = driver.register(expiring("a", 1_000));
    let dropped = driver.register(expiring("b", 1_000));
    assert_eq!(due(&driver, u64::MAX).len(), 3);
    driver.machine.cancel_wait(w);
    driver.machine.close_hook(closed);
    driver.machine.dispose_hook(dropped);
    assert_eq!(due(&driver, u64::MAX), []);
    assert_eq!(driver.machine.next_due(), None);
}

#[test]
fn what_was_given_up_before_its_record_came_by_never_falls_due() {
    let mut driver = Driver::begun();
    let w = driver.begin_wait(5_000);
    let h = driver.ask_for_hook(expiring("t", 1_000));
    driver.machine.cancel_wait(w);
    driver.machine.abandon_hook(h);
    driver.by_worker(wait_created(w, 5_000));
    driver.by_worker(hook_created(h, expiring("t", 1_000)));
    assert_eq!(due(&driver, u64::MAX), []);
}

#[test]
fn nothing_of_a_run_that_has_ended_is_due() {
    let mut driver = Driver::begun();
    driver.begin_wait(5_000);
    driver.append();
    driver.machine.finish(Ok(payload("done")));
    assert_eq!(driver.worker(run_completed("done")), Fed::Nothing);
    assert_eq!(driver.machine.due(Timestamp::MAX).count(), 0);
    assert_eq!(driver.machine.next_due(), None);
}
