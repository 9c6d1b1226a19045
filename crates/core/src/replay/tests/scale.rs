//! Ten thousand of everything: no question may look at all of them.
//!
//! Nothing is timed here. Each test does so much that a scan per event would be noticed by whoever
//! waits for the tests; what is asserted is that nothing is left behind.

use super::driver::Driver;
use super::log::{
    chosen, hook_received, step_completed, step_created, step_started, wait_completed,
};
use crate::samples::at;

const MANY: u64 = 10_000;

#[test]
fn ten_thousand_open_steps_end_in_any_order() {
    let mut driver = Driver::begun();
    let ids: Vec<_> = (0..MANY).map(|_| driver.call_step("a")).collect();
    assert_eq!(driver.machine.take_fresh_steps().len(), ids.len());
    for id in ids.iter().rev() {
        driver.by_worker(step_created(*id, "a"));
        driver.by_worker(step_started(*id, 1));
    }
    assert_eq!(driver.machine.open_steps().len(), ids.len());
    for id in &ids {
        driver.by_worker(step_completed(*id, "ok"));
        assert!(driver.machine.has_open_reason() || *id == ids[ids.len() - 1]);
        assert!(driver.machine.take_step(*id).is_some());
    }
    driver.assert_nothing_more();
    assert_eq!(driver.machine.weight(), Driver::begun().machine.weight());
}

#[test]
fn ten_thousand_waits_end_or_are_given_up() {
    let mut driver = Driver::begun();
    let ids: Vec<_> = (0..MANY).map(|n| driver.begin_wait(n)).collect();
    driver.append();
    for (place, id) in ids.iter().enumerate() {
        assert!(driver.machine.next_due().is_some());
        if place % 2 == 0 {
            driver.by_outsider(wait_completed(*id));
            assert!(driver.machine.take_wait(*id));
        } else {
            driver.machine.cancel_wait(*id);
        }
    }
    driver.append();
    assert_eq!(driver.machine.due(at(u64::MAX)).count(), 0);
    driver.assert_nothing_more();
    assert_eq!(driver.machine.weight(), Driver::begun().machine.weight());
}

#[test]
fn ten_thousand_hooks_take_a_payload_each() {
    let mut driver = Driver::begun();
    let ids: Vec<_> = (0..MANY)
        .map(|n| driver.ask_for_hook(chosen(&format!("t{n}"))))
        .collect();
    driver.append();
    for id in &ids {
        assert!(driver.machine.take_registration(*id).is_some());
        driver.by_outsider(hook_received(*id, "x"));
        assert_eq!(driver.receive(*id).as_deref(), Some("x"));
        assert_eq!(driver.machine.taken().len(), 1);
        let taken = driver.machine.taken();
        driver.machine.feed_taken(driver.machine.fed(), &taken);
        driver.machine.weight();
    }
    for id in &ids {
        driver.machine.dispose_hook(*id);
    }
    driver.append();
    driver.assert_nothing_more();
    assert_eq!(driver.machine.weight(), Driver::begun().machine.weight());
}
