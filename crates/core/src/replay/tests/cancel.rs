//! Cancelling, at each phase of a run.

use super::driver::Driver;
use super::log::{
    cancel_requested, chosen, hook, hook_disposed, run_cancelled, run_completed, step_completed,
    step_started, wait_cancelled,
};
use crate::entity::RunStatus;
use crate::event::{Disposal, EventKind};
use crate::replay::Fed;
use crate::samples::{payload, run_created};

fn request(reason: &str) -> EventKind {
    EventKind::RunCancelRequested {
        reason: Some(reason.to_owned()),
    }
}

fn cancelled(reason: &str) -> EventKind {
    EventKind::RunCancelled {
        reason: Some(reason.to_owned()),
        terminated: false,
    }
}

#[test]
fn a_run_that_has_not_begun_is_cancelled_without_beginning() {
    let mut driver = Driver::new();
    driver.by_outsider(run_created());
    assert_eq!(driver.outsider(request("why")), Fed::Cancel);
    driver.machine.finish_cancelled();
    let records: Vec<_> = driver.machine.records().cloned().collect();
    assert_eq!(records, [cancelled("why")]);
    assert_eq!(driver.append(), [Fed::Nothing]);
    assert!(driver.machine.has_ended());
    driver.assert_nothing_more();
}

#[test]
fn a_beginning_on_its_way_does_not_begin_a_cancelled_run() {
    let mut driver = Driver::new();
    driver.by_outsider(run_created());
    assert_eq!(driver.outsider(request("why")), Fed::Cancel);
    driver.machine.finish_cancelled();
    assert_eq!(driver.worker(EventKind::RunStarted), Fed::Nothing);
    assert!(!driver.machine.is_running());
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_running_workflow_lets_go_of_what_it_holds_and_ends_as_cancelled() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    let w = driver.begin_wait(9_000);
    driver.append();
    assert_eq!(driver.outsider(request("why")), Fed::Cancel);
    assert!(!driver.machine.is_running());
    driver.machine.cancel_wait(w);
    driver.machine.dispose_hook(h);
    driver.machine.finish_cancelled();
    let records: Vec<_> = driver.machine.records().cloned().collect();
    let expected = [
        wait_cancelled(w),
        hook_disposed(h, Disposal::Dropped),
        cancelled("why"),
    ];
    assert_eq!(records, expected);
    assert_eq!(driver.append(), [Fed::Nothing; 3]);
    let status = driver.machine.entities().run().map(|run| run.status);
    assert_eq!(status, Some(RunStatus::Cancelled));
    driver.assert_nothing_more();
}

#[test]
fn nothing_is_polled_once_a_run_is_being_cancelled() {
    let mut driver = Driver::begun();
    let a = driver.call_step("a");
    let h = driver.register(chosen("t"));
    driver.by_worker(step_started(a, 1));
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    assert_eq!(driver.worker(step_completed(a, "ok")), Fed::Nothing);
    let received = super::log::hook_received(h, "late");
    assert_eq!(driver.outsider(received), Fed::Nothing);
    assert_eq!(driver.outsider(cancel_requested()), Fed::Nothing);
    driver.machine.dispose_hook(h);
    driver.machine.finish_cancelled();
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_request_that_comes_after_the_workflow_returned_changes_nothing() {
    let mut driver = Driver::begun();
    driver.machine.finish(Ok(payload("done")));
    assert_eq!(driver.outsider(cancel_requested()), Fed::Nothing);
    driver.machine.finish_cancelled();
    let records: Vec<_> = driver.machine.records().cloned().collect();
    assert_eq!(records, [run_completed("done")]);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_replay_of_a_cancellation_goes_on_where_it_stopped() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    driver.machine.dispose_hook(h);
    driver.machine.finish_cancelled();
    let disposed = hook_disposed(hook(0, "t"), Disposal::Dropped);
    assert_eq!(driver.worker(disposed), Fed::Nothing);
    assert_eq!(driver.record_names(), ["run_cancelled"]);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn a_terminated_run_asks_its_workflow_for_nothing() {
    let mut driver = Driver::begun();
    driver.register(chosen("t"));
    driver.call_step("a");
    driver.begin_wait(9_000);
    assert_eq!(driver.outsider(run_cancelled(true)), Fed::Nothing);
    assert!(driver.machine.has_ended());
    driver.assert_nothing_more();
}

#[test]
fn a_workflow_that_returned_as_its_run_was_terminated_has_not_parted() {
    let mut driver = Driver::begun();
    driver.machine.finish(Ok(payload("done")));
    assert_eq!(driver.outsider(run_cancelled(true)), Fed::Nothing);
    driver.assert_nothing_more();
}
