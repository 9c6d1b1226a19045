//! What the hooks of a run have accepted, and what of it was left unread.
//!
//! Folded from whole logs, by those who end hooks and by those who ask. This module must not know
//! who holds which token.

use std::collections::BTreeMap;

use crate::event::{Disposal, EventKind, EventRef, Fallback, Frame, Position};
use crate::id::{EventId, HookId};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::token::Token;

/// A payload that a hook has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The hook.
    pub hook: HookId,
    /// Its address.
    pub token: Token,
    /// Where the payload stands in the log.
    pub position: Position,
    /// The event.
    pub event: EventId,
    /// When it came.
    pub at: Timestamp,
    /// The payload.
    pub payload: Payload,
    /// The caller's idempotency key, or the sender's delivery id.
    pub key: Option<String>,
    /// The run to start with it if it is left unread.
    pub fallback: Option<Box<Fallback>>,
    /// Until when it is kept for whoever opens the token if it is left unread.
    pub kept_until: Option<Timestamp>,
}

/// What becomes of a payload that is left unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It starts the run that it names, or follows another payload of its token into that one's.
    Starts,
    /// It returns to the mailbox.
    Returns,
    /// It stays where it is, and is listed as unread.
    Stays,
}

impl Accepted {
    /// What becomes of the payload if its receiver goes, or the run ends, at `at`.
    pub fn fate(&self, at: Timestamp) -> Fate {
        if self.fallback.is_some() {
            Fate::Starts
        } else if self.kept_until.is_some_and(|until| until > at) {
            Fate::Returns
        } else {
            Fate::Stays
        }
    }
}

/// What each hook of a run has accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inboxes {
    hooks: BTreeMap<HookId, Inbox>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inbox {
    token: Token,
    accepted: Vec<Accepted>,
    taken: u64,
    /// When its receiver went, or the run ended.
    gone_at: Option<Timestamp>,
}

impl Inboxes {
    /// Folds whole frames, in the order of the log.
    pub fn fold<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Self {
        let mut inboxes = Self::default();
        for frame in frames {
            for taken in &frame.taken {
                if let Some(inbox) = inboxes.hooks.get_mut(&taken.hook) {
                    inbox.taken = inbox.taken.max(taken.count);
                }
            }
            for event in frame.iter() {
                inboxes.apply(event);
            }
        }
        inboxes
    }

    fn apply(&mut self, event: EventRef<'_>) {
        if let EventKind::HookCreated { hook, token, .. } = event.kind {
            let inbox = Inbox {
                token: token.clone(),
                accepted: Vec::new(),
                taken: 0,
                gone_at: None,
            };
            self.hooks.insert(*hook, inbox);
        }
        if let EventKind::HookReceived {
            hook,
            payload,
            key,
            fallback,
            kept_until,
        } = event.kind
            && let Some(inbox) = self.hooks.get_mut(hook)
        {
            inbox.accepted.push(Accepted {
                hook: *hook,
                token: inbox.token.clone(),
                position: event.position,
                event: event.id,
                at: event.at,
                payload: payload.clone(),
                key: key.clone(),
                fallback: fallback.clone(),
                kept_until: *kept_until,
            });
        }
        if let EventKind::HookDisposed {
            hook,
            by: Disposal::Dropped,
        } = event.kind
            && let Some(inbox) = self.hooks.get_mut(hook)
        {
            inbox.gone_at.get_or_insert(event.at);
        }
        if event.kind.is_terminal() {
            for inbox in self.hooks.values_mut() {
                inbox.gone_at.get_or_insert(event.at);
            }
        }
    }

    /// What a hook has accepted beyond the first `taken`, in order.
    pub fn beyond(&self, hook: HookId, taken: u64) -> &[Accepted] {
        let accepted = self
            .hooks
            .get(&hook)
            .map_or(&[][..], |inbox| &inbox.accepted);
        let taken = usize::try_from(taken).unwrap_or(usize::MAX);
        accepted.get(taken..).unwrap_or_default()
    }

    /// What was left unread and went nowhere, in order of the log.
    pub fn unread(&self) -> Vec<&Accepted> {
        let mut unread = Vec::new();
        for (hook, inbox) in &self.hooks {
            let Some(gone_at) = inbox.gone_at else {
                continue;
            };
            let left = self.beyond(*hook, inbox.taken).iter();
            unread.extend(left.filter(|accepted| accepted.fate(gone_at) == Fate::Stays));
        }
        unread.sort_by_key(|accepted| accepted.position);
        unread
    }
}
