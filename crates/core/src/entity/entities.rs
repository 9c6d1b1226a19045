//! Everything one log folds into, together.

use std::collections::BTreeMap;

use super::{Hook, Run, Step, StepStatus, Wait, WaitStatus};
use crate::event::{Correlation, EventRef, Frame, Subject, Taken};
use crate::id::{HookId, RunId, StepId, WaitId};
use crate::time::Timestamp;
use crate::transition::{self, IllegalTransition};

/// A run with its steps, hooks and waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entities {
    id: RunId,
    run: Option<Run>,
    steps: BTreeMap<StepId, Step>,
    hooks: BTreeMap<HookId, Hook>,
    waits: BTreeMap<WaitId, Wait>,
}

impl Entities {
    /// The run `id` before its first event.
    pub const fn new(id: RunId) -> Self {
        Self {
            id,
            run: None,
            steps: BTreeMap::new(),
            hooks: BTreeMap::new(),
            waits: BTreeMap::new(),
        }
    }

    /// Folds whole frames, in the order of the log.
    ///
    /// # Errors
    ///
    /// [`IllegalTransition`] at the first event that must not follow those before it. The view then
    /// holds what was folded up to there.
    pub fn fold<'a>(
        id: RunId,
        frames: impl IntoIterator<Item = &'a Frame>,
    ) -> Result<Self, IllegalTransition> {
        let mut entities = Self::new(id);
        for frame in frames {
            entities.apply_frame(frame)?;
        }
        Ok(entities)
    }

    /// Folds one frame.
    ///
    /// # Errors
    ///
    /// [`IllegalTransition`] as for [`Self::fold`].
    pub fn apply_frame(&mut self, frame: &Frame) -> Result<(), IllegalTransition> {
        for event in frame.iter() {
            self.apply(event)?;
        }
        self.apply_taken(&frame.taken);
        Ok(())
    }

    /// Notes what a frame says about payloads taken.
    pub(crate) fn apply_taken(&mut self, taken: &[Taken]) {
        for entry in taken {
            if let Some(hook) = self.hooks.get_mut(&entry.hook) {
                hook.taken = entry.count;
            }
        }
    }

    /// Folds one event.
    ///
    /// # Errors
    ///
    /// [`IllegalTransition`] where the event must not follow those before it; the view is unchanged.
    pub fn apply(&mut self, event: EventRef<'_>) -> Result<(), IllegalTransition> {
        match event.kind.subject() {
            Subject::Run(_) => {
                self.run = Some(transition::run(self.id, self.run.as_ref(), event)?);
            }
            Subject::Step(id, _) => {
                transition::require_open(self.run.as_ref(), event)?;
                let step = transition::step(self.steps.get(&id), event)?;
                self.steps.insert(id, step);
            }
            Subject::Hook(id, _) => {
                transition::require_open(self.run.as_ref(), event)?;
                let hook = transition::hook(self.hooks.get(&id), event)?;
                self.hooks.insert(id, hook);
            }
            Subject::Wait(id, _) => {
                transition::require_open(self.run.as_ref(), event)?;
                let wait = transition::wait(self.waits.get(&id), event)?;
                self.waits.insert(id, wait);
            }
        }
        Ok(())
    }

    /// Puts a view of the run that was folded by other rules than ours.
    pub(crate) fn replace_run(&mut self, run: Run) {
        self.run = Some(run);
    }

    /// Puts a view of a step that was folded by other rules than ours.
    pub(crate) fn replace_step(&mut self, step: Step) {
        self.steps.insert(step.id, step);
    }

    /// Drops the views of a step, hook or wait that has come to its end. What is left is what can
    /// still change; a machine that runs for years stays as small as what it waits for.
    pub fn forget_ended(&mut self, id: Correlation) {
        match id {
            Correlation::Step(id) => {
                if self
                    .steps
                    .get(&id)
                    .is_some_and(|step| step.ended_at.is_some())
                {
                    self.steps.remove(&id);
                }
            }
            Correlation::Hook(id) => {
                if self.hooks.get(&id).is_some_and(|hook| !hook.is_live()) {
                    self.hooks.remove(&id);
                }
            }
            Correlation::Wait(id) => {
                if self
                    .waits
                    .get(&id)
                    .is_some_and(|wait| wait.ended_at.is_some())
                {
                    self.waits.remove(&id);
                }
            }
        }
    }

    /// The run whose log is folded.
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// The run, once its first event is folded.
    pub const fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The steps, by id.
    pub const fn steps(&self) -> &BTreeMap<StepId, Step> {
        &self.steps
    }

    /// The hooks, by id.
    pub const fn hooks(&self) -> &BTreeMap<HookId, Hook> {
        &self.hooks
    }

    /// The waits, by id.
    pub const fn waits(&self) -> &BTreeMap<WaitId, Wait> {
        &self.waits
    }

    /// True while the run exists and has not ended.
    pub fn is_live(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| !run.status.is_terminal())
    }

    /// The hooks that take payloads.
    pub fn live_hooks(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.values().filter(|hook| hook.is_live())
    }

    /// The waits whose time has not come.
    pub fn pending_waits(&self) -> impl Iterator<Item = &Wait> {
        self.waits
            .values()
            .filter(|wait| wait.status == WaitStatus::Waiting)
    }

    /// The child runs whose end the log does not hold, each with its step.
    pub fn running_children(&self) -> impl Iterator<Item = (&Step, RunId)> {
        let child = |step: &'_ Step| step.child.map(|child| child.run);
        self.open_steps()
            .filter_map(move |step| Some((step, child(step)?)))
    }

    /// The steps that have not ended.
    pub fn open_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps
            .values()
            .filter(|step| matches!(step.status, StepStatus::Pending | StepStatus::Running))
    }

    /// The earliest time at which something of the run falls due by itself: a wait, a hook's
    /// expiry, or the beginning of a run that was told to wait.
    pub fn next_due(&self) -> Option<Timestamp> {
        let run = self.run.as_ref()?;
        let begin = run.started_at.is_none().then_some(run.not_before).flatten();
        let waits = self.pending_waits().map(|wait| wait.resume_at);
        let hooks = self.live_hooks().filter_map(|hook| hook.expires_at);
        waits.chain(hooks).chain(begin).min()
    }
}
