//! Conflicts: a token that another live hook holds.

use super::driver::Driver;
use super::log::{chosen, hook, hook_conflict, hook_disposed, run};
use crate::event::{Correlation, Disposal};
use crate::replay::{Fed, Registration};
use crate::samples::{other_run, token};

fn conflict() -> Registration {
    Registration::Conflict {
        token: token("t"),
        owner: other_run(),
    }
}

#[test]
fn a_conflict_is_the_record_of_the_call_and_names_the_owner() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(chosen("t"));
    let woken = Fed::Poll(Some(Correlation::Hook(h)));
    assert_eq!(driver.worker(hook_conflict(h, "t", other_run())), woken);
    assert_eq!(driver.machine.take_registration(h), Some(conflict()));
    driver.assert_nothing_more();
    assert!(driver.machine.entities().hooks().is_empty());
}

#[test]
fn a_second_hook_with_a_token_of_the_same_run_conflicts_with_it() {
    let mut driver = Driver::begun();
    driver.register(chosen("t"));
    let second = driver.ask_for_hook(chosen("t"));
    driver.by_worker(hook_conflict(second, "t", run()));
    assert_eq!(
        driver.machine.take_registration(second),
        Some(Registration::Conflict {
            token: token("t"),
            owner: run()
        })
    );
    driver.assert_nothing_more();
}

#[test]
fn a_conflict_that_nobody_waits_for_any_more_leaves_nothing() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(chosen("t"));
    driver.by_worker(hook_conflict(h, "t", other_run()));
    driver.machine.abandon_hook(h);
    driver.assert_nothing_more();
    assert!(driver.machine.entities().hooks().is_empty());
}

#[test]
fn a_hook_given_up_before_it_turns_out_to_be_in_conflict_leaves_both_records() {
    let mut driver = Driver::begun();
    let h = driver.ask_for_hook(chosen("t"));
    driver.machine.abandon_hook(h);
    assert_eq!(driver.record_names(), ["hook_created", "hook_disposed"]);
    driver.by_worker(hook_conflict(h, "t", other_run()));
    assert_eq!(driver.machine.take_registration(h), None);
    let disposed = hook_disposed(h, Disposal::Dropped);
    assert_eq!(driver.worker(disposed), Fed::Nothing);
    driver.assert_nothing_more();
    assert!(driver.machine.entities().hooks().is_empty());
}

#[test]
fn a_conflict_polled_late_is_given_up_as_it_was() {
    let mut driver = Driver::begun();
    let h = hook(0, "t");
    driver.by_worker(hook_conflict(h, "t", other_run()));
    driver.by_worker(hook_disposed(h, Disposal::Dropped));
    driver.ask_for_hook(chosen("t"));
    driver.machine.abandon_hook(h);
    driver.assert_nothing_more();
}
