//! The end of a run.

use super::driver::Driver;
use super::log::{chosen, run_completed, step_created, step_started, wait_cancelled};
use crate::event::{EventKind, Failure, Position};
use crate::replay::Fed;
use crate::samples::{other_run, payload};

fn run_failed() -> EventKind {
    EventKind::RunFailed {
        error: Failure::new("no"),
    }
}

#[test]
fn a_value_or_an_error_is_the_last_record() {
    for (result, end) in [
        (Ok(payload("done")), run_completed("done")),
        (Err(Failure::new("no")), run_failed()),
    ] {
        let mut driver = Driver::begun();
        driver.machine.finish(result);
        assert!(driver.machine.is_finished() && !driver.machine.is_running());
        assert!(!driver.machine.has_ended());
        let records: Vec<_> = driver.machine.records().cloned().collect();
        assert_eq!(records, [end]);
        assert_eq!(driver.append(), [Fed::Nothing]);
        assert!(driver.machine.has_ended() && !driver.machine.has_open_reason());
        driver.assert_nothing_more();
    }
}

#[test]
fn what_was_asked_for_before_the_end_is_recorded_before_it() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    driver.call_step("never awaited");
    driver.machine.dispose_hook(h);
    driver.machine.finish(Ok(payload("done")));
    assert_eq!(
        driver.record_names(),
        ["step_created", "hook_disposed", "run_completed"]
    );
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn nothing_is_asked_for_after_the_end() {
    let mut driver = Driver::begun();
    let h = driver.register(chosen("t"));
    let w = driver.begin_wait(9_000);
    driver.append();
    driver.machine.finish(Ok(payload("done")));
    driver.machine.finish(Err(Failure::new("again")));
    driver.machine.dispose_hook(h);
    driver.machine.cancel_wait(w);
    driver.call_step("late");
    let records: Vec<_> = driver.machine.records().cloned().collect();
    assert_eq!(records, [run_completed("done")]);
    assert_eq!(driver.append(), [Fed::Nothing]);
    driver.machine.create_wait(w, crate::samples::at(1));
    driver.machine.finish_cancelled();
    assert!(driver.machine.has_ended());
    driver.assert_nothing_more();
}

#[test]
fn facts_on_their_way_are_fed_and_poll_nobody() {
    let mut driver = Driver::begun();
    let a = driver.call_step("a");
    let h = driver.register(chosen("t"));
    driver.machine.finish(Ok(payload("done")));
    assert_eq!(driver.worker(step_started(a, 1)), Fed::Nothing);
    let received = super::log::hook_received(h, "late");
    assert_eq!(driver.outsider(received), Fed::Nothing);
    driver.append();
    driver.assert_nothing_more();
}

#[test]
fn an_error_in_the_code_is_no_value_in_the_log() {
    let mut driver = Driver::begun();
    driver.machine.finish(Err(Failure::new("no")));
    let parted = driver
        .try_feed(crate::event::Writer::Worker, run_completed("done"))
        .unwrap_err();
    assert_eq!(
        parted.to_string(),
        "at event 3 the log has `run_completed`, but the workflow asked for `run_failed`"
    );
}

#[test]
fn an_end_of_another_kind_parts() {
    let mut driver = Driver::begun();
    driver.machine.finish(Ok(payload("done")));
    let parted = driver
        .try_feed(crate::event::Writer::Worker, run_failed())
        .unwrap_err();
    assert_eq!(
        parted.to_string(),
        "at event 3 the log has `run_failed`, but the workflow asked for `run_completed`"
    );
    assert!(
        driver.machine.has_ended(),
        "the log holds the end all the same"
    );
}

#[test]
fn an_end_with_another_value_does_not() {
    let mut driver = Driver::begun();
    driver.machine.finish(Ok(payload("done")));
    driver.by_worker(run_completed("something else"));
    driver.assert_nothing_more();
}

#[test]
fn a_workflow_that_returned_before_its_log_has_parted() {
    let mut driver = Driver::begun();
    driver.machine.finish(Ok(payload("done")));
    let a = super::log::step(0, "a");
    driver.by_worker(step_created(a, "a"));
    let text = "at event 3 the log has step `a`, but the workflow came to its end";
    assert_eq!(driver.parted(), (Position(3), text.to_owned()));
}

#[test]
fn a_workflow_that_goes_on_after_its_log_has_ended_has_parted() {
    let mut driver = Driver::begun();
    driver.call_step("a");
    driver.by_worker(run_completed("done"));
    let text = "at event 3 the log has `run_completed`, but the workflow asked for step `a`";
    assert_eq!(driver.parted(), (Position(3), text.to_owned()));
}

#[test]
fn a_log_that_has_ended_is_checked_for_what_nobody_claimed() {
    let mut driver = Driver::begun();
    let w = super::log::wait(0);
    driver.by_worker(super::log::wait_created(w, 9_000));
    driver.by_worker(wait_cancelled(w));
    driver.machine.finish(Ok(payload("done")));
    driver.by_worker(run_completed("done"));
    let text = "at event 3 the log has a sleep, but the workflow came to its end";
    assert_eq!(driver.parted(), (Position(3), text.to_owned()));
}

#[test]
fn a_run_may_go_on_as_another() {
    let mut driver = Driver::begun();
    let continued = EventKind::RunContinued {
        successor: other_run(),
    };
    assert_eq!(driver.worker(continued), Fed::Nothing);
    assert!(driver.machine.has_ended());
    // No command of the machine leaves this record yet, so a replay of it parts.
    assert_eq!(driver.parted().0, Position(3));
}

#[test]
fn where_the_ends_do_not_agree_the_first_record_left_is_the_place() {
    let mut driver = Driver::begun();
    driver.by_worker(step_created(super::log::step(0, "a"), "a"));
    driver.machine.finish(Ok(payload("done")));
    let parted = driver
        .try_feed(crate::event::Writer::Worker, run_failed())
        .unwrap_err();
    assert_eq!(
        parted.to_string(),
        "at event 3 the log has step `a`, but the workflow came to its end"
    );
}
