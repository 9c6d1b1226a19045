//! Who holds which token, while the events of one append are taken in order.
//!
//! A hook holds its token from the event that registers it to the event that ends it or its run.
//! What an append leaves is what holds after its last event, so a hook that an append both
//! registers and ends never holds its token in a row, and the place of each event decides which of
//! two hooks is in the other's way. This module must not know who asks.

use std::collections::BTreeMap;

use rewake_core::event::Taken;
use rewake_core::id::{HookId, RunId};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::rows::{Rows, Write};
use crate::error::StoreError;
use crate::row::{RunRow, ScopeId, TokenRow};

/// The tokens that one append is about.
#[derive(Debug)]
pub(super) struct Tokens {
    scope: ScopeId,
    run: RunId,
    at: Timestamp,
    held: BTreeMap<Token, Held>,
}

#[derive(Debug)]
struct Held {
    /// By whom before the append.
    stored: Option<Box<TokenRow>>,
    /// By whom after the events taken so far.
    now: Option<Box<TokenRow>>,
}

/// A live hook that holds the token which an event wants.
#[derive(Debug)]
pub(super) struct InTheWay {
    pub(super) run: RunId,
    pub(super) hook: HookId,
    pub(super) token: Token,
    /// True where its time has run out, so that whoever wants the token must expire it first: two
    /// runs are never changed in one transaction.
    pub(super) overdue: bool,
}

impl Tokens {
    /// None yet; they are looked up as events name them.
    pub(super) const fn new(scope: ScopeId, run: RunId, at: Timestamp) -> Self {
        Self {
            scope,
            run,
            at,
            held: BTreeMap::new(),
        }
    }

    /// Looks up who holds a token.
    pub(super) fn look_up(
        &mut self,
        rows: &mut impl Rows,
        token: &Token,
    ) -> Result<(), StoreError> {
        if !self.held.contains_key(token) {
            let stored = rows.token(self.scope, token)?.map(Box::new);
            let now = stored.clone();
            self.held.insert(token.clone(), Held { stored, now });
        }
        Ok(())
    }

    /// Gives a token to a hook, where it is free.
    pub(super) fn register(&mut self, wanted: Box<TokenRow>) -> Result<(), InTheWay> {
        let at = self.at;
        let held = self.held.get_mut(&wanted.token);
        let held = held.expect("the token was looked up");
        if let Some(holder) = &held.now {
            // One that this very append registers is not stored, so nobody could expire it.
            let stored = held.stored.as_ref().map(|stored| stored.hook);
            return Err(InTheWay {
                run: holder.run,
                hook: holder.hook,
                token: wanted.token,
                overdue: stored == Some(holder.hook) && is_overdue(holder, at),
            });
        }
        held.now = Some(wanted);
        Ok(())
    }

    /// True where nobody holds a token that was looked up.
    pub(super) fn is_free(&self, token: &Token) -> bool {
        self.held.get(token).is_some_and(|held| held.now.is_none())
    }

    /// A live hook of this run.
    pub(super) fn of_hook(&mut self, hook: HookId) -> Option<&mut TokenRow> {
        let run = self.run;
        let mut held = self
            .held
            .values_mut()
            .filter_map(|held| held.now.as_deref_mut());
        held.find(|held| held.run == run && held.hook == hook)
    }

    /// Frees those tokens of this run that `ends` picks. Others may hold one that was named: its
    /// hook here was in conflict, or expired before and the token passed on.
    pub(super) fn end(&mut self, ends: impl Fn(&TokenRow) -> bool) -> Vec<TokenRow> {
        let run = self.run;
        let held = self.held.values_mut();
        held.filter_map(|held| held.now.take_if(|now| now.run == run && ends(now)))
            .map(|ended| *ended)
            .collect()
    }

    /// The rows that must change for what now holds.
    pub(super) fn writes(self) -> impl Iterator<Item = Write> {
        let scope = self.scope;
        let changed = |(_, held): &(Token, Held)| held.stored != held.now;
        let changed = self.held.into_iter().filter(changed);
        changed.map(move |(token, held)| match held.now {
            Some(now) => Write::Token(now),
            None => Write::Release(scope, token),
        })
    }
}

/// True once a hook takes nothing more, as soon as somebody says so in its log.
pub(super) fn is_overdue(hook: &TokenRow, at: Timestamp) -> bool {
    hook.expires_at.is_some_and(|expiry| expiry <= at)
}

/// Counts a payload for a live hook, in both rows. From its first payload on, the run's row says
/// how many the hook's workflow has taken; when the hook ends, it no longer does.
pub(super) fn count(row: &mut RunRow, hook: &mut TokenRow, bytes: u64) {
    hook.received += 1;
    hook.received_bytes += bytes;
    if row.taken.iter().all(|taken| taken.hook != hook.hook) {
        row.taken.push(nothing_taken(hook.hook));
    }
}

/// What was taken from a hook of which nobody has said anything.
pub(super) const fn nothing_taken(hook: HookId) -> Taken {
    Taken {
        hook,
        count: 0,
        bytes: 0,
    }
}
