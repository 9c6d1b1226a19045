//! The machine: one run's log and one run's workflow, kept in step.
//!
//! Its methods come in four kinds, and each kind has its file. `feed` and `rest` (here, with
//! `feed.rs`) are the driver's: what the log says. `records`, `taken`, `next_due`, `open_steps` and
//! their like (`agenda.rs`) are what the driver must do. The plain verbs `create_step`, `close_hook`,
//! … are the workflow's commands, and `take_*` hands completions to it (`calls.rs`).

use super::attributes::Attributes;
use super::clean_up::CleanUp;
use super::deadlines::Deadlines;
use super::divergence::{Divergence, Expected, Found};
use super::entropy::Entropy;
use super::feed::Fed;
use super::hooks::Hooks;
use super::pairing::Pairing;
use super::steps::Steps;
use crate::entity::Entities;
use crate::event::{EventRef, HookEvent, Position, Subject, Taken, WaitEvent, Writer};
use crate::few::Few;
use crate::id::{RunId, WaitId};
use crate::time::Timestamp;
use crate::transition::IllegalTransition;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The workflow has not begun.
    Pending,
    /// It runs or waits.
    Running,
    /// It is being cancelled: the shields in progress go on, then its body is dropped.
    Cancelling,
    /// Its body is done, it failed or was cancelled, and its undo calls run.
    Undoing,
    /// It has come to its end; the record may still be on its way.
    Finished,
    /// The log holds the end.
    Ended,
}

/// The machine. See the [module](super) for how it is driven.
#[derive(Debug)]
pub struct Machine {
    pub(super) run: RunId,
    pub(super) entities: Entities,
    pub(super) fed: Position,
    pub(super) worker: Position,
    pub(super) now: Timestamp,
    pub(super) phase: Phase,
    pub(super) places: u64,
    pub(super) entropy: Entropy,
    pub(super) pairing: Pairing,
    pub(super) steps: Steps,
    /// In a box, for few workflows set any.
    pub(super) attributes: Option<Box<Attributes>>,
    pub(super) hooks: Hooks,
    /// Waits that have ended, and whose end has not been taken.
    pub(super) waits: Few<WaitId, ()>,
    pub(super) deadlines: Deadlines,
    pub(super) clean_up: CleanUp,
    pub(super) divergence: Option<Box<Divergence>>,
    /// What the end of the log left unclaimed; told when the driver asks.
    pub(super) parted_at_end: Option<Box<Divergence>>,
}

impl Machine {
    /// A machine for `run`, before the first event of its log.
    pub fn new(run: RunId) -> Self {
        Self {
            run,
            entities: Entities::new(run),
            fed: Position::START,
            worker: Position::START,
            now: Timestamp::ZERO,
            phase: Phase::Pending,
            places: 0,
            entropy: Entropy::new([0; 16]),
            pairing: Pairing::default(),
            steps: Steps::default(),
            attributes: None,
            hooks: Hooks::default(),
            waits: Few::new(),
            deadlines: Deadlines::default(),
            clean_up: CleanUp::default(),
            divergence: None,
            parted_at_end: None,
        }
    }

    /// Takes the next event of the log.
    ///
    /// # Errors
    ///
    /// [`Divergence`] where the log is out of order or illegal, or where a record does not agree
    /// with the command it meets. The first error stands: from then on every call gives it again.
    pub fn feed(&mut self, event: EventRef<'_>) -> Result<Fed, Divergence> {
        self.standing()?;
        let fed = self.take_in(event);
        self.latch(fed)
    }

    /// Notes what a frame of the log that begins at `first` says about payloads taken, once its events
    /// are fed: whatever was taken, was taken before the workflow asked for what the frame records.
    pub fn feed_taken(&mut self, first: Position, taken: &[Taken]) {
        self.entities.apply_taken(taken);
        self.hooks.record_taken(taken, first);
    }

    /// Checks, with the workflow at rest at the end of its log, that every record was claimed, and
    /// that no payload which the log knows as read was left unread.
    ///
    /// # Errors
    ///
    /// [`Divergence::Parted`] where that is not so; it stands like an error of [`Self::feed`].
    pub fn rest(&mut self) -> Result<(), Divergence> {
        self.standing()?;
        let at_end = self.parted_at_end.take().map(|parted| *parted);
        let unclaimed = at_end.or_else(|| self.pairing.parted());
        // Whichever comes first in the log is where the two part; the rest follows from it.
        let parted = unclaimed.into_iter().chain(self.overread());
        let first = parted.min_by_key(Divergence::position);
        self.latch(first.map_or(Ok(()), Err))
    }

    fn take_in(&mut self, event: EventRef<'_>) -> Result<Fed, Divergence> {
        if event.position != self.fed.next() {
            return Err(Divergence::Gap {
                expected: self.fed.next(),
                found: event.position,
            });
        }
        if let Err(reason) = self.entities.apply(event) {
            return Err(self.refused(event, reason));
        }
        self.fed = event.position;
        if event.writer == Writer::Worker {
            self.worker = event.position;
        }
        let fed = self.react(event)?;
        if let Some(id) = event.kind.correlation_id() {
            self.settle(id);
        }
        if fed != Fed::Nothing {
            self.now = event.at;
        }
        Ok(fed)
    }

    /// The report of an event that must not follow. The view of what has ended by itself is let go
    /// of once the workflow has; where the log then has the workflow giving it up before, the log is
    /// sound, and it is the workflow that has parted from it.
    fn refused(&self, event: EventRef<'_>, reason: IllegalTransition) -> Divergence {
        let given_up_otherwise = matches!(
            (event.kind.subject(), &reason),
            (
                Subject::Hook(_, HookEvent::Disposed { .. }),
                IllegalTransition::HookMissing { .. }
            ) | (
                Subject::Wait(_, WaitEvent::Cancelled),
                IllegalTransition::WaitMissing { .. }
            )
        );
        let position = event.position;
        if !given_up_otherwise {
            return Divergence::Illegal { position, reason };
        }
        let expected = Expected::new(event.kind);
        let here = || Divergence::parted(position, expected, self.found(position));
        self.pairing.parted().unwrap_or_else(here)
    }

    fn overread(&self) -> Option<Divergence> {
        let overread = self.hooks.overread()?;
        let hook = self.entities.hooks().get(&overread.hook).map(Box::as_ref);
        let (position, expected) = (overread.position, Expected::read(overread.count, hook));
        let found = self.found(position);
        Some(Divergence::parted(position, expected, found))
    }

    fn found(&self, position: Position) -> Found {
        match self.pairing.found(position) {
            Found::Nothing if self.is_body_done() => Found::Finished,
            found => found,
        }
    }

    fn standing(&self) -> Result<(), Divergence> {
        self.divergence().cloned().map_or(Ok(()), Err)
    }

    /// The first error stands.
    pub(super) fn latch<T>(&mut self, result: Result<T, Divergence>) -> Result<T, Divergence> {
        if let Err(divergence) = &result {
            self.divergence
                .get_or_insert_with(|| Box::new(divergence.clone()));
        }
        result
    }
}
