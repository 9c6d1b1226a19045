//! Shields and undo calls: what still happens once a run is cancelled or has failed.

use std::time::Duration;

use super::driver::Driver;
use super::log::{
    cancel_requested, chosen, hook_disposed, run, run_cancelled, step, step_completed,
    step_created, step_failed, step_started, wait_cancelled, wait_completed, wait_created,
};
use crate::event::{Disposal, EventKind, Failure, FailureKind, StepOptions};
use crate::id::{Place, StepId, WaitId};
use crate::replay::{Fed, OpenStep};
use crate::samples::payload;
use crate::time::Timestamp;

/// Registers an undo call.
fn undo(driver: &mut Driver, name: &str) -> StepId {
    let id = StepId::derive(run(), driver.machine.place(), name);
    let options = StepOptions::default();
    driver
        .machine
        .undo_step(id, name.to_owned(), payload("[]"), options);
    id
}

fn records(driver: &Driver) -> Vec<EventKind> {
    driver.machine.records().cloned().collect()
}

/// An undo call ends; there is no workflow left to be polled.
fn complete(driver: &mut Driver, step: StepId) {
    driver.by_worker(step_started(step, 1));
    let fed = driver.worker(step_completed(step, "ok"));
    assert_eq!(fed, Fed::Nothing);
}

fn cancelled(reason: Option<&str>) -> EventKind {
    EventKind::RunCancelled {
        reason: reason.map(str::to_owned),
        terminated: false,
    }
}

fn failed() -> EventKind {
    EventKind::RunFailed {
        error: Failure::new("no"),
    }
}

