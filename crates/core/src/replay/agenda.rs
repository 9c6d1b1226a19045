//! What the machine tells its driver: where it stands, and what must be done.

use super::attributes::Attributes;
use super::command::Key;
use super::divergence::Divergence;
use super::machine::{Machine, Phase};
use super::steps::OpenStep;
use crate::entity::Entities;
use crate::event::{Correlation, EventKind, Position, Taken};
use crate::id::StepId;
use crate::time::Timestamp;

impl Machine {
    /// The last event that was fed.
    pub const fn fed(&self) -> Position {
        self.fed
    }

    /// The last event that a worker wrote: what the next append builds on.
    pub const fn worker_position(&self) -> Position {
        self.worker
    }

    /// What the log folds into, without what has come to its end and is of no more interest.
    pub const fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The error that stands, if any.
    pub fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_deref()
    }

    /// The records to append: one for each command that the log does not know, in order of issue.
    pub fn records(&self) -> impl Iterator<Item = &EventKind> {
        self.pairing.records()
    }

    /// How many [records](Self::records) there are.
    pub fn records_len(&self) -> usize {
        self.pairing.len()
    }

    /// How many commands the workflow has issued. One that the log knows counts like any other, so
    /// that whoever counts comes to the same in every replay.
    pub const fn commands(&self) -> u64 {
        self.pairing.commands()
    }

    /// Counts of payloads taken that no append of the worker has recorded.
    pub fn taken(&self) -> Vec<Taken> {
        self.unrecorded().collect()
    }

    /// [The same](Self::taken), one by one.
    pub fn unrecorded(&self) -> impl Iterator<Item = Taken> {
        self.hooks.unrecorded()
    }

    /// What falls due by itself at or before `now`: waits to complete, hooks to expire. What the
    /// workflow has given up is not among it, even before its record is appended.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = Correlation> {
        self.deadlines.due(now)
    }

    /// The earliest time at which something falls due by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.deadlines.next()
    }

    /// The steps called since the last time this was asked, in order of the calls, without those
    /// that have ended since or are not [wanted](Self::wants) any more.
    pub fn take_fresh_steps(&mut self) -> Vec<OpenStep> {
        let fresh = self.steps.take_fresh();
        fresh
            .into_iter()
            .filter(|step| self.wants(*step))
            .filter_map(|step| self.open_step(step))
            .collect()
    }

    /// Every step that has not ended and that is [wanted](Self::wants), but for child runs: what a
    /// worker that takes the run over must see to.
    pub fn open_steps(&mut self) -> Vec<OpenStep> {
        self.steps.forget_fresh();
        let open = self.entities.open_steps();
        let recorded = open.filter(|step| step.child.is_none());
        let recorded = recorded.map(OpenStep::recorded);
        let issued = self.pairing.records().filter_map(OpenStep::issued);
        let open = recorded.chain(issued);
        open.filter(|step| self.wants(step.id)).collect()
    }

    /// True once the log holds the run's end.
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// True once the workflow asks for nothing more: its body returned, or was dropped to cancel it,
    /// and its undo calls have ended.
    pub fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Finished | Phase::Ended)
    }

    /// True while the workflow has begun and not finished: while its body, its shields or its undo
    /// calls go on.
    pub fn is_under_way(&self) -> bool {
        match self.phase {
            Phase::Running | Phase::Cancelling | Phase::Undoing => true,
            Phase::Pending | Phase::Finished | Phase::Ended => false,
        }
    }

    /// True once the workflow's body is done.
    pub(super) const fn is_body_done(&self) -> bool {
        match self.phase {
            Phase::Undoing | Phase::Finished | Phase::Ended => true,
            Phase::Pending | Phase::Running | Phase::Cancelling => false,
        }
    }

    /// True while the workflow's body may be polled.
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// True while the run has at least one reason to go on some day: an open step (a running child
    /// is one), a live hook, a pending wait, or a command whose record is on its way.
    pub fn has_open_reason(&self) -> bool {
        self.pairing.len() > 0
            || self.entities.open_steps().next().is_some()
            || self.entities.live_hooks().next().is_some()
            || self.entities.pending_waits().next().is_some()
    }

    /// Roughly what the machine holds in memory beside itself, in bytes, once it has let go of what it
    /// can ([`Self::shrink_to_fit`]).
    pub fn weight(&self) -> usize {
        let attributes = (self.attributes.as_deref()).map_or(0, Attributes::weight);
        let calls = self.pairing.weight() + self.steps.weight() + attributes;
        let waits = self.waits.weight() + self.deadlines.weight() + self.clean_up.weight();
        self.entities.weight() + self.hooks.weight() + calls + waits
    }

    /// Lets go of memory that holds nothing, for a workflow that may wait for long.
    pub fn shrink_to_fit(&mut self) {
        self.pairing.shrink_to_fit();
        self.steps.shrink_to_fit();
        if let Some(attributes) = &mut self.attributes {
            attributes.shrink_to_fit();
        }
        self.hooks.shrink_to_fit();
        self.clean_up.shrink_to_fit();
    }

    fn open_step(&self, step: StepId) -> Option<OpenStep> {
        if let Some(record) = self.pairing.pending(&Key::Step(step)) {
            return OpenStep::issued(record);
        }
        let step = self.entities.steps().get(&step)?;
        Some(OpenStep::recorded(step))
    }
}
