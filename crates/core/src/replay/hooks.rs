//! Hooks as the workflow sees them: registrations that wait to be taken, and inboxes.

use std::collections::BTreeMap;

use super::inbox::{End, Inbox, Received};
use crate::event::{Position, Taken};
use crate::few::Few;
use crate::heap;
use crate::id::{HookId, RunId};
use crate::payload::Payload;
use crate::token::Token;

/// How the registration of a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// The hook takes payloads under this token.
    Registered {
        /// Its id; another than asked for where a waiting hook was adopted.
        hook: HookId,
        /// Its address.
        token: Token,
    },
    /// Another live hook holds the token.
    Conflict {
        /// The token both wanted.
        token: Token,
        /// The run that holds it.
        owner: RunId,
    },
}

/// More payloads of a hook were read when the log was written than this time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overread {
    pub(super) hook: HookId,
    pub(super) count: u64,
    pub(super) position: Position,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Hooks {
    /// In boxes, for they do not stay.
    registrations: Few<HookId, Box<Registration>>,
    inboxes: Few<HookId, Inbox>,
    /// Hooks that the log began with and that no call has adopted.
    adoptable: BTreeMap<Token, HookId>,
    /// Closed, and the news not taken.
    closed: Few<HookId, ()>,
    /// Those whose count of payloads taken is not the one that the log knows.
    uneven: Few<HookId, ()>,
    weight: usize,
}

impl Hooks {
    /// A hook that stands in the log before the workflow asks for it.
    pub(super) fn await_adoption(&mut self, hook: HookId, token: &Token) {
        self.inboxes.insert(hook, Inbox::new());
        self.adoptable.insert(token.clone(), hook);
    }

    /// Gives the hook that waits under `token` to the call that asks for it as `asked`.
    pub(super) fn adopt(&mut self, asked: HookId, token: &Token) -> bool {
        let Some(hook) = self.adoptable.remove(token) else {
            return false;
        };
        let registered = Registration::Registered {
            hook,
            token: token.clone(),
        };
        self.registrations.insert(asked, Box::new(registered));
        true
    }

    pub(super) fn register(&mut self, hook: HookId, token: &Token) {
        self.inboxes.insert(hook, Inbox::new());
        let registered = Registration::Registered {
            hook,
            token: token.clone(),
        };
        self.registrations.insert(hook, Box::new(registered));
    }

    pub(super) fn refuse(&mut self, hook: HookId, token: &Token, owner: RunId) {
        let conflict = Registration::Conflict {
            token: token.clone(),
            owner,
        };
        self.registrations.insert(hook, Box::new(conflict));
    }

    pub(super) fn take_registration(&mut self, asked: HookId) -> Option<Registration> {
        self.registrations.remove(&asked).map(|taken| *taken)
    }

    pub(super) fn put(&mut self, hook: HookId, payload: Payload) {
        self.change(hook, |inbox| inbox.put(payload));
    }

    pub(super) fn take(&mut self, hook: HookId) -> Option<Received> {
        self.change(hook, Inbox::take).flatten()
    }

    pub(super) fn peek(&self, hook: HookId) -> Option<Received> {
        self.inboxes.get(&hook)?.peek()
    }

    pub(super) fn expire(&mut self, hook: HookId) {
        self.change(hook, |inbox| inbox.end(End::Expired));
    }

    /// The record of a `close()` stands.
    pub(super) fn close(&mut self, hook: HookId) {
        self.change(hook, |inbox| inbox.end(End::Closed));
        if self.is_held(hook) {
            self.closed.add(hook);
        }
    }

    /// A hook that has ended by itself needs no closing.
    pub(super) fn count_as_closed(&mut self, hook: HookId) {
        self.closed.add(hook);
    }

    pub(super) fn take_closed(&mut self, hook: HookId) -> bool {
        self.closed.take(&hook)
    }

    /// The receiver is gone: what the hook holds is left unread.
    pub(super) fn drop_receiver(&mut self, hook: HookId) {
        self.closed.take(&hook);
        self.change(hook, |inbox| inbox.end(End::Dropped));
    }

    /// True while a receiver of the hook exists, or may be made.
    pub(super) fn is_held(&self, hook: HookId) -> bool {
        self.registrations.contains_key(&hook)
            || self.inboxes.get(&hook).is_some_and(Inbox::is_held)
    }

    /// True where the hook takes no more payloads, as far as the log says.
    pub(super) fn has_ended(&self, hook: HookId) -> bool {
        self.inboxes.get(&hook).is_none_or(Inbox::has_ended)
    }

    /// True where the hook holds payloads that its receiver may still take.
    pub(super) fn holds_payloads(&self, hook: HookId) -> bool {
        self.inboxes
            .get(&hook)
            .is_some_and(|inbox| !inbox.is_empty())
    }

    /// Notes what a frame that begins at `position` says about payloads taken.
    pub(super) fn record_taken(&mut self, taken: &[Taken], position: Position) {
        for entry in taken {
            self.change(entry.hook, |inbox| inbox.record(entry.count, position));
        }
    }

    /// Counts of payloads taken that the log does not know.
    pub(super) fn unrecorded(&self) -> impl Iterator<Item = Taken> {
        self.uneven
            .keys()
            .filter_map(|hook| self.inboxes.get(hook)?.unrecorded(*hook))
    }

    /// The hook of which the log knows more payloads taken than were taken this time.
    pub(super) fn overread(&self) -> Option<Overread> {
        self.uneven
            .keys()
            .filter_map(|hook| self.inboxes.get(hook)?.overread(*hook))
            .min_by_key(|overread| overread.position)
    }

    /// Roughly what all of it holds in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        let boxes = self.registrations.len() * size_of::<Registration>();
        let waiting = boxes + self.registrations.weight() + heap::map(&self.adoptable);
        let marks = self.closed.weight() + self.uneven.weight();
        self.weight + self.inboxes.weight() + waiting + marks
    }

    pub(super) fn shrink_to_fit(&mut self) {
        heap::shrink_map(&mut self.adoptable);
    }

    /// Changes an inbox, and keeps what is known about all inboxes true.
    fn change<T>(&mut self, hook: HookId, change: impl FnOnce(&mut Inbox) -> T) -> Option<T> {
        let inbox = self.inboxes.get_mut(&hook)?;
        let before = inbox.weight();
        let changed = change(inbox);
        self.weight = self.weight - before + inbox.weight();
        if inbox.is_even() {
            self.uneven.take(&hook);
        } else {
            self.uneven.add(hook);
        }
        if inbox.is_spent() {
            self.inboxes.remove(&hook);
        }
        Some(changed)
    }
}
