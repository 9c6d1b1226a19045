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

/// The calls of steps that somebody still wants to hear of.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
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
        self.fresh.insert(step, self.calls);
        self.calls += 1;
    }

    pub(super) fn end(&mut self, step: StepId, outcome: StepOutcome) {
        self.fresh.remove(&step);
        if !self.abandoned.remove(&step) {
            self.outcomes.insert(step, outcome);
        }
    }

    pub(super) fn take(&mut self, step: StepId) -> Option<StepOutcome> {
        self.outcomes.remove(&step)
    }

    pub(super) fn abandon(&mut self, step: StepId) {
        let begun = self.begun.remove(&step);
        let is_over = begun.is_some_and(|child| child.detached);
        if self.outcomes.remove(&step).is_none() && !is_over {
            self.abandoned.insert(step);
        }
    }

    /// True where the call of an open step was dropped.
    pub(super) fn is_abandoned(&self, step: StepId) -> bool {
        self.abandoned.contains(&step)
    }

    pub(super) fn begin(&mut self, step: StepId, child: Child) {
        if !self.abandoned.contains(&step) {
            self.begun.insert(step, child);
        } else if child.detached {
            // Nothing more will come of it.
            self.abandoned.remove(&step);
        }
    }

    pub(super) fn take_begun(&mut self, step: StepId) -> Option<Child> {
        self.begun.remove(&step)
    }

    /// The steps called since the last time this was asked, in order.
    pub(super) fn take_fresh(&mut self) -> Vec<StepId> {
        if self.fresh.is_empty() {
            return Vec::new();
        }
        let fresh = std::mem::take(&mut self.fresh);
        let mut fresh: Vec<_> = fresh.iter().map(|(step, call)| (*call, *step)).collect();
        fresh.sort_unstable();
        fresh.into_iter().map(|(_, step)| step).collect()
    }

    pub(super) fn forget_fresh(&mut self) {
        self.fresh.clear();
    }

    /// Roughly what all of it holds in memory, in bytes, apart from results.
    pub(super) fn weight(&self) -> usize {
        let calls = self.fresh.weight() + heap::map(&self.begun);
        self.outcomes.weight() + heap::set(&self.abandoned) + calls
    }

    pub(super) fn shrink_to_fit(&mut self) {
        heap::shrink_set(&mut self.abandoned);
        heap::shrink_map(&mut self.begun);
    }
}
