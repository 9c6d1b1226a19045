//! A payload on its way into a log: from a caller, from the mailbox, or from a hook that left it.

use rewake_core::entity::Accepted;
use rewake_core::event::{EventKind, Fallback};
use rewake_core::id::HookId;
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;

use crate::row::{MailRow, RunRow};

/// A payload, with what is to become of it if it is left unread.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) payload: Payload,
    pub(super) key: Option<String>,
    pub(super) fallback: Option<Box<Fallback>>,
    pub(super) kept_until: Option<Timestamp>,
}

impl Arrival {
    /// The event that it is in the log of a hook's run.
    pub(super) fn event(self, hook: HookId) -> EventKind {
        EventKind::HookReceived {
            hook,
            payload: self.payload,
            key: self.key,
            fallback: self.fallback,
            kept_until: self.kept_until,
        }
    }
}

impl From<&Accepted> for Arrival {
    fn from(accepted: &Accepted) -> Self {
        Self {
            payload: accepted.payload.clone(),
            key: accepted.key.clone(),
            fallback: accepted.fallback.clone(),
            kept_until: accepted.kept_until,
        }
    }
}

impl From<MailRow> for Arrival {
    fn from(mail: MailRow) -> Self {
        // One that starts a run if it is left unread need not come back here.
        let kept_until = mail.fallback.is_none().then_some(mail.until);
        Self {
            payload: mail.payload,
            key: mail.key,
            fallback: mail.fallback,
            kept_until,
        }
    }
}

/// Notes in the run's row that it has accepted a payload which may not stay there.
pub(super) const fn note_fate(row: &mut RunRow, kind: &EventKind) {
    if let EventKind::HookReceived {
        fallback,
        kept_until,
        ..
    } = kind
        && (fallback.is_some() || kept_until.is_some())
    {
        row.fated += 1;
    }
}
