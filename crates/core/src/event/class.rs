//! What an event is: its name, its role in a replay, and what it is about.
//!
//! Everybody who tells events apart does so by one of the exhaustive matches here and in
//! [`subject`](super::subject), so that a new event is noticed in few places, and in all of them.

use super::{Child, Disposal, EventKind};
use crate::id::{HookId, StepId, WaitId};

/// What an event is to a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It came from elsewhere; the workflow is fed it.
    Fact,
    /// A command left it behind; a replay must issue the command again.
    Record,
    /// A record whose command is awaited: matched, and then fed at its own place.
    AwaitedRecord,
    /// Bookkeeping of the worker; the workflow never sees it.
    Note,
}

impl EventKind {
    /// What the event is to a replay.
    pub const fn role(&self) -> Role {
        match self {
            Self::RunStarted
            | Self::RunCancelRequested { .. }
            | Self::StepCompleted { .. }
            | Self::StepFailed { .. }
            | Self::HookReceived { .. }
            | Self::HookExpired { .. }
            | Self::WaitCompleted { .. } => Role::Fact,
            // Whoever lets a child run go waits for its beginning and for nothing else.
            Self::StepCreated {
                child: Some(Child { detached: true, .. }),
                ..
            }
            | Self::HookCreated { .. }
            | Self::HookConflict { .. }
            | Self::HookDisposed {
                by: Disposal::Closed,
                ..
            }
            | Self::AttrSet { .. } => Role::AwaitedRecord,
            Self::RunCompleted { .. }
            | Self::RunFailed { .. }
            | Self::RunContinued { .. }
            | Self::StepCreated { .. }
            | Self::HookDisposed {
                by: Disposal::Dropped,
                ..
            }
            | Self::WaitCreated { .. }
            | Self::WaitCancelled { .. }
            | Self::PatchMarked { .. } => Role::Record,
            Self::RunCreated { .. }
            | Self::RunCancelled { .. }
            | Self::StepStarted { .. }
            | Self::StepRetrying { .. } => Role::Note,
        }
    }

    /// True for the events after which a run takes nothing more.
    pub const fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::RunCompleted { .. }
                | Self::RunFailed { .. }
                | Self::RunCancelled { .. }
                | Self::RunContinued { .. }
        )
    }

    /// The name of the event, as the Workflow SDK writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RunCreated { .. } => "run_created",
            Self::RunStarted => "run_started",
            Self::RunCompleted { .. } => "run_completed",
            Self::RunFailed { .. } => "run_failed",
            Self::RunCancelled { .. } => "run_cancelled",
            Self::RunCancelRequested { .. } => "run_cancel_requested",
            Self::RunContinued { .. } => "run_continued",
            Self::StepCreated { .. } => "step_created",
            Self::StepStarted { .. } => "step_started",
            Self::StepCompleted { .. } => "step_completed",
            Self::StepFailed { .. } => "step_failed",
            Self::StepRetrying { .. } => "step_retrying",
            Self::HookCreated { .. } => "hook_created",
            Self::HookReceived { .. } => "hook_received",
            Self::HookDisposed { .. } => "hook_disposed",
            Self::HookConflict { .. } => "hook_conflict",
            Self::HookExpired { .. } => "hook_expired",
            Self::WaitCreated { .. } => "wait_created",
            Self::WaitCompleted { .. } => "wait_completed",
            Self::WaitCancelled { .. } => "wait_cancelled",
            Self::AttrSet { .. } => "attr_set",
            Self::PatchMarked { .. } => "patch_marked",
        }
    }
}

/// The id that joins a command to its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Correlation {
    /// A step's.
    Step(StepId),
    /// A hook's.
    Hook(HookId),
    /// A wait's.
    Wait(WaitId),
}

impl AsRef<str> for Correlation {
    fn as_ref(&self) -> &str {
        match self {
            Self::Step(id) => id.as_str(),
            Self::Hook(id) => id.as_str(),
            Self::Wait(id) => id.as_str(),
        }
    }
}
