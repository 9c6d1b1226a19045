//! Steps as the machine sees them: what the driver must run, and how they ended.

use std::collections::{BTreeMap, BTreeSet};

use crate::entity::{Step, StepStatus};
use crate::event::{Child, EventKind, Failure, FailureKind, StepEvent, StepOptions, Subject};
use crate::few::Few;
use crate::heap;
use crate::id::StepId;
use crate::payload::Payload;
use crate::time::Timestamp;

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It returned a value.
    Completed(Payload),
    /// It failed for good.
    Failed {
        /// The last attempt's error.
        error: Failure,
        /// Why there is no further attempt.
        kind: FailureKind,
        /// How many attempts began.
        attempts: u32,
    },
}

/// A step that has not ended: what the driver needs to run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenStep {
    /// Its id.
    pub id: StepId,
    /// The name of its function.
    pub name: String,
    /// Its arguments.
    pub input: Payload,
    /// How it is tried.
    pub options: StepOptions,
    /// How many attempts have begun, as the log says.
    pub attempt: u32,
    /// True where the last of them has neither ended nor failed in the log.
    pub under_way: bool,
    /// When the next attempt may begin, where the log names a time.
    pub retry_at: Option<Timestamp>,
    /// True where the log knows the step.
    pub recorded: bool,
}

impl OpenStep {
    pub(super) fn recorded(step: &Step) -> Self {
        Self {
            id: step.id,
            name: step.name.clone(),
            input: step.input.clone(),
            options: step.options,
            attempt: step.attempt,
            under_way: step.status == StepStatus::Running,
            retry_at: step.retry_at,
            recorded: true,
        }
    }

    /// The step that a pending command will record; none for commands about anything else, and for
    /// child runs, which nobody runs as a step.
    pub(super) fn issued(record: &EventKind) -> Option<Self> {
        let Subject::Step(
            id,
            StepEvent::Created {
                name,
                input,
                options,
                child: None,
            },
        ) = record.subject()
        else {
            return None;
        };
        Some(Self {
            id,
            name: name.to_owned(),
            input: input.clone(),
            options,
            attempt: 0,
            under_way: false,
            retry_at: None,
            recorded: false,
        })
    }
}

/// The calls of steps that somebody still wants to hear of. In a box while there are any, or have
/// been since the run rested last.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps(Option<Box<Kept>>);

#[derive(Clone, Debug, Default)]
struct Kept {
    outcomes: Few<StepId, StepOutcome>,
    /// Called since the driver asked last, in order of the calls.
    fresh: Few<StepId, u64>,
    calls: u64,
    /// Whose call was dropped: their outcome is recorded and ignored.
    abandoned: BTreeSet<StepId>,
    /// Child runs that exist, and of which somebody still wants to hear.
    begun: BTreeMap<StepId, Child>,
}

impl Steps {
    pub(super) fn call(&mut self, step: StepId) {
        let kept = self.0.get_or_insert_default();
        kept.fresh.insert(step, kept.calls);
        kept.calls += 1;
    }

    pub(super) fn end(&mut self, step: StepId, outcome: StepOutcome) {
        let kept = self.0.get_or_insert_default();
        kept.fresh.remove(&step);
        if !kept.abandoned.remove(&step) {
            kept.outcomes.insert(step, outcome);
        }
    }

    pub(super) fn take(&mut self, step: StepId) -> Option<StepOutcome> {
        self.0.as_mut()?.outcomes.remove(&step)
    }

    pub(super) fn abandon(&mut self, step: StepId) {
        let kept = self.0.get_or_insert_default();
        let begun = kept.begun.remove(&step);
        let is_over = begun.is_some_and(|child| child.detached);
        if kept.outcomes.remove(&step).is_none() && !is_over {
            kept.abandoned.insert(step);
        }
    }

    /// True where the call of an open step was dropped.
    pub(super) fn is_abandoned(&self, step: StepId) -> bool {
        let kept = self.0.as_ref();
        kept.is_some_and(|kept| kept.abandoned.contains(&step))
    }

    pub(super) fn begin(&mut self, step: StepId, child: Child) {
        let kept = self.0.get_or_insert_default();
        if !kept.abandoned.contains(&step) {
            kept.begun.insert(step, child);
        } else if child.detached {
            // Nothing more will come of it.
            kept.abandoned.remove(&step);
        }
    }

    pub(super) fn take_begun(&mut self, step: StepId) -> Option<Child> {
        self.0.as_mut()?.begun.remove(&step)
    }

    /// The steps called since the last time this was asked, in order.
    pub(super) fn take_fresh(&mut self) -> Vec<StepId> {
        let Some(kept) = self.0.as_mut().filter(|kept| !kept.fresh.is_empty()) else {
            return Vec::new();
        };
        let fresh = std::mem::take(&mut kept.fresh);
        let mut fresh: Vec<_> = fresh.iter().map(|(step, call)| (*call, *step)).collect();
        fresh.sort_unstable();
        fresh.into_iter().map(|(_, step)| step).collect()
    }

    pub(super) fn forget_fresh(&mut self) {
        if let Some(kept) = &mut self.0 {
            kept.fresh.clear();
        }
    }

    /// Roughly what all of it holds in memory, in bytes, apart from results and from what can be let
    /// go of.
    pub(super) fn weight(&self) -> usize {
        let kept = self.0.as_deref().filter(|kept| !kept.is_idle());
        kept.map_or(0, |kept| {
            let calls = kept.fresh.weight() + heap::map(&kept.begun);
            let ended = kept.outcomes.weight() + heap::set(&kept.abandoned);
            size_of::<Kept>() + calls + ended
        })
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.0.take_if(|kept| kept.is_idle());
        if let Some(kept) = &mut self.0 {
            heap::shrink_set(&mut kept.abandoned);
            heap::shrink_map(&mut kept.begun);
        }
    }
}

impl Kept {
    /// True where nobody wants to hear of any step. Then the order of the calls before is over, too.
    fn is_idle(&self) -> bool {
        let Self {
            outcomes,
            fresh,
            calls: _,
            abandoned,
            begun,
        } = self;
        outcomes.is_empty() && fresh.is_empty() && abandoned.is_empty() && begun.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Place, RunId};

    fn step(place: u64) -> StepId {
        let run = RunId::mint(Timestamp::from_millis(5), 7);
        StepId::derive(run, Place(place), "charge")
    }

    #[test]
    fn once_nobody_wants_to_hear_of_any_step_its_room_is_let_go_of() {
        let mut steps = Steps::default();
        for place in [1, 2] {
            steps.call(step(place));
        }
        assert_eq!(steps.take_fresh(), [step(1), step(2)]);
        steps.end(step(1), StepOutcome::Completed(Payload::from_bytes([])));
        steps.shrink_to_fit();
        assert!(steps.weight() >= size_of::<Kept>());
        assert!(steps.take(step(1)).is_some());
        steps.shrink_to_fit();
        assert!(steps.0.is_none());
        assert_eq!(steps.weight(), 0);

        steps.call(step(4));
        steps.call(step(3));
        assert_eq!(steps.take_fresh(), [step(4), step(3)]);
    }
}
