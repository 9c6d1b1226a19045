//! Cleaning up: what a workflow that is cancelled, or has failed, still does before its run ends.
//!
//! ```text
//! cancel requested ─▶ shields go on ─▶ body dropped ─▶ undo calls, newest first ─▶ run_cancelled
//!                     the body returned an error    ─▶ undo calls, newest first ─▶ run_failed
//! ```
//!
//! All of it follows from the log. The two parts of a cancellation are each bounded by a wait in the
//! log, so that every replay agrees on where the time ran out: no clock is asked. Undo calls are
//! issued by the machine itself, one after the other, for there is no body left that could.

use std::collections::BTreeSet;
use std::time::Duration;

use super::command::Key;
use super::feed::Fed;
use super::machine::{Machine, Phase};
use crate::event::{Correlation, EventKind, StepOptions};
use crate::heap;
use crate::id::{StepId, WaitId};
use crate::payload::Payload;
use crate::time::Timestamp;

/// How long each part of a cancellation may take, unless the driver says otherwise.
const SPAN: Duration = Duration::from_mins(10);
/// So many of the undo calls that are left are named.
const NAMED: usize = 10;

#[derive(Clone, Debug)]
pub(super) struct CleanUp {
    span: Duration,
    /// How many shields are in progress.
    shields: usize,
    /// Open steps that were called or awaited inside a shield.
    shielded: BTreeSet<StepId>,
    /// Undo calls that have not run, the newest last.
    undos: Vec<Undo>,
    // In boxes, for few runs have these.
    /// The undo call that runs.
    current: Option<Box<Current>>,
    /// The record that ends the run once the undo calls have.
    end: Option<Box<EventKind>>,
    /// What bounds the part that goes on.
    deadline: Option<Box<WaitId>>,
    /// The shields did not end in time.
    cut_short: bool,
}

#[derive(Clone, Debug)]
struct Undo {
    step: StepId,
    name: String,
    input: Payload,
    options: StepOptions,
}

#[derive(Clone, Debug)]
struct Current {
    step: StepId,
    name: String,
}

impl Default for CleanUp {
    fn default() -> Self {
        Self {
            span: SPAN,
            shields: 0,
            shielded: BTreeSet::new(),
            undos: Vec::new(),
            current: None,
            end: None,
            deadline: None,
            cut_short: false,
        }
    }
}

impl CleanUp {
    pub(super) fn is_deadline(&self, wait: WaitId) -> bool {
        self.deadline.as_deref() == Some(&wait)
    }

    /// A step has ended; true where it was the undo call that runs.
    pub(super) fn end_step(&mut self, step: StepId) -> bool {
        self.shielded.remove(&step);
        let ended = self.current.take_if(|current| current.step == step);
        ended.is_some()
    }

    /// Roughly what all of it holds in memory, in bytes, apart from the arguments of undo calls.
    pub(super) fn weight(&self) -> usize {
        let current = self.current.as_ref().map_or(0, |_| size_of::<Current>());
        let end = self.end.as_ref().map_or(0, |_| size_of::<EventKind>());
        let undos = self.undos.capacity() * size_of::<Undo>();
        heap::set(&self.shielded) + undos + current + end
    }

    pub(super) fn shrink_to_fit(&mut self) {
        heap::shrink_set(&mut self.shielded);
    }
}

impl Machine {
    /// Says how long each part of a cancellation may take: its shields, then its undo calls. It counts
    /// for what is recorded from here on; a replay takes the time from the record.
    pub const fn limit_clean_up(&mut self, span: Duration) {
        self.clean_up.span = span;
    }

    /// A shield is in progress: it was polled outside of any other, and has not ended.
    pub const fn enter_shield(&mut self) {
        self.clean_up.shields += 1;
    }

    /// A shield has ended, or was dropped by the workflow.
    pub const fn leave_shield(&mut self) {
        self.clean_up.shields = self.clean_up.shields.saturating_sub(1);
    }

    /// True while the workflow is being cancelled and a shield is in progress.
    pub fn is_shielding(&self) -> bool {
        self.phase == Phase::Cancelling && self.clean_up.shields > 0
    }

    /// Notes that an open step is called or awaited inside a shield: a cancellation leaves it alone.
    pub fn shield_step(&mut self, step: StepId) {
        self.clean_up.shielded.insert(step);
    }

    /// Registers a call of a step that runs if the workflow fails or is cancelled. It leaves no record
    /// before that.
    pub fn undo_step(&mut self, step: StepId, name: String, input: Payload, options: StepOptions) {
        self.clean_up.undos.push(Undo {
            step,
            name,
            input,
            options,
        });
    }