#[test]
fn undo_calls_follow_one_another_newest_first_and_then_the_run_fails() {
    let mut driver = Driver::begun();
    let (first, second) = (undo(&mut driver, "a"), undo(&mut driver, "b"));
    assert_eq!(
        driver.record_names(),
        [""; 0],
        "registered, it leaves nothing"
    );
    driver.machine.finish(Err(Failure::new("no")));
    assert!(!driver.machine.is_finished());
    assert_eq!(records(&driver), [step_created(second, "b")]);
    driver.append();
    complete(&mut driver, second);
    assert_eq!(records(&driver), [step_created(first, "a")]);
    driver.append();
    complete(&mut driver, first);
    assert!(driver.machine.is_finished());
    assert_eq!(records(&driver), [failed()]);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn an_undo_call_that_fails_for_good_does_not_keep_the_others() {
    let mut driver = Driver::begun();
    let (first, second) = (undo(&mut driver, "a"), undo(&mut driver, "b"));
    driver.machine.finish(Err(Failure::new("no")));
    driver.append();
    driver.by_worker(step_started(second, 1));
    driver.by_worker(step_failed(second, FailureKind::Fatal));
    assert_eq!(records(&driver), [step_created(first, "a")]);
}

#[test]
fn a_workflow_that_returns_a_value_undoes_nothing() {
    let mut driver = Driver::begun();
    undo(&mut driver, "a");
    driver.machine.finish(Ok(payload("done")));
    assert_eq!(driver.record_names(), ["run_completed"]);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_termination_stops_the_undo_calls() {
    let mut driver = Driver::begun();
    undo(&mut driver, "a");
    let second = undo(&mut driver, "b");
    driver.machine.finish(Err(Failure::new("no")));
    driver.append();
    driver.by_worker(step_started(second, 1));
    assert_eq!(driver.outsider(run_cancelled(true)), Fed::Nothing);
    driver.assert_nothing_more();
}

#[test]
fn a_request_to_cancel_does_not_stop_the_undo_calls_of_a_failed_workflow() {
    let mut driver = Driver::begun();
    let only = undo(&mut driver, "a");
    driver.machine.finish(Err(Failure::new("no")));
    driver.append();
    assert_eq!(driver.outsider(cancel_requested()), Fed::Nothing);
    complete(&mut driver, only);
    assert_eq!(
        records(&driver),
        [failed()],
        "it failed, and then was cancelled"
    );
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_cancelled_workflow_lets_go_first_and_undoes_then() {
    let mut driver = Driver::begun();
    let hook = driver.register(chosen("t"));
    let only = undo(&mut driver, "a");
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    driver.machine.dispose_hook(hook);
    driver.machine.finish_cancelled();
    let [_, bound] = WaitId::clean_up(run());
    let expected = [
        hook_disposed(hook, Disposal::Dropped),
        wait_created(bound, 4_000 + 600_000),
        step_created(only, "a"),
    ];
    assert_eq!(records(&driver), expected);
    driver.append();
    complete(&mut driver, only);
    assert_eq!(records(&driver), [wait_cancelled(bound), cancelled(None)]);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn undo_calls_that_do_not_end_in_time_are_given_up() {
    let mut driver = Driver::begun();
    driver.machine.limit_clean_up(Duration::from_secs(7));
    undo(&mut driver, "a");
    let second = undo(&mut driver, "b");
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    driver.machine.finish_cancelled();
    driver.append();
    driver.by_worker(step_started(second, 1));
    let [_, bound] = WaitId::clean_up(run());
    assert_eq!(driver.machine.due(Timestamp::MAX).count(), 1);
    assert_eq!(driver.worker(wait_completed(bound)), Fed::Nothing);
    let reason = "when the time for cleaning up was over, 2 of its undo calls had not ended: \
                  `b`, `a`";
    assert_eq!(records(&driver), [cancelled(Some(reason))]);
    assert!(!driver.machine.wants(second));
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_shield_in_progress_goes_on_and_nothing_else_is_begun() {
    let mut driver = Driver::begun();
    let outside = driver.call_step("outside");
    driver.machine.enter_shield();
    let inside = driver.call_step("inside");
    driver.machine.shield_step(inside);
    driver.append();
    driver.by_worker(step_started(inside, 1));
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    assert!(driver.machine.is_shielding());
    assert!(driver.machine.wants(inside));
    assert!(!driver.machine.wants(outside));
    let open: Vec<StepId> = opened(&mut driver).iter().map(|step| step.id).collect();
    assert_eq!(open, [inside]);
    // The request is the fifth event; the workflow was polled last at the second.
    let [bound, _] = WaitId::clean_up(run());
    assert_eq!(records(&driver), [wait_created(bound, 5_000 + 600_000)]);
    let polled = driver.worker(step_completed(inside, "ok"));
    assert_eq!(
        polled,
        Fed::Poll(Some(crate::event::Correlation::Step(inside)))
    );
    assert!(driver.machine.take_step(inside).is_some());
    driver.machine.leave_shield();
    assert!(!driver.machine.is_shielding());
    driver.machine.abandon_step(outside);
    driver.machine.finish_cancelled();
    let names = ["wait_created", "wait_cancelled", "run_cancelled"];
    assert_eq!(driver.record_names(), names);
    driver.append();
    driver.assert_nothing_more();
}

fn opened(driver: &mut Driver) -> Vec<OpenStep> {
    driver.machine.open_steps()
}

#[test]
fn a_shield_that_does_not_end_in_time_is_dropped_and_the_undo_calls_run() {
    let mut driver = Driver::begun();
    let only = undo(&mut driver, "a");
    driver.machine.enter_shield();
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    driver.append();
    let [shields, undos] = WaitId::clean_up(run());
    assert_eq!(driver.worker(wait_completed(shields)), Fed::Cancel);
    assert!(!driver.machine.is_shielding());
    driver.machine.finish_cancelled();
    assert_eq!(driver.record_names(), ["wait_created", "step_created"]);
    driver.append();
    complete(&mut driver, only);
    let reason = "when the time for cleaning up was over, not every shield had ended";
    let expected = [wait_cancelled(undos), cancelled(Some(reason))];
    assert_eq!(records(&driver), expected);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_shield_that_has_ended_before_delays_nothing() {
    let mut driver = Driver::begun();
    driver.machine.enter_shield();
    driver.machine.leave_shield();
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    assert!(!driver.machine.is_shielding());
    driver.machine.finish_cancelled();
    assert_eq!(driver.record_names(), ["run_cancelled"]);
}

#[test]
fn a_step_that_its_shield_has_dropped_is_called_off() {
    let mut driver = Driver::begun();
    driver.machine.enter_shield();
    let dropped = driver.call_step("dropped");
    driver.machine.shield_step(dropped);
    driver.machine.abandon_step(dropped);
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    assert!(!driver.machine.wants(dropped));
}

#[test]
fn nothing_of_what_a_failed_workflow_left_is_begun() {
    let mut driver = Driver::begun();
    let left = driver.call_step("left");
    let only = undo(&mut driver, "a");
    driver.machine.abandon_step(left);
    driver.machine.finish(Err(Failure::new("no")));
    let fresh: Vec<StepId> = driver
        .machine
        .take_fresh_steps()
        .iter()
        .map(|s| s.id)
        .collect();
    assert_eq!(fresh, [only]);
}

#[test]
fn the_replay_of_an_undo_goes_on_where_it_stopped() {
    let mut driver = Driver::begun();
    undo(&mut driver, "a");
    undo(&mut driver, "b");
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    driver.machine.finish_cancelled();
    let [_, bound] = WaitId::clean_up(run());
    driver.by_worker(wait_created(bound, 9_000));
    driver.by_worker(step_created(step(1, "b"), "b"));
    complete(&mut driver, step(1, "b"));
    assert_eq!(records(&driver), [step_created(step(0, "a"), "a")]);
    assert_eq!(driver.machine.next_due(), Some(crate::samples::at(9_000)));
    assert_eq!(StepId::derive(run(), Place(1), "b"), step(1, "b"));
}
