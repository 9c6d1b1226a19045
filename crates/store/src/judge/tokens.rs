//! Who holds which token, while the events of one append are taken in order.
//!
//! A hook holds its token from the event that registers it to the event that ends it or its run.
//! What an append leaves is what holds after its last event, so a hook that an append both
//! registers and ends never holds its token in a row, and the place of each event decides which of
//! two hooks is in the other's way. This module must not know who asks.

use std::collections::BTreeMap;

use rewake_core::event::{EventKind, Taken};
use rewake_core::id::{HookId, RunId};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::effect;
use super::rows::{Rows, Write};
use crate::error::StoreError;
use crate::row::{RunRow, ScopeId, TokenRow};

/// The tokens that one append is about.
#[derive(Debug)]
pub(super) struct Tokens {
    run: RunId,
    at: Timestamp,
    held: BTreeMap<Token, Held>,
}

#[derive(Debug)]
struct Held {
    /// By whom before the append.
    stored: Option<TokenRow>,
    /// By whom after the events taken so far.
    now: Option<TokenRow>,
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
    /// Looks up who holds `named` and the tokens that `events` want.
    pub(super) fn look_up(
        rows: &mut impl Rows,
        (scope, run): (ScopeId, RunId),
        at: Timestamp,
        (events, named): (&[EventKind], &[Token]),
    ) -> Result<Self, StoreError> {
        let mut held = BTreeMap::new();
        for token in events.iter().filter_map(wanted).chain(named) {
            if !held.contains_key(token) {
                let stored = rows.token(scope, token)?;
                let now = stored.clone();
                held.insert(token.clone(), Held { stored, now });
            }
        }
        Ok(Self { run, at, held })
    }

    /// Takes one event: registers, counts for, or ends what it is about, here and in the run's row.
    pub(super) fn take(&mut self, row: &mut RunRow, kind: &EventKind) -> Result<(), InTheWay> {
        if let Some(token) = effect::token_row(row.scope, self.run, self.at, kind) {
            return self.register(row, token);
        }
        if let EventKind::HookReceived { hook, payload, .. } = kind {
            for held in self.held_by(*hook) {
                count(row, held, payload.len() as u64);
            }
        }
        if let EventKind::HookDisposed { hook, .. } | EventKind::HookExpired { hook } = kind {
            self.end(row, |held| held.hook == *hook);
        }
        if kind.is_terminal() {
            self.end(row, |_| true);
        }
        Ok(())
    }

    fn register(&mut self, row: &mut RunRow, wanted: TokenRow) -> Result<(), InTheWay> {
        let at = self.at;
        let held = self.held.get_mut(&wanted.token);
        let held = held.expect("the tokens of all events were looked up");
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
        row.live_hooks += 1;
        Ok(())
    }

    fn held_by(&mut self, hook: HookId) -> impl Iterator<Item = &mut TokenRow> {
        let run = self.run;
        let held = self.held.values_mut().filter_map(|held| held.now.as_mut());
        held.filter(move |held| held.run == run && held.hook == hook)
    }

    /// Frees those tokens of this run that `ends` picks. Others may hold one that was named: its
    /// hook here was in conflict, or expired before and the token passed on.
    fn end(&mut self, row: &mut RunRow, ends: impl Fn(&TokenRow) -> bool) {
        for held in self.held.values_mut() {
            let ended = held.now.take_if(|now| now.run == self.run && ends(now));
            if let Some(ended) = ended {
                row.live_hooks = row.live_hooks.saturating_sub(1);
                row.taken.retain(|taken| taken.hook != ended.hook);
            }
        }
    }

    /// The rows that must change for what now holds.
    pub(super) fn writes(self, scope: ScopeId) -> impl Iterator<Item = Write> {
        let changed = |(_, held): &(Token, Held)| held.stored != held.now;
        let changed = self.held.into_iter().filter(changed);
        changed.map(move |(token, held)| match held.now {
            Some(now) => Write::Token(Box::new(now)),
            None => Write::Release(scope, token),
        })
    }
}

fn wanted(kind: &EventKind) -> Option<&Token> {
    if let EventKind::HookCreated { token, .. } = kind {
        return Some(token);
    }
    None
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
        row.taken.push(Taken {
            hook: hook.hook,
            count: 0,
            bytes: 0,
        });
    }
}