    /// False for a step whose result nobody waits for any more because its workflow failed, or is
    /// cancelled: no attempt of it begins, and one under way is told.
    pub fn wants(&self, step: StepId) -> bool {
        match self.phase {
            Phase::Pending | Phase::Running => true,
            Phase::Cancelling => {
                self.clean_up.shielded.contains(&step) && !self.steps.is_abandoned(step)
            }
            Phase::Undoing => {
                let current = self.clean_up.current.as_ref();
                current.is_some_and(|current| current.step == step)
            }
            Phase::Finished | Phase::Ended => false,
        }
    }

    /// True where there may be steps that nobody [wants](Self::wants).
    pub fn calls_off(&self) -> bool {
        !matches!(self.phase, Phase::Pending | Phase::Running)
    }

    /// Goes on with a cancellation once the shields are done and the body was dropped: the undo
    /// calls, and then the end.
    pub fn finish_cancelled(&mut self) {
        if self.phase != Phase::Cancelling {
            return;
        }
        self.lift_deadline();
        self.clean_up.shields = 0;
        let reason = self
            .entities
            .run()
            .and_then(|run| run.cancel_reason.clone());
        self.undo_and_finish(EventKind::RunCancelled {
            reason: if self.clean_up.cut_short {
                Some(because(reason, "not every shield had ended"))
            } else {
                reason
            },
            terminated: false,
        });
    }

    pub(super) fn begin_cancelling(&mut self, at: Timestamp) {
        self.phase = Phase::Cancelling;
        self.now = at;
        if self.clean_up.shields > 0 {
            let [shields, _] = WaitId::clean_up(self.run);
            self.set_deadline(shields);
        }
    }

    pub(super) fn undo_and_finish(&mut self, end: EventKind) {
        if self.clean_up.undos.is_empty() || self.is_finished() {
            return self.finish_with(end);
        }
        self.phase = Phase::Undoing;
        if matches!(end, EventKind::RunCancelled { .. }) {
            let [_, undos] = WaitId::clean_up(self.run);
            self.set_deadline(undos);
        }
        self.clean_up.end = Some(Box::new(end));
        self.go_on_undoing();
    }

    /// Issues the next undo call once the one before has ended, and the end after the last.
    pub(super) fn go_on_undoing(&mut self) {
        while self.phase == Phase::Undoing && self.clean_up.current.is_none() {
            let Some(undo) = self.clean_up.undos.pop() else {
                self.lift_deadline();
                if let Some(end) = self.clean_up.end.take() {
                    self.finish_with(*end);
                }
                return;
            };
            self.clean_up.current = Some(Box::new(Current {
                step: undo.step,
                name: undo.name.clone(),
            }));
            self.create_step(undo.step, undo.name, undo.input, undo.options);
            // Its end may stand in the log before the place where the code asks for it now.
            if self.take_step(undo.step).is_some() {
                self.clean_up.current = None;
            }
        }
    }

    /// The time for the part under way has run out: what is left of it is given up.
    pub(super) fn stop_cleaning_up(&mut self) -> Fed {
        self.clean_up.deadline = None;
        match self.phase {
            Phase::Cancelling => {
                self.clean_up.cut_short = true;
                self.clean_up.shields = 0;
                Fed::Cancel
            }
            Phase::Undoing => {
                self.give_up_undoing();
                Fed::Nothing
            }
            Phase::Pending | Phase::Running | Phase::Finished | Phase::Ended => Fed::Nothing,
        }
    }

    fn give_up_undoing(&mut self) {
        let undone = std::mem::take(&mut self.clean_up.undos);
        let current = self.clean_up.current.take().map(|current| current.name);
        let waiting = undone.into_iter().rev().map(|undo| undo.name);
        let left: Vec<String> = current.into_iter().chain(waiting).collect();
        let what = format!(
            "{} of its undo calls had not ended: {}",
            left.len(),
            named(&left)
        );
        match self.clean_up.end.take().map(|end| *end) {
            Some(EventKind::RunCancelled { reason, terminated }) => {
                let reason = Some(because(reason, &what));
                self.finish_with(EventKind::RunCancelled { reason, terminated });
            }
            Some(end) => self.finish_with(end),
            None => {}
        }
    }

    fn set_deadline(&mut self, wait: WaitId) {
        self.clean_up.deadline = Some(Box::new(wait));
        self.create_wait(wait, self.now.after(self.clean_up.span));
    }

    fn lift_deadline(&mut self) {
        let Some(wait) = self.clean_up.deadline.take().map(|wait| *wait) else {
            return;
        };
        self.deadlines.lift(Correlation::Wait(wait));
        self.issue(Key::GiveUp(wait), EventKind::WaitCancelled { wait });
    }
}

/// The reason of whoever asked, and what was left undone.
fn because(reason: Option<String>, left: &str) -> String {
    let left = format!("when the time for cleaning up was over, {left}");
    match reason {
        Some(reason) => format!("{reason} ({left})"),
        None => left,
    }
}

/// Names for a person who has to do by hand what was left.
fn named(left: &[String]) -> String {
    let shown: Vec<String> = left
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    let shown = shown.join(", ");
    match left.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
