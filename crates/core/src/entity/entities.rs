//! Everything one log folds into, together.

use super::{Hook, Run, Step, StepStatus, Wait, WaitStatus};
use crate::event::{Correlation, EventRef, Frame, Parent, Subject, Taken};
use crate::few::Few;
use crate::id::{HookId, RunId, StepId, WaitId};
use crate::time::Timestamp;
use crate::transition::{self, IllegalTransition};

/// A run with its steps, hooks and waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entities {
    id: RunId,
    run: Option<Run>,
    steps: Few<StepId, Box<Step>>,
    hooks: Few<HookId, Box<Hook>>,
    waits: Few<WaitId, Box<Wait>>,
    /// The arguments of all steps, in bytes.
    step_inputs: usize,
}

impl Entities {
    /// The run `id` before its first event.
    pub const fn new(id: RunId) -> Self {
        Self {
            id,
            run: None,
            steps: Few::new(),
            hooks: Few::new(),
            waits: Few::new(),
            step_inputs: 0,
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
            Subject::Run(_) => match &mut self.run {
                Some(run) => transition::change_run(run, event)?,
                None => self.run = Some(transition::run(self.id, None, event)?),
            },
            Subject::Step(id, _) => {
                transition::require_open(self.run.as_ref(), event)?;
                match self.steps.get_mut(&id) {
                    Some(step) => transition::change_step(step, event)?,
                    None => self.put_step(transition::step(None, event)?),
                }
            }
            Subject::Hook(id, _) => {
                transition::require_open(self.run.as_ref(), event)?;
                if let Some(hook) = self.hooks.get_mut(&id) {
                    transition::change_hook(hook, event)?;
                } else {
                    let hook = transition::hook(None, event)?;
                    self.hooks.insert(id, Box::new(hook));
                }
            }
            Subject::Wait(id, _) => {
                transition::require_open(self.run.as_ref(), event)?;
                let known = self.waits.get(&id).map(Box::as_ref);
                let wait = transition::wait(known, event)?;
                self.waits.insert(id, Box::new(wait));
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
        self.put_step(step);
    }

    fn put_step(&mut self, step: Step) {
        if let Some(known) = self.steps.get_mut(&step.id) {
            **known = step;
        } else {
            self.step_inputs += step.input.len();
            self.steps.insert(step.id, Box::new(step));
        }
    }

    /// Drops the views of a step, hook or wait that has come to its end. What is left is what can
    /// still change; a machine that runs for years stays as small as what it waits for.
    pub fn forget_ended(&mut self, id: Correlation) {
        match id {
            Correlation::Step(id) => {
                if (self.steps.get(&id)).is_some_and(|step| step.ended_at.is_some())
                    && let Some(step) = self.steps.remove(&id)
                {
                    self.step_inputs -= step.input.len();
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

    /// Roughly what the views hold in memory, in bytes, and the workflow's own copy of its arguments.
    pub(crate) fn weight(&self) -> usize {
        let maps = self.steps.weight() + self.hooks.weight() + self.waits.weight();
        let steps = self.steps.len() * size_of::<Step>() + self.step_inputs;
        let hooks = self.hooks.len() * size_of::<Hook>();
        let waits = self.waits.len() * size_of::<Wait>();
        let run = self.run.as_ref().map_or(0, |run| {
            let parent = run.parent.as_ref().map_or(0, |_| size_of::<Parent>());
            2 * run.input.len() + parent
        });
        maps + steps + hooks + waits + run
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
    pub const fn steps(&self) -> &Few<StepId, Box<Step>> {
        &self.steps
    }

    /// The hooks, by id.
    pub const fn hooks(&self) -> &Few<HookId, Box<Hook>> {
        &self.hooks
    }

    /// The waits, by id.
    pub const fn waits(&self) -> &Few<WaitId, Box<Wait>> {
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
        let hooks = self.hooks.values().map(Box::as_ref);
        hooks.filter(|hook| hook.is_live())
    }

    /// The waits whose time has not come.
    pub fn pending_waits(&self) -> impl Iterator<Item = &Wait> {
        let waits = self.waits.values().map(Box::as_ref);
        waits.filter(|wait| wait.status == WaitStatus::Waiting)
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
            .map(Box::as_ref)
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
