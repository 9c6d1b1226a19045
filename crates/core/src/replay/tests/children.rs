//! Child runs: steps whose body is another run.

use super::driver::Driver;
use super::log::{
    cancel_requested, child_created, step, step_completed, step_created, step_failed,
};
use crate::event::{Child, Correlation, Failure, FailureKind};
use crate::id::{RunId, StepId};
use crate::replay::{Fed, StepOutcome};
use crate::samples::{at, other_run, payload};

fn attached() -> Child {
    Child {
        run: other_run(),
        detached: false,
    }
}

fn detached() -> Child {
    Child {
        detached: true,
        ..attached()
    }
}

/// What another attempt to start the child minted for it.
fn minted_anew(child: Child) -> Child {
    Child {
        run: RunId::mint(at(9_000), 77),
        ..child
    }
}

fn woken(id: StepId) -> Fed {
    Fed::Poll(Some(Correlation::Step(id)))
}

#[test]
fn a_child_leaves_a_record_and_its_end_is_taken_once() {
    let mut driver = Driver::begun();
    let a = driver.call_child("review", attached());
    let records: Vec<_> = driver.machine.records().cloned().collect();
    assert_eq!(records, [child_created(a, "review", attached())]);
    assert_eq!(driver.append(), [Fed::Nothing]);
    assert!(driver.machine.has_open_reason());
    assert_eq!(driver.worker(step_completed(a, "ok")), woken(a));
    let completed = StepOutcome::Completed(payload("ok"));
    assert_eq!(driver.machine.take_child(a), Some((other_run(), completed)));
    assert_eq!(driver.machine.take_child(a), None);
    assert!(!driver.machine.has_open_reason());
    driver.assert_nothing_more();
}

#[test]
fn nobody_runs_a_child_as_a_step() {
    let mut driver = Driver::begun();
    driver.call_child("review", attached());
    assert_eq!(driver.machine.take_fresh_steps(), []);
    assert_eq!(driver.machine.open_steps(), []);
    driver.append();
    assert_eq!(driver.machine.take_fresh_steps(), []);
    assert_eq!(driver.machine.open_steps(), []);
}

#[test]
fn a_child_that_was_cancelled_says_so_and_had_no_attempts() {
    let mut driver = Driver::begun();
    let a = driver.call_child("review", attached());
    driver.append();
    assert_eq!(
        driver.worker(step_failed(a, FailureKind::Cancelled)),
        woken(a)
    );
    let failed = StepOutcome::Failed {
        error: Failure::new("no"),
        kind: FailureKind::Cancelled,
        attempts: 0,
    };
    assert_eq!(driver.machine.take_child(a), Some((other_run(), failed)));
}

#[test]
fn a_child_that_is_let_go_of_has_begun_once_its_record_is_fed() {
    let mut driver = Driver::begun();
    let a = driver.call_child("review", detached());
    assert_eq!(driver.machine.take_begun_child(a), None);
    assert_eq!(driver.append(), [woken(a)]);
    assert_eq!(driver.machine.take_begun_child(a), Some(other_run()));
    assert_eq!(driver.machine.take_begun_child(a), None);
    assert!(!driver.machine.has_open_reason());
    driver.assert_nothing_more();
}

#[test]
fn a_replay_takes_the_run_from_the_record() {
    let mut driver = Driver::begun();
    let a = step(0, "review");
    // Written when the log was, and polled later than then.
    assert_eq!(
        driver.worker(child_created(a, "review", detached())),
        woken(a)
    );
    driver.call_child("review", minted_anew(detached()));
    assert_eq!(driver.machine.take_begun_child(a), Some(other_run()));
    driver.assert_nothing_more();
}

#[test]
fn the_end_of_a_child_whose_call_was_dropped_is_recorded_and_ignored() {
    let mut driver = Driver::begun();
    let a = driver.call_child("review", attached());
    let b = driver.call_child("review", detached());
    driver.append();
    driver.machine.abandon_step(a);
    driver.machine.abandon_step(b);
    driver.by_worker(step_completed(a, "ok"));
    assert_eq!(driver.machine.take_child(a), None);
    assert_eq!(driver.machine.take_begun_child(b), None);
    driver.assert_nothing_more();
}

#[test]
fn a_call_dropped_before_its_record_still_begins_its_child() {
    let mut driver = Driver::begun();
    let a = driver.call_child("review", detached());
    driver.machine.abandon_step(a);
    assert_eq!(driver.record_names(), ["step_created"]);
    driver.append();
    assert_eq!(driver.machine.take_begun_child(a), None);
    driver.assert_nothing_more();
}

#[test]
fn a_child_is_no_step_and_one_let_go_of_is_not_one_that_is_waited_for() {
    let cases = [
        (None, Some(attached()), "step `review`"),
        (Some(attached()), None, "child run `review`"),
        (
            Some(detached()),
            Some(attached()),
            "detached child run `review`",
        ),
    ];
    for (recorded, called, expected) in cases {
        let mut driver = Driver::begun();
        let a = step(0, "review");
        driver.by_worker(match recorded {
            None => step_created(a, "review"),
            Some(child) => child_created(a, "review", child),
        });
        match called {
            None => driver.call_step("review"),
            Some(child) => driver.call_child("review", minted_anew(child)),
        };
        let (_, parted) = driver.parted();
        assert!(parted.contains(expected), "{parted}");
    }
}

#[test]
fn a_shield_waits_for_its_child_and_nothing_else_hears_of_one() {
    let mut driver = Driver::begun();
    let outside = driver.call_child("left", attached());
    driver.machine.enter_shield();
    let inside = driver.call_child("review", minted_anew(attached()));
    driver.machine.shield_step(inside);
    driver.append();
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    assert!(driver.machine.wants(inside));
    assert!(!driver.machine.wants(outside));
    assert_eq!(driver.machine.open_steps(), []);
    assert_eq!(driver.worker(step_completed(inside, "ok")), woken(inside));
    assert!(driver.machine.take_child(inside).is_some());
    driver.machine.leave_shield();
    driver.machine.abandon_step(outside);
    driver.machine.finish_cancelled();
    // The end leaves the other child open: it is told once that stands.
    driver.append();
    let running = driver.machine.entities().running_children();
    let running: Vec<_> = running.map(|(step, _)| step.id).collect();
    assert_eq!(running, [outside]);
    driver.assert_nothing_more();
}
