//! What a workflow notes of what it sees.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::steps;
use crate::delivery::Webhook;
use crate::ledger::Recording;

/// Something that a workflow saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Seen {
    /// What the start carried, so that outsiders tell it apart.
    Serial(u64),
    /// A step's value.
    Value(u64),
    /// A step that failed for good.
    Failed(String, String),
    /// A hook that was registered.
    Hook(String, String),
    /// A token that somebody else has.
    Conflict(String),
    /// A payload.
    Payload(String, u64),
    /// A payload that is none of the kind that the hook is for.
    Undecodable(String, u64),
    /// A request to the webhook of a token.
    Request(String, u64),
    /// A request was answered by the workflow, or why not.
    Answered(u64, Result<(), String>),
    /// A hook that gives nothing more.
    Over(String, String),
    /// A hook that was closed.
    Closed(String),
    /// A webhook that was registered, and how.
    Webhook(String, Webhook),
    /// A receiver that the workflow let go of.
    Dropped(String),
    /// A time that ran out.
    Elapsed,
    /// A sleep that ended.
    Woke,
    /// A time, a random number, a UUID.
    Asked(u64, u64, String),
    /// The end of a branch that lost a race, from the winner's side.
    Won(u64),
    /// An undo call that it keeps, by a number of its own.
    Undo(u64),
    /// What a nested workflow saw.
    Nested(Vec<Self>),
    /// How a child run ended.
    Child(String),
    /// A child run that was let go of.
    LetGo(String),
}

/// Which code carries a program out. Their logs differ from the first step on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Code {
    /// What all processes have but those that were changed.
    Right,
    /// What stands under the same name in a process that was changed.
    Changed,
}

impl Code {
    /// The code of a process.
    pub(crate) const fn of_process(changed: bool) -> Self {
        if changed { Self::Changed } else { Self::Right }
    }

    /// The code that makes steps of this name; none where both do.
    pub(crate) fn of_step(name: &str) -> Option<Self> {
        match name {
            steps::WORK => Some(Self::Right),
            steps::CHANGED_WORK => Some(Self::Changed),
            _ => None,
        }
    }
}

/// What a workflow has seen so far.
#[derive(Clone, Debug)]
pub(super) struct Notes {
    seen: Arc<Mutex<Vec<Seen>>>,
    recording: Option<Arc<Recording>>,
    code: Code,
}

impl Notes {
    /// Compared with what other replays saw.
    pub(super) fn recorded(recording: Recording) -> Self {
        Self {
            recording: Some(Arc::new(recording)),
            ..Self::unrecorded(Code::Right)
        }
    }

    pub(super) fn unrecorded(code: Code) -> Self {
        Self {
            seen: Arc::default(),
            recording: None,
            code,
        }
    }

    pub(super) const fn code(&self) -> Code {
        self.code
    }

    /// A number that the next undo call has to itself.
    pub(super) fn next_undo(&self) -> u64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = seen.iter().filter(|seen| matches!(seen, Seen::Undo(_)));
        kept.count() as u64
    }

    pub(super) fn note(&self, seen: Seen) {
        if let Some(recording) = &self.recording {
            recording.note(&seen);
        }
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
