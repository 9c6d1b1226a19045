//! One event of each kind, with every field filled, and again with every optional one empty.

use std::collections::BTreeMap;

use rewake_core::event::{
    Child, CreatedBy, Disposal, EventKind, Failure, FailureKind, Fallback, Parent, StepOptions,
};
use rewake_core::id::{EventId, HookId, RunId, StepId, WaitId};

use super::row_samples::{at, payload, token};

const HOOK: [u8; 16] = [0x0a; 16];
const STEP: [u8; 16] = [0x05; 16];
const WAIT: [u8; 16] = [0x0b; 16];
const RUN: [u8; 16] = [0x01; 16];

/// The number that the kind has in the stored form.
pub(super) const fn number(kind: &EventKind) -> usize {
    match kind {
        EventKind::RunCreated { .. } => 0,
        EventKind::RunStarted => 1,
        EventKind::RunCompleted { .. } => 2,
        EventKind::RunFailed { .. } => 3,
        EventKind::RunCancelled { .. } => 4,
        EventKind::RunCancelRequested { .. } => 5,
        EventKind::RunContinued { .. } => 6,
        EventKind::StepCreated { .. } => 7,
        EventKind::StepStarted { .. } => 8,
        EventKind::StepCompleted { .. } => 9,
        EventKind::StepFailed { .. } => 10,
        EventKind::StepRetrying { .. } => 11,
        EventKind::HookCreated { .. } => 12,
        EventKind::HookReceived { .. } => 13,
        EventKind::HookDisposed { .. } => 14,
        EventKind::HookConflict { .. } => 15,
        EventKind::HookExpired { .. } => 16,
        EventKind::WaitCreated { .. } => 17,
        EventKind::WaitCompleted { .. } => 18,
        EventKind::WaitCancelled { .. } => 19,
        EventKind::AttrSet { .. } => 20,
        EventKind::PatchMarked { .. } => 21,
    }
}

/// In order of number; a new kind gets its sample here.
pub(super) fn full() -> Vec<(&'static str, EventKind)> {
    let kinds = runs().into_iter().chain(steps()).chain(hooks());
    let kinds = kinds.chain(waits()).chain(others());
    kinds.map(|kind| (kind.name(), kind)).collect()
}

fn runs() -> [EventKind; 7] {
    [
        EventKind::RunCreated {
            workflow: "order".to_owned(),
            input: payload("in"),
            build: "build-1".to_owned(),
            seed: [0x07; 16],
            flags: 3,
            parent: Some(Parent {
                run: RunId::from_bytes(RUN),
                step: StepId::from_bytes(STEP),
                detached: true,
            }),
            not_before: Some(at(2)),
            continued_from: Some(RunId::from_bytes(RUN)),
            attributes: attributes(),
            created_by: CreatedBy::Admission,
        },
        EventKind::RunStarted,
        EventKind::RunCompleted {
            output: payload("out"),
        },
        EventKind::RunFailed { error: failure() },
        EventKind::RunCancelled {
            reason: Some("late".to_owned()),
            terminated: true,
        },
        EventKind::RunCancelRequested {
            reason: Some("late".to_owned()),
        },
        EventKind::RunContinued {
            successor: RunId::from_bytes(RUN),
        },
    ]
}

fn steps() -> [EventKind; 5] {
    let step = StepId::from_bytes(STEP);
    [
        EventKind::StepCreated {
            step,
            name: "charge".to_owned(),
            input: payload("in"),
            options: StepOptions {
                max_retries: 5,
                timeout_ms: Some(30_000),
                backoff_ms: 1_000,
            },
            child: Some(Child {
                run: RunId::from_bytes(RUN),
                detached: true,
            }),
        },
        EventKind::StepStarted { step, attempt: 2 },
        EventKind::StepCompleted {
            step,
            result: payload("out"),
        },
        EventKind::StepFailed {
            step,
            error: failure(),
            kind: FailureKind::TimedOut,
        },
        EventKind::StepRetrying {
            step,
            error: failure(),
            retry_at: at(3),
        },
    ]
}

fn hooks() -> [EventKind; 5] {
    let hook = HookId::from_bytes(HOOK);
    [
        EventKind::HookCreated {
            hook,
            token: token(),
            chosen: true,
            metadata: Some(payload("meta")),
            is_webhook: true,
            expires_at: Some(at(4)),
        },
        EventKind::HookReceived {
            hook,
            payload: payload("yes"),
            key: Some("delivery-1".to_owned()),
            fallback: Some(Box::new(fallback())),
            kept_until: Some(at(6)),
        },
        EventKind::HookDisposed {
            hook,
            by: Disposal::Dropped,
        },
        EventKind::HookConflict {
            hook,
            token: token(),
            owner: RunId::from_bytes(RUN),
        },
        EventKind::HookExpired { hook },
    ]
}

pub(super) fn fallback() -> Fallback {
    Fallback {
        workflow: "fulfil".to_owned(),
        input: payload("in"),
        build: "build-1".to_owned(),
        run: RunId::from_bytes(RUN),
        seed: [0x07; 16],
        flags: 3,
        hook: HookId::from_bytes(HOOK),
        event: EventId::from_bytes([0x0e; 16]),
    }
}

fn waits() -> [EventKind; 3] {
    let wait = WaitId::from_bytes(WAIT);
    [
        EventKind::WaitCreated {
            wait,
            resume_at: at(5),
        },
        EventKind::WaitCompleted { wait },
        EventKind::WaitCancelled { wait },
    ]
}

fn others() -> [EventKind; 2] {
    [
        EventKind::AttrSet {
            changes: attributes(),
            call: StepId::from_bytes(STEP),
        },
        EventKind::PatchMarked {
            patch: "new-tax".to_owned(),
        },
    ]
}

/// The kinds that have optional fields, without them.
pub(super) fn bare() -> [(&'static str, EventKind); 6] {
    let hook = HookId::from_bytes(HOOK);
    [
        (
            "run_created.bare",
            EventKind::RunCreated {
                workflow: "order".to_owned(),
                input: payload("in"),
                build: "build-1".to_owned(),
                seed: [0x07; 16],
                flags: 0,
                parent: None,
                not_before: None,
                continued_from: None,
                attributes: BTreeMap::new(),
                created_by: CreatedBy::Start,
            },
        ),
        (
            "run_cancelled.bare",
            EventKind::RunCancelled {
                reason: None,
                terminated: false,
            },
        ),
        (
            "run_cancel_requested.bare",
            EventKind::RunCancelRequested { reason: None },
        ),
        (
            "step_created.bare",
            EventKind::StepCreated {
                step: StepId::from_bytes(STEP),
                name: "charge".to_owned(),
                input: payload("in"),
                options: StepOptions {
                    timeout_ms: None,
                    ..StepOptions::default()
                },
                child: None,
            },
        ),
        (
            "hook_created.bare",
            EventKind::HookCreated {
                hook,
                token: token(),
                chosen: false,
                metadata: None,
                is_webhook: false,
                expires_at: None,
            },
        ),
        (
            "hook_received.bare",
            EventKind::HookReceived {
                hook,
                payload: payload("yes"),
                key: None,
                fallback: None,
                kept_until: None,
            },
        ),
    ]
}

fn attributes() -> BTreeMap<String, String> {
    let pairs = [("region", "eu"), ("tier", "gold")];
    let owned = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    BTreeMap::from(owned)
}

fn failure() -> Failure {
    Failure {
        message: "no stock".to_owned(),
        causes: vec!["warehouse".to_owned()],
    }
}
