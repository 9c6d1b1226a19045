//! Events with as little to say as a case needs.

use std::collections::BTreeMap;

use rewake_core::event::{
    Child, CreatedBy, Disposal, EventKind, Failure, FailureKind, Fallback, StepOptions,
};
use rewake_core::id::{HookId, RunId, StepId, WaitId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::request::DeliveryKey;

/// Every token and stream that a case may use, so that what a refusal left can be looked for.
pub(super) const TOKENS: &[&str] = &[
    "approve", "orders", "payment", "review", "a", "b:0", "b:1", "b:10", "b:11", "b:2", "c",
];
pub(super) const STREAMS: [&str; 2] = ["answer", "other"];

pub(super) fn token(text: &str) -> Token {
    assert!(TOKENS.contains(&text), "add `{text}` to the known tokens");
    Token::parse(text, Token::MAX_LEN).expect("known tokens are well formed")
}

pub(super) fn payload(text: &str) -> Payload {
    Payload::from_bytes(format!("devl[\"{text}\"]").into_bytes())
}

pub(super) fn size(payload: &Payload) -> u64 {
    payload.len() as u64
}

/// The `n`th hook of the case; no two runs of a case share one.
pub(super) fn hook(n: u8) -> HookId {
    HookId::from_bytes([n; 16])
}

pub(super) fn step(n: u8) -> StepId {
    StepId::from_bytes([n; 16])
}

pub(super) fn wait(n: u8) -> WaitId {
    WaitId::from_bytes([n; 16])
}

pub(super) fn run_created() -> EventKind {
    run_of("order")
}

pub(super) fn run_of(workflow: &str) -> EventKind {
    run_created_with(workflow, None)
}

pub(super) fn run_not_before(at: Timestamp) -> EventKind {
    run_created_with("order", Some(at))
}

fn run_created_with(workflow: &str, not_before: Option<Timestamp>) -> EventKind {
    EventKind::RunCreated {
        workflow: workflow.to_owned(),
        input: payload("input"),
        build: "build-1".to_owned(),
        seed: [7; 16],
        flags: 0,
        parent: None,
        not_before,
        continued_from: None,
        attributes: BTreeMap::new(),
        created_by: CreatedBy::Start,
    }
}

pub(super) fn run_completed() -> EventKind {
    EventKind::RunCompleted {
        output: payload("output"),
    }
}

pub(super) fn run_failed() -> EventKind {
    EventKind::RunFailed {
        error: Failure::new("no stock"),
    }
}

pub(super) const fn run_cancelled() -> EventKind {
    EventKind::RunCancelled {
        reason: None,
        terminated: false,
    }
}

pub(super) const fn run_terminated() -> EventKind {
    EventKind::RunCancelled {
        reason: None,
        terminated: true,
    }
}

pub(super) const fn run_continued(successor: RunId) -> EventKind {
    EventKind::RunContinued { successor }
}

pub(super) const fn cancel_requested() -> EventKind {
    EventKind::RunCancelRequested { reason: None }
}

pub(super) fn hook_created(n: u8, name: &str) -> EventKind {
    EventKind::HookCreated {
        hook: hook(n),
        token: token(name),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: None,
    }
}

pub(super) fn webhook_created(n: u8, name: &str) -> EventKind {
    EventKind::HookCreated {
        hook: hook(n),
        token: token(name),
        chosen: false,
        metadata: Some(payload("metadata")),
        is_webhook: true,
        expires_at: None,
    }
}

pub(super) fn hook_until(n: u8, name: &str, expires_at: Timestamp) -> EventKind {
    EventKind::HookCreated {
        hook: hook(n),
        token: token(name),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_at: Some(expires_at),
    }
}

pub(super) fn hook_conflict(n: u8, name: &str, owner: RunId) -> EventKind {
    EventKind::HookConflict {
        hook: hook(n),
        token: token(name),
        owner,
    }
}

pub(super) fn hook_received(n: u8, text: &str) -> EventKind {
    EventKind::HookReceived {
        hook: hook(n),
        payload: payload(text),
        key: None,
        fallback: None,
        kept_until: None,
    }
}

/// As a payload stands in the log that may start a run.
pub(super) fn hook_received_or_start(n: u8, text: &str, fallback: &Fallback) -> EventKind {
    EventKind::HookReceived {
        hook: hook(n),
        payload: payload(text),
        key: None,
        fallback: Some(Box::new(fallback.clone())),
        kept_until: None,
    }
}

/// As a payload stands in the log that may return to the mailbox.
pub(super) fn hook_received_until(n: u8, text: &str, until: Timestamp) -> EventKind {
    EventKind::HookReceived {
        hook: hook(n),
        payload: payload(text),
        key: None,
        fallback: None,
        kept_until: Some(until),
    }
}

pub(super) fn delivery_key(key: &str, digest: u8) -> DeliveryKey {
    DeliveryKey {
        key: key.to_owned(),
        digest: Some([digest; 32]),
    }
}

pub(super) fn hook_dropped(n: u8) -> EventKind {
    EventKind::HookDisposed {
        hook: hook(n),
        by: Disposal::Dropped,
    }
}

pub(super) fn hook_closed(n: u8) -> EventKind {
    EventKind::HookDisposed {
        hook: hook(n),
        by: Disposal::Closed,
    }
}

pub(super) fn hook_expired(n: u8) -> EventKind {
    EventKind::HookExpired { hook: hook(n) }
}

pub(super) fn step_created(n: u8) -> EventKind {
    EventKind::StepCreated {
        step: step(n),
        name: "charge".to_owned(),
        input: payload("args"),
        options: StepOptions::default(),
        child: None,
    }
}

/// Step `n`, whose body is another run.
pub(super) fn child_created(n: u8, child: Child) -> EventKind {
    EventKind::StepCreated {
        step: step(n),
        name: "fulfil".to_owned(),
        input: payload("args"),
        options: StepOptions::default(),
        child: Some(child),
    }
}

pub(super) fn step_started(n: u8) -> EventKind {
    EventKind::StepStarted {
        step: step(n),
        attempt: 1,
    }
}

pub(super) fn step_completed(n: u8) -> EventKind {
    EventKind::StepCompleted {
        step: step(n),
        result: payload("result"),
    }
}

pub(super) fn step_failed(n: u8) -> EventKind {
    EventKind::StepFailed {
        step: step(n),
        error: Failure::new("no money"),
        kind: FailureKind::Fatal,
    }
}

pub(super) fn wait_created(n: u8, resume_at: Timestamp) -> EventKind {
    EventKind::WaitCreated {
        wait: wait(n),
        resume_at,
    }
}

pub(super) fn wait_completed(n: u8) -> EventKind {
    EventKind::WaitCompleted { wait: wait(n) }
}

pub(super) fn wait_cancelled(n: u8) -> EventKind {
    EventKind::WaitCancelled { wait: wait(n) }
}
