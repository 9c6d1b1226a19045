//! Taking the events of one request in order, with all that follows from each.
//!
//! A hook that is registered gets what the mailbox keeps for its token. A hook that ends leaves what
//! was not taken from it: to its receiver while there is one, else to where each payload belongs. The
//! order of events decides: a run that an unread payload starts owns the token for those after it.

use rewake_core::event::{Disposal, EventKind, Frame, Taken, Writer};
use rewake_core::id::{EventId, HookId, RunId};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::arrival::{Arrival, note_fate};
use super::begin::Begun;
use super::mail::Mail;
use super::rows::{Rows, Write};
use super::tokens::{InTheWay, Tokens, count, nothing_taken};
use super::{effect, forget};
use crate::error::StoreError;
use crate::row::{Left, RunRow, TokenRow};

/// Who appends what, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Author<'a> {
    pub(super) run: RunId,
    /// The id of the first event.
    pub(super) id: EventId,
    pub(super) at: Timestamp,
    /// What a worker says about payloads taken; an outsider says nothing.
    pub(super) said: Option<&'a [Taken]>,
}

/// The events of one request, as far as they are taken.
#[derive(Debug)]
pub(super) struct Taking<'a, R> {
    pub(super) rows: &'a mut R,
    pub(super) author: Author<'a>,
    pub(super) row: Box<RunRow>,
    pub(super) tokens: Tokens,
    pub(super) mail: Mail,
    /// What changes about delivery keys, in this order.
    pub(super) keys: Vec<Write>,
    /// As they will be stored.
    pub(super) events: Vec<EventKind>,
    /// What an outsider's frame must say about payloads taken, because no later one will.
    told: Vec<Taken>,
    pub(super) begun: Vec<Begun>,
}

/// Why an event was not taken.
#[derive(Debug)]
pub(super) enum Stop {
    InTheWay(InTheWay),
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a request leaves, apart from the row of its run.
#[derive(Debug)]
pub(super) struct TakenIn {
    pub(super) row: Box<RunRow>,
    pub(super) frame: Option<Frame>,
    pub(super) writes: Vec<Write>,
    /// Runs that unread payloads have started.
    pub(super) started: Vec<RunId>,
}

impl<'a, R: Rows> Taking<'a, R> {
    /// Nothing taken yet; `named` are the tokens of hooks that will end.
    pub(super) fn new(
        rows: &'a mut R,
        author: Author<'a>,
        row: Box<RunRow>,
        named: &[Token],
    ) -> Result<Self, StoreError> {
        let mut tokens = Tokens::new(row.scope, author.run, author.at);
        for token in named {
            tokens.look_up(rows, token)?;
        }
        Ok(Self {
            rows,
            author,
            row,
            tokens,
            mail: Mail::default(),
            keys: Vec::new(),
            events: Vec::new(),
            told: Vec::new(),
            begun: Vec::new(),
        })
    }

    /// Takes one event: registers, counts for, or ends what it is about.
    pub(super) fn take(&mut self, kind: &EventKind) -> Result<(), Stop> {
        let Author { run, at, .. } = self.author;
        if let Some(hook) = effect::token_row(self.row.scope, run, at, kind) {
            return self.register(Box::new(hook), kind);
        }
        self.add(kind.clone());
        if let EventKind::HookDisposed { hook, by } = kind {
            self.end_hook(*hook, *by == Disposal::Dropped)?;
        }
        if let EventKind::HookExpired { hook } = kind {
            self.end_hook(*hook, false)?;
        }
        if kind.is_terminal() {
            self.end_run()?;
        }
        Ok(())
    }

    /// Adds an event that ends nothing.
    pub(super) fn add(&mut self, kind: EventKind) {
        if let EventKind::HookReceived { hook, payload, .. } = &kind
            && let Some(held) = self.tokens.of_hook(*hook)
        {
            count(&mut self.row, held, payload.len() as u64);
        }
        note_fate(&mut self.row, &kind);
        self.events.push(kind);
    }

