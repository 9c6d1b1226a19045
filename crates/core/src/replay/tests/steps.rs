//! Steps: calls, outcomes, and what the driver must run.

use super::driver::Driver;
use super::log::{step, step_completed, step_created, step_failed, step_retrying, step_started};
use crate::event::{Correlation, Failure, FailureKind, StepOptions};
use crate::id::StepId;
use crate::replay::{Fed, OpenStep, StepOutcome};
use crate::samples::{at, payload};

fn woken(id: StepId) -> Fed {
    Fed::Poll(Some(Correlation::Step(id)))
}

fn completed(text: &str) -> StepOutcome {
    StepOutcome::Completed(payload(text))
}

fn open(id: StepId, name: &str) -> OpenStep {
    OpenStep {
        id,
        name: name.to_owned(),
        input: payload("[]"),
        options: StepOptions::default(),
        attempt: 0,
        under_way: false,
        retry_at: None,
        recorded: false,
    }
}

#[test]
fn a_call_leaves_a_record_and_its_outcome_is_taken_once() {
    let mut driver = Driver::begun();
    let a = driver.call_step("a");
    let records: Vec<_> = driver.machine.records().cloned().collect();
    assert_eq!(records, [step_created(a, "a")]);
    assert_eq!(driver.append(), [Fed::Nothing]);
    assert_eq!(driver.worker(step_started(a, 1)), Fed::Nothing);
    assert_eq!(driver.machine.take_step(a), None);
    assert_eq!(driver.worker(step_completed(a, "ok")), woken(a));
    assert_eq!(driver.machine.take_step(a), Some(completed("ok")));
    assert_eq!(driver.machine.take_step(a), None);
    driver.assert_nothing_more();
}

#[test]
fn a_failure_says_why_and_after_how_many_attempts() {
    let mut driver = Driver::begun();
    let a = driver.call_step("a");
    driver.append();
    driver.by_worker(step_started(a, 1));
    assert_eq!(driver.worker(step_retrying(a, 9_000)), Fed::Nothing);
    driver.by_worker(step_started(a, 2));
    let failed = step_failed(a, FailureKind::RetriesExhausted);
    assert_eq!(driver.worker(failed), woken(a));
    assert_eq!(
        driver.machine.take_step(a),
        Some(StepOutcome::Failed {
            error: Failure::new("no"),
            kind: FailureKind::RetriesExhausted,
            attempts: 2,
        })
    );
    driver.assert_nothing_more();
}

#[test]
fn records_are_matched_whatever_facts_fall_between() {
    let mut driver = Driver::begun();
    let (a, b) = (driver.call_step("a"), driver.call_step("b"));
    driver.by_worker(step_created(a, "a"));
    driver.by_worker(step_started(a, 1));
    assert_eq!(driver.worker(step_completed(a, "1")), woken(a));
    let c = driver.call_step("c");
    assert_eq!(driver.record_names(), ["step_created"; 2]);
    driver.by_worker(step_created(b, "b"));
    driver.by_worker(step_started(b, 1));
    driver.by_worker(step_completed(b, "2"));
    driver.by_worker(step_created(c, "c"));
    driver.by_worker(step_started(c, 1));
    driver.by_worker(step_completed(c, "3"));
    assert_eq!(driver.machine.take_step(a), Some(completed("1")));
    assert_eq!(driver.machine.take_step(b), Some(completed("2")));
    assert_eq!(driver.machine.take_step(c), Some(completed("3")));
    driver.assert_nothing_more();
}

#[test]
fn calls_may_be_polled_in_another_order_than_the_log_has_them() {
    let mut driver = Driver::begun();
    let (a, b) = (step(0, "a"), step(1, "b"));
    driver.call_step("a");
    driver.call_step("b");
    driver.by_worker(step_created(b, "b"));
    driver.by_worker(step_created(a, "a"));
    for id in [a, b] {
        driver.by_worker(step_started(id, 1));
        driver.by_worker(step_completed(id, "ok"));
        assert_eq!(driver.machine.take_step(id), Some(completed("ok")));
    }
    driver.assert_nothing_more();
}

#[test]
fn the_outcome_of_a_call_that_is_not_yet_polled_waits_for_it() {
    let mut driver = Driver::begun();
    let late = step(0, "late");
    driver.machine.place();
    driver.by_worker(step_created(late, "late"));
    driver.by_worker(step_started(late, 1));
    assert_eq!(driver.worker(step_completed(late, "ok")), woken(late));
    let options = StepOptions::default();
    let name = "late".to_owned();
    driver
        .machine
        .create_step(late, name, payload("[2]"), options);
    assert_eq!(driver.machine.take_step(late), Some(completed("ok")));
    driver.assert_nothing_more();
}

