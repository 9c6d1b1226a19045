//! Steps: five states, all events.

use crate::entity::{Step, StepStatus};
use crate::event::{Child, EventKind, Failure, FailureKind, StepOptions};
use crate::samples::{self, at, event, payload};
use crate::transition::{IllegalTransition, step};

const CREATED: u64 = 10;
const STARTED: u64 = 20;
const ENDED: u64 = 30;
const NOW: u64 = 90;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Pending,
    Running,
    Retrying,
    Completed,
    Failed,
}

const STATES: [State; 6] = [
    State::Absent,
    State::Pending,
    State::Running,
    State::Retrying,
    State::Completed,
    State::Failed,
];

fn pending(created_ms: u64) -> Step {
    Step {
        id: samples::step(),
        name: "publish".to_owned(),
        input: payload("[1]"),
        options: StepOptions::default(),
        child: None,
        status: StepStatus::Pending,
        attempt: 0,
        result: None,
        error: None,
        failure: None,
        retry_at: None,
        created_at: at(created_ms),
        started_at: None,
        ended_at: None,
    }
}

fn running() -> Step {
    Step {
        status: StepStatus::Running,
        attempt: 1,
        started_at: Some(at(STARTED)),
        ..pending(CREATED)
    }
}

fn retrying(step: Step) -> Step {
    Step {
        status: StepStatus::Pending,
        error: Some(Failure::new("no")),
        retry_at: Some(at(5_000)),
        ..step
    }
}

fn completed(ms: u64) -> Step {
    Step {
        status: StepStatus::Completed,
        result: Some(payload("ok")),
        ended_at: Some(at(ms)),
        ..running()
    }
}

fn failed(ms: u64) -> Step {
    Step {
        status: StepStatus::Failed,
        error: Some(Failure::new("no")),
        failure: Some(FailureKind::Fatal),
        ended_at: Some(at(ms)),
        ..running()
    }
}

fn entity(state: State) -> Option<Step> {
    match state {
        State::Absent => None,
        State::Pending => Some(pending(CREATED)),
        State::Running => Some(running()),
        State::Retrying => Some(retrying(running())),
        State::Completed => Some(completed(ENDED)),
        State::Failed => Some(failed(ENDED)),
    }
}

fn expected(state: State, event: &'static str) -> Result<Step, IllegalTransition> {
    let step = samples::step();
    let entity_name = "step";
    Err(match (event, state) {
        ("step_created", State::Absent) => return Ok(pending(NOW)),
        ("step_created", _) => IllegalTransition::StepExists { step },
        ("step_started" | "step_completed" | "step_failed" | "step_retrying", State::Absent) => {
            IllegalTransition::StepMissing { event, step }
        }
        (
            "step_started" | "step_completed" | "step_failed" | "step_retrying",
            State::Completed | State::Failed,
        ) => IllegalTransition::StepEnded { event, step },
        ("step_started", State::Pending) => {
            return Ok(Step {
                started_at: Some(at(NOW)),
                ..running()
            });
        }
        ("step_started", State::Running | State::Retrying) => {
            IllegalTransition::AttemptOutOfOrder {
                step,
                last: 1,
                found: 1,
            }
        }
        ("step_completed", State::Running) => return Ok(completed(NOW)),
        ("step_failed", State::Running) => return Ok(failed(NOW)),
        ("step_retrying", State::Running) => return Ok(retrying(running())),
        ("step_completed" | "step_failed" | "step_retrying", State::Pending | State::Retrying) => {
            IllegalTransition::StepNotStarted { event, step }
        }
        (event, _) => IllegalTransition::Misrouted {
            event,
            entity: entity_name,
        },
    })
}

#[test]
fn every_event_in_every_state_has_its_answer() {
    for kind in samples::every_kind() {
        for state in STATES {
            let after = step(entity(state).as_ref(), event(&kind, NOW));
            assert_eq!(
                after,
                expected(state, kind.name()),
                "{state:?}, then {}",
                kind.name()
            );
        }
    }
}

