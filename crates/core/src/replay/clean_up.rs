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
    /// In a box while there are shields or undo calls, or have been since the run rested last.
    kept: Option<Box<Kept>>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    /// How many shields are in progress.
    shields: usize,
    /// Open steps that were called or awaited inside a shield.
    shielded: BTreeSet<StepId>,
    /// Undo calls that have not run, the newest last.
    undos: Vec<Undo>,
    /// The undo call that runs.
    current: Option<Current>,
    /// The record that ends the run once the undo calls have.
    end: Option<Box<EventKind>>,
    /// What bounds the part that goes on.
    deadline: Option<WaitId>,
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
            kept: None,
        }
    }
}

impl CleanUp {
    pub(super) fn is_deadline(&self, wait: WaitId) -> bool {
        self.kept.as_ref().and_then(|kept| kept.deadline) == Some(wait)
    }

    /// A step has ended; true where it was the undo call that runs.
    pub(super) fn end_step(&mut self, step: StepId) -> bool {
        let Some(kept) = &mut self.kept else {
            return false;
        };
        kept.shielded.remove(&step);
        let ended = kept.current.take_if(|current| current.step == step);
        ended.is_some()
    }

    /// Roughly what all of it holds in memory, in bytes, apart from the arguments of undo calls and
    /// from what can be let go of.
    pub(super) fn weight(&self) -> usize {
        let kept = self.kept.as_deref().filter(|kept| !kept.is_idle());
        kept.map_or(0, |kept| {
            let end = kept.end.as_ref().map_or(0, |_| size_of::<EventKind>());
            let undos = kept.undos.capacity() * size_of::<Undo>();
            size_of::<Kept>() + heap::set(&kept.shielded) + undos + end
        })
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.kept.take_if(|kept| kept.is_idle());
        if let Some(kept) = &mut self.kept {
            heap::shrink_set(&mut kept.shielded);
        }
    }

    fn kept_mut(&mut self) -> &mut Kept {
        self.kept.get_or_insert_default()
    }

    fn shields(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.shields)
    }

    /// True while an undo call runs.
    fn is_undoing(&self) -> bool {
        self.kept
            .as_ref()
            .is_some_and(|kept| kept.current.is_some())
    }

    /// No shield is waited for any more.
    fn give_up_shields(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.shields = 0;
        }
    }
}

impl Kept {
    /// True where all of it is as if there had never been a shield or an undo call.
    fn is_idle(&self) -> bool {
        let Self {
            shields,
            shielded,
            undos,
            current,
            end,
            deadline,
            cut_short,
        } = self;
        let is_shielding = *shields > 0 || !shielded.is_empty() || *cut_short;
        let is_undoing = !undos.is_empty() || current.is_some() || end.is_some();
        !is_shielding && !is_undoing && deadline.is_none()
    }
}

impl Machine {
    /// Says how long each part of a cancellation may take: its shields, then its undo calls. It counts
    /// for what is recorded from here on; a replay takes the time from the record.
    pub const fn limit_clean_up(&mut self, span: Duration) {
        self.clean_up.span = span;
    }

    /// A shield is in progress: it was polled outside of any other, and has not ended.
    pub fn enter_shield(&mut self) {
        self.clean_up.kept_mut().shields += 1;
    }

    /// A shield has ended, or was dropped by the workflow.
    pub fn leave_shield(&mut self) {
        if let Some(kept) = &mut self.clean_up.kept {
            kept.shields = kept.shields.saturating_sub(1);
        }
    }

    /// True while the workflow is being cancelled and a shield is in progress.
    pub fn is_shielding(&self) -> bool {
        self.phase == Phase::Cancelling && self.clean_up.shields() > 0
    }

    /// Notes that an open step is called or awaited inside a shield: a cancellation leaves it alone.
    pub fn shield_step(&mut self, step: StepId) {
        self.clean_up.kept_mut().shielded.insert(step);
    }

    /// Registers a call of a step that runs if the workflow fails or is cancelled. It leaves no record
    /// before that.
    pub fn undo_step(&mut self, step: StepId, name: String, input: Payload, options: StepOptions) {
        self.clean_up.kept_mut().undos.push(Undo {
            step,
            name,
            input,
            options,
        });
    }

