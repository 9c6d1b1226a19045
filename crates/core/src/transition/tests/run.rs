//! Runs: their own states and events, and what may be about a part of a run, when.

use std::collections::BTreeMap;

use crate::entity::{Entities, Run, RunStatus};
use crate::event::{EventKind, Failure};
use crate::samples::{self, at, event, payload};
use crate::transition::{IllegalTransition, require_open, run};

const CREATED: u64 = 10;
const STARTED: u64 = 20;
const ENDED: u64 = 30;
const NOW: u64 = 90;

fn pending(created_ms: u64) -> Run {
    Run {
        id: samples::run(),
        workflow: "shop::review".to_owned(),
        build: "build-1".to_owned(),
        status: RunStatus::Pending,
        input: payload("[]"),
        output: None,
        error: None,
        parent: None,
        attributes: BTreeMap::from([("team".to_owned(), "red".to_owned())]),
        created_at: at(created_ms),
        started_at: None,
        ended_at: None,
        not_before: None,
        cancel_requested: false,
        cancel_reason: None,
    }
}

fn running(started_ms: u64) -> Run {
    Run {
        status: RunStatus::Running,
        started_at: Some(at(started_ms)),
        ..pending(CREATED)
    }
}

fn ended(status: RunStatus, ms: u64) -> Run {
    Run {
        status,
        ended_at: Some(at(ms)),
        ..running(STARTED)
    }
}

const STATES: [Option<RunStatus>; 6] = [
    None,
    Some(RunStatus::Pending),
    Some(RunStatus::Running),
    Some(RunStatus::Completed),
    Some(RunStatus::Failed),
    Some(RunStatus::Cancelled),
];

fn entity(status: RunStatus) -> Run {
    match status {
        RunStatus::Pending => pending(CREATED),
        RunStatus::Running => running(STARTED),
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => ended(status, ENDED),
    }
}

const RUN_EVENTS: [&str; 9] = [
    "run_created",
    "run_started",
    "run_completed",
    "run_failed",
    "run_cancelled",
    "run_cancel_requested",
    "run_continued",
    "attr_set",
    "patch_marked",
];

fn expected(state: Option<RunStatus>, event: &'static str) -> Result<Run, IllegalTransition> {
    if !RUN_EVENTS.contains(&event) {
        return Err(IllegalTransition::Misrouted {
            event,
            entity: "run",
        });
    }
    match (event, state) {
        ("run_created", None) => Ok(pending(NOW)),
        ("run_created", Some(_)) => Err(IllegalTransition::RunExists {
            run: samples::run(),
        }),
        (event, None) => Err(IllegalTransition::RunMissing { event }),
        (event, Some(RunStatus::Pending)) => of_a_pending_run(event),
        (event, Some(RunStatus::Running)) => of_a_running_run(event),
        (event, Some(status)) => Err(IllegalTransition::RunEnded { event, status }),
    }
}

fn of_a_pending_run(event: &'static str) -> Result<Run, IllegalTransition> {
    match event {
        "run_started" => Ok(running(NOW)),
        "run_cancelled" => Ok(Run {
            cancel_reason: Some("stop".to_owned()),
            status: RunStatus::Cancelled,
            ended_at: Some(at(NOW)),
            ..pending(CREATED)
        }),
        "run_cancel_requested" => Ok(asked_to_stop(pending(CREATED))),
        event => Err(IllegalTransition::RunNotStarted { event }),
    }
}

fn of_a_running_run(event: &'static str) -> Result<Run, IllegalTransition> {
    Ok(match event {
        "run_started" => {
            return Err(IllegalTransition::RunStarted {
                run: samples::run(),
            });
        }
        "run_completed" => Run {
            output: Some(payload("done")),
            ..ended(RunStatus::Completed, NOW)
        },
        "run_failed" => Run {
            error: Some(Box::new(Failure::new("no"))),
            ..ended(RunStatus::Failed, NOW)
        },
        "run_cancelled" => Run {
            cancel_reason: Some("stop".to_owned()),
            ..ended(RunStatus::Cancelled, NOW)
        },
        "run_cancel_requested" => asked_to_stop(running(STARTED)),
        "run_continued" => ended(RunStatus::Completed, NOW),
        "attr_set" => {
            let mut run = running(STARTED);
            run.attributes.insert("stage".to_owned(), "two".to_owned());
            run
        }
        "patch_marked" => running(STARTED),
        event => panic!("`{event}` has no answer in this table"),
    })
}

fn asked_to_stop(run: Run) -> Run {
    Run {
        cancel_requested: true,
        cancel_reason: Some("please".to_owned()),
        ..run
    }
}

#[test]
fn every_event_in_every_state_has_its_answer() {
    for kind in samples::every_kind() {
        for state in STATES {
            let before = state.map(entity);
            assert_eq!(
                run(samples::run(), before.as_ref(), event(&kind, NOW)),
                expected(state, kind.name()),
                "{state:?}, then {}",
                kind.name()
            );
        }
    }
}

