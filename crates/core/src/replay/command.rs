//! Commands: what workflow code asks for, and which record each leaves.

use std::time::Duration;

use crate::event::{
    Child, Disposal, EventKind, HookEvent, RunEvent, StepEvent, Subject, WaitEvent,
};
use crate::id::{HookId, StepId, WaitId};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::token::Token;

/// What joins a command to the record it leaves: what it is about, and which of the commands about
/// that it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Step(StepId),
    Hook(HookId),
    Close(HookId),
    Drop(HookId),
    Wait(WaitId),
    GiveUp(WaitId),
    Attributes(StepId),
    Patch(String),
    End,
}

impl Key {
    /// The key of a record; none for events that no command leaves.
    pub(super) fn of(kind: &EventKind) -> Option<Self> {
        match kind.subject() {
            Subject::Run(event) => Self::of_run(event),
            Subject::Step(step, event) => Self::of_step(step, event),
            Subject::Hook(hook, event) => Self::of_hook(hook, event),
            Subject::Wait(wait, event) => Self::of_wait(wait, event),
        }
    }

    fn of_run(event: RunEvent<'_>) -> Option<Self> {
        match event {
            RunEvent::Completed { .. }
            | RunEvent::Failed { .. }
            | RunEvent::Cancelled { .. }
            | RunEvent::Continued => Some(Self::End),
            RunEvent::AttrSet { call, .. } => Some(Self::Attributes(call)),
            RunEvent::PatchMarked { patch } => Some(Self::Patch(patch.to_owned())),
            RunEvent::Created(_) | RunEvent::Started | RunEvent::CancelRequested { .. } => None,
        }
    }

    const fn of_step(step: StepId, event: StepEvent<'_>) -> Option<Self> {
        match event {
            StepEvent::Created { .. } => Some(Self::Step(step)),
            StepEvent::Started { .. }
            | StepEvent::Completed { .. }
            | StepEvent::Failed { .. }
            | StepEvent::Retrying { .. } => None,
        }
    }

    const fn of_hook(hook: HookId, event: HookEvent<'_>) -> Option<Self> {
        match event {
            HookEvent::Created { .. } | HookEvent::Conflict { .. } => Some(Self::Hook(hook)),
            HookEvent::Disposed {
                by: Disposal::Closed,
            } => Some(Self::Close(hook)),
            HookEvent::Disposed {
                by: Disposal::Dropped,
            } => Some(Self::Drop(hook)),
            HookEvent::Received { .. } | HookEvent::Expired => None,
        }
    }

    const fn of_wait(wait: WaitId, event: WaitEvent) -> Option<Self> {
        match event {
            WaitEvent::Created { .. } => Some(Self::Wait(wait)),
            WaitEvent::Cancelled => Some(Self::GiveUp(wait)),
            WaitEvent::Completed => None,
        }
    }
}

/// True where the log's record is what this command leaves. Both have the same [`Key`], and an id is
/// derived from kind, place and name; what is left to compare is what the id does not cover.
/// Payloads, times and drawn tokens are never compared.
pub(super) fn agree(command: &EventKind, record: &EventKind) -> bool {
    match command.subject() {
        Subject::Run(asked) => ends_agree(asked, record),
        Subject::Step(_, StepEvent::Created { name, child, .. }) => {
            steps_agree(name, child, record)
        }
        Subject::Hook(_, asked) => hooks_agree(asked, record),
        Subject::Step(
            _,
            StepEvent::Started { .. }
            | StepEvent::Completed { .. }
            | StepEvent::Failed { .. }
            | StepEvent::Retrying { .. },
        )
        | Subject::Wait(
            _,
            WaitEvent::Created { .. } | WaitEvent::Completed | WaitEvent::Cancelled,
        ) => true,
    }
}

/// A child run is not a step of the same name, nor one that was let go of the same as one that is
/// waited for. Which run it is, the record says.
fn steps_agree(name: &str, child: Option<Child>, record: &EventKind) -> bool {
    let EventKind::StepCreated {
        name: recorded,
        child: was,
        ..
    } = record
    else {
        return false;
    };
    let detached = |child: Child| child.detached;
    recorded == name && was.map(detached) == child.map(detached)
}

/// How a run ends is compared: an error in the log is not a value in the code.
fn ends_agree(asked: RunEvent<'_>, record: &EventKind) -> bool {
    match asked {
        RunEvent::Completed { .. } => matches!(record, EventKind::RunCompleted { .. }),
        RunEvent::Failed { .. } => matches!(record, EventKind::RunFailed { .. }),
        RunEvent::Cancelled { .. } => matches!(record, EventKind::RunCancelled { .. }),
        RunEvent::Continued => matches!(record, EventKind::RunContinued { .. }),
        RunEvent::Created(_)
        | RunEvent::Started
        | RunEvent::CancelRequested { .. }
        | RunEvent::AttrSet { .. }
        | RunEvent::PatchMarked { .. } => true,
    }
}

fn hooks_agree(asked: HookEvent<'_>, record: &EventKind) -> bool {
    match asked {
        HookEvent::Created {
            token,
            chosen,
            is_webhook,
            ..
        } => match record.subject() {
            Subject::Hook(
                _,
                HookEvent::Created {
                    token: recorded,
                    chosen: was_chosen,
                    is_webhook: was_webhook,
                    ..
                },
            ) => {
                chosen == was_chosen && is_webhook == was_webhook && (!chosen || token == recorded)
            }
            Subject::Hook(_, HookEvent::Conflict { token: wanted, .. }) => {
                !chosen || token == wanted
            }
            Subject::Hook(
                _,
                HookEvent::Received { .. } | HookEvent::Disposed { .. } | HookEvent::Expired,
            )
            | Subject::Run(_)
            | Subject::Step(..)
            | Subject::Wait(..) => false,
        },
        HookEvent::Disposed { .. }
        | HookEvent::Received { .. }
        | HookEvent::Conflict { .. }
        | HookEvent::Expired => true,
    }
}

/// What a workflow asks of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRequest {
    /// The token: chosen by the code, or drawn for this attempt to register.
    pub token: Token,
    /// True where the code chose it.
    pub chosen: bool,
    /// What shall be known about it.
    pub metadata: Option<Payload>,
    /// True where the public webhook route may reach it.
    pub is_webhook: bool,
    /// How long it takes payloads, from its registration.
    pub expires_in: Option<Duration>,
}

impl HookRequest {
    pub(super) fn record(self, hook: HookId, now: Timestamp) -> EventKind {
        EventKind::HookCreated {
            hook,
            token: self.token,
            chosen: self.chosen,
            metadata: self.metadata,
            is_webhook: self.is_webhook,
            expires_at: self.expires_in.map(|span| now.after(span)),
        }
    }
}

pub(super) const fn disposed(hook: HookId, by: Disposal) -> EventKind {
    EventKind::HookDisposed { hook, by }
}
