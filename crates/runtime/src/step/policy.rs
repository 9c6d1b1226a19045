//! What follows from how an attempt ended: another attempt, or the end of the step.
//!
//! A pure function: time and jitter come in.

use std::time::Duration;

use rewake_core::event::{EventKind, Failure, FailureKind, StepOptions};
use rewake_core::id::StepId;
use rewake_core::payload::Payload;
use rewake_core::retry;
use rewake_core::time::Timestamp;

use super::attempt::AttemptOutcome;
use crate::registry::StepFailure;

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Completed(Payload),
    Failed { error: Failure, kind: FailureKind },
    Retry { error: Failure, at: Timestamp },
}

impl Verdict {
    /// The event that says so.
    pub(crate) fn event(self, step: StepId) -> EventKind {
        match self {
            Self::Completed(result) => EventKind::StepCompleted { step, result },
            Self::Failed { error, kind } => EventKind::StepFailed { step, error, kind },
            Self::Retry { error, at } => EventKind::StepRetrying {
                step,
                error,
                retry_at: at,
            },
        }
    }
}

/// The circumstances of a judgement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) options: StepOptions,
    pub(crate) attempt: u32,
    pub(crate) now: Timestamp,
    pub(crate) jitter: u64,
    pub(crate) max_result: usize,
}

/// What follows from `outcome`; none where nothing is to be recorded.
pub(crate) fn judge_attempt(outcome: AttemptOutcome, at: Circumstances) -> Option<Verdict> {
    let verdict = match outcome {
        AttemptOutcome::Completed(result) if result.len() > at.max_result => {
            let message = format!(
                "the step's result has {} bytes, more than the {} allowed; store it elsewhere and \
                 return where it is",
                result.len(),
                at.max_result
            );
            failed(Failure::new(message), FailureKind::NotEncodable)
        }
        AttemptOutcome::Completed(result) => Verdict::Completed(result),
        AttemptOutcome::Failed(StepFailure::Fatal(error)) => failed(error, FailureKind::Fatal),
        AttemptOutcome::Failed(StepFailure::NotEncodable(error)) => {
            failed(error, FailureKind::NotEncodable)
        }
        AttemptOutcome::Failed(StepFailure::Retryable {
            error,
            after,
            at: asked,
        }) => {
            let pause = asked.or_else(|| after.map(|after| at.now.after(after)));
            again(error, FailureKind::RetriesExhausted, pause, at)
        }
        AttemptOutcome::TimedOut(timeout) => {
            let message = format!("the attempt took longer than {timeout:?}");
            again(Failure::new(message), FailureKind::TimedOut, None, at)
        }
        AttemptOutcome::Panicked(message) => {
            let error = Failure::new(format!("the step panicked: {message}"));
            again(error, FailureKind::RetriesExhausted, None, at)
        }
        AttemptOutcome::Unknown => {
            let message = "no step of this name is part of this build; register it, or run the build \
                           that has it";
            again(
                Failure::new(message),
                FailureKind::RetriesExhausted,
                None,
                at,
            )
        }
        AttemptOutcome::Aborted => return None,
    };
    Some(verdict)
}

/// What follows from an attempt that began and never ended: it counts as failed.
pub(crate) fn judge_lost_attempt(at: Circumstances) -> Verdict {
    let message = format!(
        "attempt {} began and did not end: its process did",
        at.attempt
    );
    again(
        Failure::new(message),
        FailureKind::RetriesExhausted,
        Some(at.now),
        at,
    )
}

fn failed(error: Failure, kind: FailureKind) -> Verdict {
    let error = error.shortened();
    Verdict::Failed { error, kind }
}

fn again(
    error: Failure,
    kind: FailureKind,
    asked: Option<Timestamp>,
    at: Circumstances,
) -> Verdict {
    if at.attempt > at.options.max_retries {
        return failed(error, kind);
    }
    let first = Duration::from_millis(at.options.backoff_ms);
    let retry_at =
        asked.unwrap_or_else(|| at.now.after(retry::pause(first, at.attempt, at.jitter)));
    Verdict::Retry {
        error: error.shortened(),
        at: retry_at,
    }
}