#[test]
fn a_part_of_a_run_is_only_spoken_of_while_the_run_is_open() {
    let before_the_beginning = ["hook_created", "hook_received", "hook_expired"];
    for kind in samples::every_kind() {
        let name = kind.name();
        for state in STATES {
            let answer = require_open(state.map(entity).as_ref(), event(&kind, NOW));
            let expected = match state {
                None => Err(IllegalTransition::RunMissing { event: name }),
                Some(RunStatus::Pending) if before_the_beginning.contains(&name) => Ok(()),
                Some(RunStatus::Pending) => Err(IllegalTransition::RunNotStarted { event: name }),
                Some(RunStatus::Running) => Ok(()),
                Some(status) => Err(IllegalTransition::RunEnded {
                    event: name,
                    status,
                }),
            };
            assert_eq!(answer, expected, "{state:?}, then {name}");
        }
    }
}

#[test]
fn the_reason_of_the_first_request_stands_and_the_final_word_wins() {
    let request = |reason: &str| EventKind::RunCancelRequested {
        reason: Some(reason.to_owned()),
    };
    let cancelled = |reason: Option<&str>| EventKind::RunCancelled {
        reason: reason.map(str::to_owned),
        terminated: true,
    };
    let first = run(
        samples::run(),
        Some(&running(STARTED)),
        event(&request("a"), NOW),
    )
    .unwrap();
    let second = run(samples::run(), Some(&first), event(&request("b"), NOW)).unwrap();
    assert_eq!(second.cancel_reason.as_deref(), Some("a"));
    for (last, reason) in [(None, "a"), (Some("c"), "c")] {
        let end = run(samples::run(), Some(&second), event(&cancelled(last), NOW)).unwrap();
        assert_eq!(end.cancel_reason.as_deref(), Some(reason));
    }
}

// What the Workflow SDK accepts and leaves orphans behind; here each is refused.

fn refusal(log: &[EventKind]) -> Option<IllegalTransition> {
    let mut entities = Entities::new(samples::run());
    let (last, before) = log.split_last().expect("a log has events");
    for kind in before {
        entities.apply(event(kind, NOW)).unwrap();
    }
    let unchanged = entities.clone();
    let refusal = entities.apply(event(last, NOW)).err();
    if refusal.is_some() {
        assert_eq!(entities, unchanged, "a refused event changes nothing");
    }
    refusal
}

fn sample(name: &str) -> EventKind {
    let mut all = samples::every_kind().into_iter();
    all.find(|kind| kind.name() == name)
        .expect("there is such an event")
}

fn log(names: &[&str]) -> Vec<EventKind> {
    names.iter().map(|name| sample(name)).collect()
}

#[test]
fn a_run_that_was_never_created_does_not_begin_end_or_call_steps() {
    for name in [
        "run_started",
        "run_completed",
        "run_cancelled",
        "step_created",
    ] {
        let event = sample(name).name();
        assert_eq!(
            refusal(&log(&[name])),
            Some(IllegalTransition::RunMissing { event })
        );
    }
}

#[test]
fn a_run_that_has_begun_does_not_begin_again() {
    assert_eq!(
        refusal(&log(&["run_created", "run_started", "run_started"])),
        Some(IllegalTransition::RunStarted {
            run: samples::run()
        })
    );
}

#[test]
fn a_run_that_has_not_begun_does_not_complete() {
    assert_eq!(
        refusal(&log(&["run_created", "run_completed"])),
        Some(IllegalTransition::RunNotStarted {
            event: "run_completed"
        })
    );
}

#[test]
fn a_run_ends_once() {
    for (end, status) in [
        ("run_completed", RunStatus::Completed),
        ("run_failed", RunStatus::Failed),
        ("run_cancelled", RunStatus::Cancelled),
        ("run_continued", RunStatus::Completed),
    ] {
        for again in [
            "run_completed",
            "run_failed",
            "run_cancelled",
            "run_continued",
        ] {
            assert_eq!(
                refusal(&log(&["run_created", "run_started", end, again])),
                Some(IllegalTransition::RunEnded {
                    event: sample(again).name(),
                    status
                }),
                "{end}, then {again}"
            );
        }
    }
}

#[test]
fn a_cancelled_run_is_not_cancelled_again() {
    assert_eq!(
        refusal(&log(&["run_created", "run_cancelled", "run_cancelled"])),
        Some(IllegalTransition::RunEnded {
            event: "run_cancelled",
            status: RunStatus::Cancelled
        })
    );
}

#[test]
fn a_running_step_neither_begins_again_nor_ends_after_its_run_has_ended() {
    let begun = [
        "run_created",
        "run_started",
        "step_created",
        "step_started",
        "run_cancelled",
    ];
    for late in [
        "step_started",
        "step_completed",
        "step_failed",
        "step_retrying",
    ] {
        let names: Vec<_> = begun.into_iter().chain([late]).collect();
        assert_eq!(
            refusal(&log(&names)),
            Some(IllegalTransition::RunEnded {
                event: sample(late).name(),
                status: RunStatus::Cancelled
            }),
        );
    }
}

#[test]
fn nothing_at_all_follows_the_end() {
    for kind in samples::every_kind() {
        let mut names = log(&["run_created", "run_started", "run_completed"]);
        let event = kind.name();
        names.push(kind);
        let expected = if event == "run_created" {
            IllegalTransition::RunExists {
                run: samples::run(),
            }
        } else {
            IllegalTransition::RunEnded {
                event,
                status: RunStatus::Completed,
            }
        };
        assert_eq!(refusal(&names), Some(expected));
    }
}
