//! What becomes of payloads that nobody read.

use std::collections::BTreeMap;
use std::time::Duration;

use rewake_core::entity::{Accepted, Fate, Inboxes};
use rewake_core::event::{Frame, Position, Writer};
use rewake_core::token::Token;

use super::arrival::Arrival;
use super::begin::begin;
use super::forget;
use super::rows::Rows;
use super::taking::Taking;
use crate::error::StoreError;
use crate::row::{Left, MailRow};

/// How long the mailbox keeps a payload whose run could not be started, because the token belongs to
/// somebody else by now: as long as it keeps any.
const KEPT: Duration = Duration::from_hours(90 * 24);

impl<R: Rows> Taking<'_, R> {
    /// Deals with what hooks hold whose receivers are gone. The log is read only where some of it may
    /// not stay.
    pub(super) fn hand_on(&mut self, mut left: Vec<Left>) -> Result<(), StoreError> {
        left.retain(Left::is_owed);
        if left.is_empty() {
            return Ok(());
        }
        if self.row.fated == 0 {
            self.row.unread += left.iter().map(Left::owed).sum::<u64>();
            return Ok(());
        }
        let inboxes = self.inboxes()?;
        let mut by_token = BTreeMap::<Token, Vec<Accepted>>::new();
        for Left { token, taken, .. } in left {
            let unread = inboxes.beyond(taken.hook, taken.count);
            by_token.entry(token).or_default().extend_from_slice(unread);
        }
        for (token, mut unread) in by_token {
            unread.sort_by_key(|accepted| accepted.position);
            self.hand_on_all(&token, unread)?;
        }
        Ok(())
    }

    /// What the hooks of the run have accepted, with this request's events as far as they are taken.
    fn inboxes(&mut self) -> Result<Inboxes, StoreError> {
        let mut frames = self.rows.frames(self.author.run, Position::START)?;
        frames.push(Frame {
            first: self.row.head.next(),
            at: self.author.at,
            id: self.author.id,
            writer: Writer::Outsider,
            events: self.events.clone(),
            taken: Vec::new(),
        });
        Ok(Inboxes::fold(&frames))
    }

    fn hand_on_all(&mut self, token: &Token, unread: Vec<Accepted>) -> Result<(), StoreError> {
        let at = self.author.at;
        let (stay, go): (Vec<_>, Vec<_>) = unread
            .into_iter()
            .partition(|accepted| accepted.fate(at) == Fate::Stays);
        self.row.unread += stay.len() as u64;
        if go.is_empty() {
            return Ok(());
        }
        self.tokens.look_up(self.rows, token)?;
        if self.tokens.is_free(token)
            && let Some(first) = self.first_that_starts(&go)?
        {
            return self.start(token, first, &go);
        }
        go.into_iter()
            .try_for_each(|accepted| self.keep(token, accepted))
    }

    /// The first payload whose run is not there yet.
    fn first_that_starts(&mut self, unread: &[Accepted]) -> Result<Option<usize>, StoreError> {
        for (place, accepted) in unread.iter().enumerate() {
            let Some(named) = &accepted.fallback else {
                continue;
            };
            if self.rows.look_at(named.run, |_| ())?.is_none() {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Starts the run that one of the payloads names; all of them go into it, in their order, behind
    /// what the mailbox keeps.
    fn start(
        &mut self,
        token: &Token,
        first: usize,
        unread: &[Accepted],
    ) -> Result<(), StoreError> {
        let (scope, at) = (self.row.scope, self.author.at);
        let Some(named) = &unread[first].fallback else {
            return Ok(());
        };
        let kept = self.mail.take_out(self.rows, (scope, token), at)?;
        let mut arrivals: Vec<_> = kept.iter().cloned().map(Arrival::from).collect();
        let behind = arrivals.len();
        arrivals.extend(unread.iter().map(Arrival::from));
        arrivals[behind + first].fallback = None;
        let mut begun = begin((scope, token), named, arrivals, false, at);
        let bound = forget::bind(self.rows, &mut begun.hook, &kept)?;
        self.keys.extend(bound);
        let registered = self.tokens.register(Box::new(begun.hook.clone()));
        debug_assert!(registered.is_ok(), "the token is free");
        self.begun.push(begun);
        Ok(())
    }

    fn keep(&mut self, token: &Token, accepted: Accepted) -> Result<(), StoreError> {
        let until = accepted.kept_until;
        let mail = MailRow {
            scope: self.row.scope,
            token: token.clone(),
            event: accepted.event,
            payload: accepted.payload,
            key: accepted.key,
            fallback: accepted.fallback,
            posted_at: accepted.at,
            until: until.unwrap_or_else(|| self.author.at.after(KEPT)),
        };
        self.keys.extend(forget::unbind(self.rows, &mail)?);
        self.mail.put(self.rows, mail)
    }
}

impl Left {
    /// How many payloads were not taken.
    pub(super) const fn owed(&self) -> u64 {
        self.received.saturating_sub(self.taken.count)
    }

    pub(super) const fn is_owed(&self) -> bool {
        self.owed() > 0
    }
}