    fn register(&mut self, mut hook: Box<TokenRow>, kind: &EventKind) -> Result<(), Stop> {
        let (id, token) = (hook.hook, hook.token.clone());
        self.tokens.look_up(self.rows, &token)?;
        let mut kept = Vec::new();
        // Nobody can have posted to a token that was drawn just now, and one that is held stays as
        // it is.
        if hook.chosen && self.tokens.is_free(&token) {
            let place = (self.row.scope, &token);
            kept = self.mail.take_out(self.rows, place, self.author.at)?;
            self.keys.extend(forget::bind(self.rows, &mut hook, &kept)?);
        }
        self.tokens.register(hook).map_err(Stop::InTheWay)?;
        self.row.live_hooks += 1;
        self.events.push(kind.clone());
        for mail in kept {
            self.add(Arrival::from(mail).event(id));
        }
        Ok(())
    }

    fn end_hook(&mut self, hook: HookId, receiver_gone: bool) -> Result<(), StoreError> {
        let ended = self.tokens.end(|held| held.hook == hook);
        self.leave(ended);
        let concerned = |left: &Left| left.taken.hook == hook;
        self.tell(concerned);
        if receiver_gone {
            let left = self.row.left.extract_if(.., |left| concerned(left));
            let left = left.collect();
            self.hand_on(left)?;
        }
        self.row.left.retain(Left::is_owed);
        Ok(())
    }

    fn end_run(&mut self) -> Result<(), StoreError> {
        let ended = self.tokens.end(|_| true);
        self.leave(ended);
        self.tell(|_| true);
        let left = std::mem::take(&mut self.row.left);
        self.hand_on(left)
    }

    /// Notes what ended hooks hold.
    fn leave(&mut self, ended: Vec<TokenRow>) {
        for hook in ended {
            self.keys.extend(forget::of_hook(&hook, self.author.at));
            let taken = self.taken_from(hook.hook);
            self.row.live_hooks = self.row.live_hooks.saturating_sub(1);
            self.row.taken.retain(|taken| taken.hook != hook.hook);
            self.row.left.push(Left {
                token: hook.token,
                received: hook.received,
                taken,
            });
        }
        for left in &mut self.row.left {
            note_taken(&mut left.taken, self.author.said.unwrap_or_default());
        }
    }

    fn taken_from(&self, hook: HookId) -> Taken {
        let known = self.row.taken.iter().find(|taken| taken.hook == hook);
        known.copied().unwrap_or_else(|| nothing_taken(hook))
    }

    /// A worker says what was taken with the very append that ends a hook. An outsider's frame says
    /// what the row knows of it and the log may not.
    fn tell(&mut self, concerned: impl Fn(&Left) -> bool) {
        if self.author.said.is_none() {
            let left = self.row.left.iter().filter(|left| concerned(left));
            let taken = left.map(|left| left.taken).filter(|taken| taken.count > 0);
            self.told.extend(taken);
        }
    }

    /// What the request leaves.
    pub(super) fn finish(mut self) -> TakenIn {
        let Author {
            run: _,
            id,
            at,
            said,
        } = self.author;
        let frame = (!self.events.is_empty()).then(|| Frame {
            first: self.row.head.next(),
            at,
            id,
            writer: said.map_or(Writer::Outsider, |_| Writer::Worker),
            events: self.events,
            taken: said.map_or(self.told, <[Taken]>::to_vec),
        });
        let scope = self.row.scope;
        let mut writes: Vec<_> = self.tokens.writes().collect();
        writes.extend(self.mail.writes(scope));
        writes.extend(self.keys);
        let started = self.begun.iter().map(|begun| begun.hook.run).collect();
        writes.extend(self.begun.into_iter().flat_map(Begun::writes));
        if let Some(frame) = &frame {
            effect::advance(&mut self.row, frame);
            writes.push(Write::frame(self.author.run, frame));
        }
        TakenIn {
            row: self.row,
            frame,
            writes,
            started,
        }
    }
}

/// Notes the latest count that a worker says.
pub(super) fn note_taken(known: &mut Taken, said: &[Taken]) {
    if let Some(said) = said.iter().find(|said| said.hook == known.hook) {
        *known = *said;
    }
}