#[test]
fn a_result_of_an_attempt_that_never_began_is_refused() {
    for state in [State::Pending, State::Retrying] {
        let kind = EventKind::StepCompleted {
            step: samples::step(),
            result: payload("ok"),
        };
        assert_eq!(
            step(entity(state).as_ref(), event(&kind, NOW)),
            Err(IllegalTransition::StepNotStarted {
                event: "step_completed",
                step: samples::step()
            }),
        );
    }
}

#[test]
fn an_attempt_may_follow_one_that_never_ended() {
    let kind = EventKind::StepStarted {
        step: samples::step(),
        attempt: 2,
    };
    let again = step(Some(&running()), event(&kind, NOW)).unwrap();
    assert_eq!(
        again,
        Step {
            attempt: 2,
            ..running()
        }
    );
}

#[test]
fn a_retry_clears_the_pause_and_keeps_the_last_error_and_the_first_beginning() {
    let kind = EventKind::StepStarted {
        step: samples::step(),
        attempt: 2,
    };
    let again = step(Some(&retrying(running())), event(&kind, NOW)).unwrap();
    let expected = Step {
        status: StepStatus::Running,
        attempt: 2,
        retry_at: None,
        ..retrying(running())
    };
    assert_eq!(again, expected);
}

#[test]
fn an_attempt_that_skips_or_repeats_a_number_is_refused() {
    for found in [0, 1, 3, u32::MAX] {
        let kind = EventKind::StepStarted {
            step: samples::step(),
            attempt: found,
        };
        assert_eq!(
            step(Some(&running()), event(&kind, NOW)),
            Err(IllegalTransition::AttemptOutOfOrder {
                step: samples::step(),
                last: 1,
                found
            }),
        );
    }
}

#[test]
fn no_number_of_attempts_overflows() {
    let last = Step {
        attempt: u32::MAX,
        ..running()
    };
    for attempt in [0, u32::MAX] {
        let kind = EventKind::StepStarted {
            step: samples::step(),
            attempt,
        };
        assert!(matches!(
            step(Some(&last), event(&kind, NOW)),
            Err(IllegalTransition::AttemptOutOfOrder { .. })
        ));
    }
}

fn child(detached: bool) -> Child {
    let run = samples::other_run();
    Child { run, detached }
}

#[test]
fn a_child_run_ends_without_an_attempt_and_has_none() {
    let open = Step {
        child: Some(child(false)),
        ..pending(CREATED)
    };
    for kind in samples::every_kind() {
        let name = kind.name();
        let expected = match name {
            "step_completed" => Ok(Step {
                status: StepStatus::Completed,
                result: Some(payload("ok")),
                ended_at: Some(at(NOW)),
                ..open.clone()
            }),
            "step_failed" => Ok(Step {
                status: StepStatus::Failed,
                error: Some(Failure::new("no")),
                failure: Some(FailureKind::Fatal),
                ended_at: Some(at(NOW)),
                ..open.clone()
            }),
            "step_started" | "step_retrying" => Err(IllegalTransition::StepIsChild {
                event: name,
                step: samples::step(),
            }),
            _ => continue,
        };
        assert_eq!(step(Some(&open), event(&kind, NOW)), expected, "{name}");
    }
}

#[test]
fn a_child_run_that_is_let_go_of_has_ended_for_its_parent_once_it_exists() {
    for detached in [false, true] {
        let kind = EventKind::StepCreated {
            step: samples::step(),
            name: "publish".to_owned(),
            input: payload("[1]"),
            options: StepOptions::default(),
            child: Some(child(detached)),
        };
        let created = Step {
            child: Some(child(detached)),
            ..pending(NOW)
        };
        let ended = Step {
            status: StepStatus::Completed,
            ended_at: Some(at(NOW)),
            ..created.clone()
        };
        let expected = if detached { ended } else { created };
        assert_eq!(step(None, event(&kind, NOW)), Ok(expected));
    }
}
