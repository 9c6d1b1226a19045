//! Commands: what workflow code asks for, and how each meets its record.

use std::time::Duration;

use crate::event::{Disposal, EventKind, Failure, FailureKind};
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
    Disposal(HookId),
    Wait(WaitId),
    GiveUp(WaitId),
    Attributes(StepId),
    Patch(String),
    End,
}

impl Key {
    /// The key of a record; none for events that no command leaves.
    pub(super) fn of(kind: &EventKind) -> Option<Self> {
        match kind {
            EventKind::StepCreated { step, .. } => Some(Self::Step(*step)),
            EventKind::HookCreated { hook, .. } | EventKind::HookConflict { hook, .. } => {
                Some(Self::Hook(*hook))
            }
            EventKind::HookDisposed { hook, .. } => Some(Self::Disposal(*hook)),
            EventKind::WaitCreated { wait, .. } => Some(Self::Wait(*wait)),
            EventKind::WaitCancelled { wait } => Some(Self::GiveUp(*wait)),
            EventKind::AttrSet { call, .. } => Some(Self::Attributes(*call)),
            EventKind::PatchMarked { patch } => Some(Self::Patch(patch.clone())),
            EventKind::RunCompleted { .. }
            | EventKind::RunFailed { .. }
            | EventKind::RunCancelled { .. }
            | EventKind::RunContinued { .. } => Some(Self::End),
            EventKind::RunCreated { .. }
            | EventKind::RunStarted
            | EventKind::RunCancelRequested { .. }
            | EventKind::StepStarted { .. }
            | EventKind::StepCompleted { .. }
            | EventKind::StepFailed { .. }
            | EventKind::StepRetrying { .. }
            | EventKind::HookReceived { .. }
            | EventKind::HookExpired { .. }
            | EventKind::WaitCompleted { .. } => None,
        }
    }
}

/// A command that has been issued and whose record has not come by.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) key: Key,
    pub(super) record: EventKind,
}

/// True where the log's record is what this command leaves. The key says what both are about, and
/// an id is derived from kind, place and name; what is left to compare is what the id does not
/// cover. Payloads, times and drawn tokens are never compared.
pub(super) fn agree(command: &EventKind, record: &EventKind) -> bool {
    match (command, record) {
        (EventKind::StepCreated { name, .. }, EventKind::StepCreated { name: recorded, .. }) => {
            name == recorded
        }
        (
            EventKind::HookCreated {
                token,
                chosen,
                is_webhook,
                ..
            },
            EventKind::HookCreated {
                token: recorded,
                chosen: was_chosen,
                is_webhook: was_webhook,
                ..
            },
        ) => chosen == was_chosen && is_webhook == was_webhook && (!chosen || token == recorded),
        (EventKind::HookDisposed { by, .. }, EventKind::HookDisposed { by: recorded, .. }) => {
            by == recorded
        }
        (
            EventKind::HookCreated { token, chosen, .. },
            EventKind::HookConflict {
                token: recorded, ..
            },
        ) => !chosen || token == recorded,
        _ => Key::of(command) == Key::of(record),
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

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It returned a value.
    Completed(Payload),
    /// It failed for good.
    Failed {
        /// The last attempt's error.
        error: Failure,
        /// Why there is no further attempt.
        kind: FailureKind,
        /// How many attempts began.
        attempts: u32,
    },
}

pub(super) const fn disposed(hook: HookId, by: Disposal) -> EventKind {
    EventKind::HookDisposed { hook, by }
}
