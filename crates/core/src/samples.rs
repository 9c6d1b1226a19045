//! Samples for tests: one instance of every event, and the ids they name.

use std::collections::BTreeMap;

use crate::event::{
    CreatedBy, Disposal, EventKind, EventRef, Failure, FailureKind, Position, StepOptions, Writer,
};
use crate::id::{EventId, HookId, Place, RunId, StepId, WaitId};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::token::Token;

/// The run of every sample.
pub(crate) fn run() -> RunId {
    RunId::mint(Timestamp::from_millis(1_000), 1)
}

/// Another run.
pub(crate) fn other_run() -> RunId {
    RunId::mint(Timestamp::from_millis(1_000), 2)
}

/// The step of every sample.
pub(crate) fn step() -> StepId {
    StepId::derive(run(), Place(0), "publish")
}

/// The hook of every sample.
pub(crate) fn hook() -> HookId {
    HookId::derive(run(), Place(1), "review:1")
}

/// The wait of every sample.
pub(crate) fn wait() -> WaitId {
    WaitId::derive(run(), Place(2))
}

/// A token that the code chose.
pub(crate) fn token(text: &str) -> Token {
    Token::parse(text, Token::MAX_LEN).unwrap()
}

/// A payload with these bytes.
pub(crate) fn payload(text: &str) -> Payload {
    Payload::from_bytes(text.as_bytes())
}

/// A point in time.
pub(crate) const fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// The event as it stands in a log, written by the worker.
pub(crate) fn event(kind: &EventKind, ms: u64) -> EventRef<'_> {
    EventRef {
        position: Position(1),
        at: at(ms),
        id: EventId::mint(at(ms), 0),
        writer: Writer::Worker,
        kind,
    }
}

/// One instance of every event.
pub(crate) fn every_kind() -> Vec<EventKind> {
    std::iter::successors(Some(run_created()), following).collect()
}

/// What a run begins with.
pub(crate) fn run_created() -> EventKind {
    EventKind::RunCreated {
        workflow: "shop::review".to_owned(),
        input: payload("[]"),
        build: "build-1".to_owned(),
        seed: [7; 16],
        flags: 0,
        parent: None,
        not_before: None,
        continued_from: None,
        attributes: BTreeMap::from([("team".to_owned(), "red".to_owned())]),
        created_by: CreatedBy::Start,
    }
}

/// The sample after `kind`: a new event does not compile until it has its place here.
fn following(kind: &EventKind) -> Option<EventKind> {
    let (step, hook, wait) = (step(), hook(), wait());
    let error = Failure::new("no");
    Some(match kind {
        EventKind::RunCreated { .. } => EventKind::RunStarted,
        EventKind::RunStarted => EventKind::RunCompleted {
            output: payload("done"),
        },
        EventKind::RunCompleted { .. } => EventKind::RunFailed { error },
        EventKind::RunFailed { .. } => EventKind::RunCancelled {
            reason: Some("stop".to_owned()),
            terminated: false,
        },
        EventKind::RunCancelled { .. } => EventKind::RunCancelRequested {
            reason: Some("please".to_owned()),
        },
        EventKind::RunCancelRequested { .. } => EventKind::RunContinued {
            successor: other_run(),
        },
        EventKind::RunContinued { .. } => EventKind::StepCreated {
            step,
            name: "publish".to_owned(),
            input: payload("[1]"),
            options: StepOptions::default(),
            child: None,
        },
        EventKind::StepCreated { .. } => EventKind::StepStarted { step, attempt: 1 },
        EventKind::StepStarted { .. } => EventKind::StepCompleted {
            step,
            result: payload("ok"),
        },
        EventKind::StepCompleted { .. } => EventKind::StepFailed {
            step,
            error,
            kind: FailureKind::Fatal,
        },
        EventKind::StepFailed { .. } => EventKind::StepRetrying {
            step,
            error,
            retry_at: at(5_000),
        },
        EventKind::StepRetrying { .. } => EventKind::HookCreated {
            hook,
            token: token("review:1"),
            chosen: true,
            metadata: Some(payload("meta")),
            is_webhook: false,
            expires_at: Some(at(9_000)),
        },
        EventKind::HookCreated { .. } => EventKind::HookReceived {
            hook,
            payload: payload("yes"),
            key: None,
            fallback: None,
            kept_until: None,
        },
        EventKind::HookReceived { .. } => EventKind::HookDisposed {
            hook,
            by: Disposal::Closed,
        },
        EventKind::HookDisposed { .. } => EventKind::HookConflict {
            hook,
            token: token("review:1"),
            owner: other_run(),
        },
        EventKind::HookConflict { .. } => EventKind::HookExpired { hook },
        EventKind::HookExpired { .. } => EventKind::WaitCreated {
            wait,
            resume_at: at(7_000),
        },
        EventKind::WaitCreated { .. } => EventKind::WaitCompleted { wait },
        EventKind::WaitCompleted { .. } => EventKind::WaitCancelled { wait },
        EventKind::WaitCancelled { .. } => EventKind::AttrSet {
            changes: BTreeMap::from([("stage".to_owned(), "two".to_owned())]),
            call: step,
        },
        EventKind::AttrSet { .. } => EventKind::PatchMarked {
            patch: "v2".to_owned(),
        },
        EventKind::PatchMarked { .. } => return None,
    })
}