#[test]
fn arguments_and_options_are_the_logs_and_never_compared() {
    let mut driver = Driver::begun();
    let a = step(0, "a");
    let other = StepOptions {
        max_retries: 9,
        ..StepOptions::default()
    };
    driver.machine.place();
    driver
        .machine
        .create_step(a, "a".to_owned(), payload("[\"other\"]"), other);
    driver.by_worker(step_created(a, "a"));
    let [open_step] = driver.machine.open_steps().try_into().unwrap();
    assert_eq!(
        open_step,
        OpenStep {
            recorded: true,
            ..open(a, "a")
        }
    );
    assert_eq!(driver.machine.rest(), Ok(()));
}

#[test]
fn the_outcome_of_a_dropped_call_is_kept_for_nobody() {
    let mut driver = Driver::begun();
    let (early, late) = (driver.call_step("early"), driver.call_step("late"));
    driver.append();
    for id in [early, late] {
        driver.by_worker(step_started(id, 1));
    }
    driver.machine.abandon_step(early);
    assert_eq!(driver.worker(step_completed(early, "ok")), woken(early));
    assert_eq!(driver.worker(step_completed(late, "ok")), woken(late));
    driver.machine.abandon_step(late);
    assert_eq!(driver.machine.take_step(early), None);
    assert_eq!(driver.machine.take_step(late), None);
    assert_eq!(driver.machine.weight(), Driver::begun().machine.weight());
    driver.assert_nothing_more();
}

#[test]
fn open_steps_say_how_far_each_has_come() {
    let mut driver = Driver::begun();
    let ids = ["new", "created", "running", "retrying", "done"].map(|name| driver.call_step(name));
    let [new, created, running, retrying, done] = ids;
    for (id, name) in [
        (created, "created"),
        (running, "running"),
        (retrying, "retrying"),
        (done, "done"),
    ] {
        driver.by_worker(step_created(id, name));
    }
    for id in [running, retrying, done] {
        driver.by_worker(step_started(id, 1));
    }
    driver.by_worker(step_started(running, 2));
    driver.by_worker(step_retrying(retrying, 9_000));
    driver.by_worker(step_completed(done, "ok"));

    let mut found = driver.machine.open_steps();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let recorded = |id, name: &str| OpenStep {
        recorded: true,
        ..open(id, name)
    };
    assert_eq!(
        found,
        [
            recorded(created, "created"),
            open(new, "new"),
            OpenStep {
                attempt: 1,
                retry_at: Some(at(9_000)),
                ..recorded(retrying, "retrying")
            },
            OpenStep {
                attempt: 2,
                under_way: true,
                ..recorded(running, "running")
            },
        ]
    );
    assert_eq!(
        driver.machine.take_fresh_steps(),
        [],
        "all of them were told"
    );
}

#[test]
fn fresh_steps_are_told_once_in_order_of_their_calls() {
    let mut driver = Driver::begun();
    // Ids are hashes: the order of many ids is not the order of their calls.
    let ids: Vec<_> = (0..20).map(|_| driver.call_step("a")).collect();
    let expected: Vec<_> = ids.iter().map(|id| open(*id, "a")).collect();
    assert_eq!(driver.machine.take_fresh_steps(), expected);
    assert_eq!(driver.machine.take_fresh_steps(), []);
}

#[test]
fn a_fresh_step_that_somebody_else_has_begun_or_ended_is_not_offered_as_new() {
    let mut driver = Driver::begun();
    let (begun, ended) = (driver.call_step("begun"), driver.call_step("ended"));
    for (id, name) in [(begun, "begun"), (ended, "ended")] {
        driver.by_worker(step_created(id, name));
        driver.by_worker(step_started(id, 1));
    }
    driver.by_worker(step_completed(ended, "ok"));
    assert_eq!(
        driver.machine.take_fresh_steps(),
        [OpenStep {
            attempt: 1,
            under_way: true,
            recorded: true,
            ..open(begun, "begun")
        }]
    );
}

#[test]
fn a_step_that_the_log_knows_already_is_not_fresh() {
    let mut driver = Driver::begun();
    driver.machine.place();
    let a = step(0, "a");
    driver.by_worker(step_created(a, "a"));
    let options = StepOptions::default();
    driver
        .machine
        .create_step(a, "a".to_owned(), payload("[]"), options);
    assert_eq!(driver.machine.take_fresh_steps(), []);
    assert_eq!(driver.machine.open_steps().len(), 1);
    driver.assert_nothing_more();
}