    /// False for a step whose result nobody waits for any more because its workflow failed, or is
    /// cancelled: no attempt of it begins, and one under way is told.
    pub fn wants(&self, step: StepId) -> bool {
        let kept = self.clean_up.kept.as_deref();
        match self.phase {
            Phase::Pending | Phase::Running => true,
            Phase::Cancelling => {
                let is_shielded = kept.is_some_and(|kept| kept.shielded.contains(&step));
                is_shielded && !self.steps.is_abandoned(step)
            }
            Phase::Undoing => {
                let current = kept.and_then(|kept| kept.current.as_ref());
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
        self.clean_up.give_up_shields();
        let kept = self.clean_up.kept.as_ref();
        let is_cut_short = kept.is_some_and(|kept| kept.cut_short);
        let reason = self
            .entities
            .run()
            .and_then(|run| run.cancel_reason.clone());
        self.undo_and_finish(EventKind::RunCancelled {
            reason: if is_cut_short {
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
        if self.clean_up.shields() > 0 {
            let [shields, _] = WaitId::clean_up(self.run);
            self.set_deadline(shields);
        }
    }

    pub(super) fn undo_and_finish(&mut self, end: EventKind) {
        let kept = self.clean_up.kept.as_ref();
        if kept.is_none_or(|kept| kept.undos.is_empty()) || self.is_finished() {
            return self.finish_with(end);
        }
        self.phase = Phase::Undoing;
        if matches!(end, EventKind::RunCancelled { .. }) {
            let [_, undos] = WaitId::clean_up(self.run);
            self.set_deadline(undos);
        }
        self.clean_up.kept_mut().end = Some(Box::new(end));
        self.go_on_undoing();
    }

    /// Issues the next undo call once the one before has ended, and the end after the last.
    pub(super) fn go_on_undoing(&mut self) {
        while self.phase == Phase::Undoing && !self.clean_up.is_undoing() {
            let Some(undo) = self.clean_up.kept_mut().undos.pop() else {
                self.lift_deadline();
                if let Some(end) = self.clean_up.kept_mut().end.take() {
                    self.finish_with(*end);
                }
                return;
            };
            self.clean_up.kept_mut().current = Some(Current {
                step: undo.step,
                name: undo.name.clone(),
            });
            self.create_step(undo.step, undo.name, undo.input, undo.options);
            // Its end may stand in the log before the place where the code asks for it now.
            if self.take_step(undo.step).is_some() {
                self.clean_up.kept_mut().current = None;
            }
        }
    }

    /// The time for the part under way has run out: what is left of it is given up.
    pub(super) fn stop_cleaning_up(&mut self) -> Fed {
        let kept = self.clean_up.kept_mut();
        kept.deadline = None;
        match self.phase {
            Phase::Cancelling => {
                kept.cut_short = true;
                kept.shields = 0;
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
        let kept = self.clean_up.kept_mut();
        let (undone, end) = (std::mem::take(&mut kept.undos), kept.end.take());
        let current = kept.current.take().map(|current| current.name);
        let waiting = undone.into_iter().rev().map(|undo| undo.name);
        let left: Vec<String> = current.into_iter().chain(waiting).collect();
        let what = format!(
            "{} of its undo calls had not ended: {}",
            left.len(),
            named(&left)
        );
        match end.map(|end| *end) {
            Some(EventKind::RunCancelled { reason, terminated }) => {
                let reason = Some(because(reason, &what));
                self.finish_with(EventKind::RunCancelled { reason, terminated });
            }
            Some(end) => self.finish_with(end),
            None => {}
        }
    }

    fn set_deadline(&mut self, wait: WaitId) {
        self.clean_up.kept_mut().deadline = Some(wait);
        self.create_wait(wait, self.now.after(self.clean_up.span));
    }

    fn lift_deadline(&mut self) {
        let kept = self.clean_up.kept.as_mut();
        let Some(wait) = kept.and_then(|kept| kept.deadline.take()) else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Place, RunId};

    #[test]
    fn once_no_shield_is_left_and_nothing_is_to_be_undone_its_room_is_let_go_of() {
        let mut clean_up = CleanUp::default();
        clean_up.kept_mut().shields += 1;
        clean_up.shrink_to_fit();
        assert_eq!(clean_up.shields(), 1);
        assert!(clean_up.weight() >= size_of::<Kept>());
        clean_up.give_up_shields();
        clean_up.shrink_to_fit();
        assert!(clean_up.kept.is_none());
        assert_eq!(clean_up.weight(), 0);
    }

    #[test]
    fn nothing_that_is_still_needed_is_let_go_of() {
        let [wait, _] = WaitId::clean_up(run());
        let needed: [fn(&mut Kept, WaitId); 7] = [
            |kept, _| kept.shields = 1,
            |kept, _| kept.shielded = BTreeSet::from([step()]),
            |kept, _| kept.undos.push(undo()),
            |kept, _| {
                kept.current = Some(Current {
                    step: step(),
                    name: "refund".to_owned(),
                });
            },
            |kept, _| kept.end = Some(Box::new(EventKind::RunStarted)),
            |kept, wait| kept.deadline = Some(wait),
            |kept, _| kept.cut_short = true,
        ];
        for (n, need) in needed.into_iter().enumerate() {
            let mut clean_up = CleanUp::default();
            need(clean_up.kept_mut(), wait);
            clean_up.shrink_to_fit();
            assert!(clean_up.kept.is_some(), "the field at place {n}");
        }
    }

    fn run() -> RunId {
        RunId::mint(Timestamp::from_millis(5), 7)
    }

    fn step() -> StepId {
        StepId::derive(run(), Place(1), "charge")
    }

    fn undo() -> Undo {
        Undo {
            step: step(),
            name: "refund".to_owned(),
            input: Payload::from_bytes([]),
            options: StepOptions::default(),
        }
    }
}
