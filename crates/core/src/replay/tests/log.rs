//! The log builder: a verb for every event, one frame for each unless `frame` groups them.

use std::time::Duration;

use crate::event::{
    Child, Disposal, EventKind, Failure, FailureKind, Frame, Position, StepOptions, Writer,
};
use crate::id::{EventId, HookId, Place, RunId, StepId, WaitId};
use crate::replay::HookRequest;
use crate::samples::{self, at, payload};
use crate::time::Timestamp;
use crate::token::Token;

/// The run of every test.
pub(super) fn run() -> RunId {
    samples::run()
}

/// The id of the step called `name` at `place`.
pub(super) fn step(place: u64, name: &str) -> StepId {
    StepId::derive(run(), Place(place), name)
}

/// The id of the hook with a chosen token at `place`.
pub(super) fn hook(place: u64, token: &str) -> HookId {
    HookId::derive(run(), Place(place), token)
}

/// The id of the wait at `place`.
pub(super) fn wait(place: u64) -> WaitId {
    WaitId::derive(run(), Place(place))
}

/// A hook request with a chosen token.
pub(super) fn chosen(token: &str) -> HookRequest {
    HookRequest {
        token: samples::token(token),
        chosen: true,
        metadata: None,
        is_webhook: false,
        expires_in: None,
    }
}

/// A hook request with a drawn token.
pub(super) fn drawn(entropy: u128) -> HookRequest {
    HookRequest {
        token: Token::random(entropy),
        chosen: false,
        ..chosen("replaced")
    }
}

/// A hook request that expires.
pub(super) fn expiring(token: &str, ms: u64) -> HookRequest {
    HookRequest {
        expires_in: Some(Duration::from_millis(ms)),
        ..chosen(token)
    }
}

pub(super) fn step_created(id: StepId, name: &str) -> EventKind {
    EventKind::StepCreated {
        step: id,
        name: name.to_owned(),
        input: payload("[]"),
        options: StepOptions::default(),
        child: None,
    }
}

/// A child run of workflow `name`.
pub(super) fn child_created(id: StepId, name: &str, child: Child) -> EventKind {
    EventKind::StepCreated {
        step: id,
        name: name.to_owned(),
        input: payload("[]"),
        options: StepOptions {
            max_retries: 0,
            timeout_ms: None,
            backoff_ms: 0,
        },
        child: Some(child),
    }
}

pub(super) const fn step_started(step: StepId, attempt: u32) -> EventKind {
    EventKind::StepStarted { step, attempt }
}

pub(super) fn step_completed(step: StepId, result: &str) -> EventKind {
    EventKind::StepCompleted {
        step,
        result: payload(result),
    }
}

pub(super) fn step_failed(step: StepId, kind: FailureKind) -> EventKind {
    EventKind::StepFailed {
        step,
        error: Failure::new("no"),
        kind,
    }
}

pub(super) fn step_retrying(step: StepId, retry_ms: u64) -> EventKind {
    EventKind::StepRetrying {
        step,
        error: Failure::new("not yet"),
        retry_at: at(retry_ms),
    }
}

/// What `request` leaves in the log.
pub(super) fn hook_created(hook: HookId, request: HookRequest) -> EventKind {
    request.record(hook, Timestamp::ZERO)
}

pub(super) fn hook_received(hook: HookId, text: &str) -> EventKind {
    EventKind::HookReceived {
        hook,
        payload: payload(text),
        key: None,
        fallback: None,
        kept_until: None,
    }
}

pub(super) const fn hook_disposed(hook: HookId, by: Disposal) -> EventKind {
    EventKind::HookDisposed { hook, by }
}

pub(super) fn hook_conflict(hook: HookId, token: &str, owner: RunId) -> EventKind {
    EventKind::HookConflict {
        hook,
        token: samples::token(token),
        owner,
    }
}

pub(super) const fn hook_expired(hook: HookId) -> EventKind {
    EventKind::HookExpired { hook }
}

pub(super) const fn wait_created(wait: WaitId, resume_ms: u64) -> EventKind {
    EventKind::WaitCreated {
        wait,
        resume_at: at(resume_ms),
    }
}

pub(super) const fn wait_completed(wait: WaitId) -> EventKind {
    EventKind::WaitCompleted { wait }
}

pub(super) const fn wait_cancelled(wait: WaitId) -> EventKind {
    EventKind::WaitCancelled { wait }
}

pub(super) const fn cancel_requested() -> EventKind {
    EventKind::RunCancelRequested { reason: None }
}

pub(super) fn run_completed(output: &str) -> EventKind {
    EventKind::RunCompleted {
        output: payload(output),
    }
}

pub(super) const fn run_cancelled(terminated: bool) -> EventKind {
    EventKind::RunCancelled {
        reason: None,
        terminated,
    }
}

/// A log under construction. Frames stand a second apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    frames: Vec<Frame>,
}

impl Log {
    /// A log with nothing but `run_created`.
    pub(super) fn created() -> Self {
        Self::default().outsider(samples::run_created())
    }

    /// A log whose workflow has begun: events 1 and 2.
    pub(super) fn begun() -> Self {
        Self::created().worker(EventKind::RunStarted)
    }

    /// One event of the worker's.
    pub(super) fn worker(self, kind: EventKind) -> Self {
        self.frame(Writer::Worker, vec![kind])
    }

    /// One event of somebody else's.
    pub(super) fn outsider(self, kind: EventKind) -> Self {
        self.frame(Writer::Outsider, vec![kind])
    }

    /// Several events that one append left.
    pub(super) fn frame(mut self, writer: Writer, events: Vec<EventKind>) -> Self {
        self.push(writer, events);
        self
    }

    pub(super) fn push(&mut self, writer: Writer, events: Vec<EventKind>) -> &mut Frame {
        let at = at((self.frames.len() as u64 + 1) * 1_000);
        let frame = Frame {
            first: self.head().next(),
            at,
            id: EventId::mint(at, 0),
            writer,
            events,
            taken: Vec::new(),
        };
        self.frames.push(frame);
        self.frames.last_mut().expect("just pushed")
    }

    /// The log of these frames up to the `nth`, with a frame of somebody else's before the frame `at`.
    pub(super) fn with_outsider(frames: &[Frame], nth: usize, at: usize, kind: &EventKind) -> Self {
        let mut log = Self::default();
        for (place, frame) in frames.iter().enumerate().take(nth + 1) {
            if place == at {
                log.push(Writer::Outsider, vec![kind.clone()]).at = frame.at;
            }
            let first = log.head().next();
            log.frames.push(Frame {
                first,
                ..frame.clone()
            });
        }
        log
    }

    pub(super) fn last_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a log has frames")
    }

    pub(super) fn head(&self) -> Position {
        self.frames.last().map_or(Position::START, Frame::last)
    }

    pub(super) fn frames(&self) -> &[Frame] {
        &self.frames
    }
}
