//! What each event of the log does to the machine, and what the driver must do about it.

use super::command::Key;
use super::divergence::Divergence;
use super::entropy::Entropy;
use super::machine::{Machine, Phase};
use super::steps::StepOutcome;
use crate::event::{
    Correlation, Disposal, EventRef, HookEvent, RunEvent, StepEvent, Subject, WaitEvent, Writer,
};
use crate::id::{HookId, StepId, WaitId};
use crate::time::Timestamp;

/// What the driver must do after an event was fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Fed {
    /// Nothing: the workflow has no part in the event.
    Nothing,
    /// Wake the call named, if somebody waits for it, and poll the workflow exactly once; where it is
    /// being cancelled, its shields.
    Poll(Option<Correlation>),
    /// Poll the shields in progress, and nothing else of the workflow, now and after each event
    /// that asks for a poll, for as long as [`Machine::is_shielding`]; then drop the workflow's body
    /// and call [`Machine::finish_cancelled`].
    Cancel,
}

impl Machine {
    pub(super) fn react(&mut self, event: EventRef<'_>) -> Result<Fed, Divergence> {
        match event.kind.subject() {
            Subject::Run(kind) => self.react_to_run(kind, event),
            Subject::Step(step, kind) => self.react_to_step(step, kind, event),
            Subject::Hook(hook, kind) => self.react_to_hook(hook, kind, event),
            Subject::Wait(wait, kind) => self.react_to_wait(wait, kind, event),
        }
    }

    fn react_to_run(&mut self, kind: RunEvent<'_>, event: EventRef<'_>) -> Result<Fed, Divergence> {
        match kind {
            RunEvent::Created(first) => {
                self.entropy = Entropy::new(first.seed);
                self.now = event.at;
            }
            RunEvent::Started => return Ok(self.begin()),
            RunEvent::CancelRequested { .. } => return Ok(self.cancel(event.at)),
            RunEvent::Completed { .. } | RunEvent::Failed { .. } | RunEvent::Continued => {
                self.end_by_workflow(event)?;
            }
            // Who terminates a run does not ask its workflow.
            RunEvent::Cancelled { terminated, .. } => {
                if terminated || event.writer == Writer::Outsider {
                    let left = self.pairing.parted();
                    self.end(left);
                } else {
                    self.end_by_workflow(event)?;
                }
            }
            RunEvent::AttrSet { call, .. } => {
                self.pairing.claim(event)?;
                self.attributes.get_or_insert_default().note(call);
                return Ok(self.resume(Correlation::Step(call)));
            }
            RunEvent::PatchMarked { .. } => self.pairing.claim(event)?,
        }
        Ok(Fed::Nothing)
    }

    fn react_to_step(
        &mut self,
        step: StepId,
        kind: StepEvent<'_>,
        event: EventRef<'_>,
    ) -> Result<Fed, Divergence> {
        let outcome = match kind {
            StepEvent::Created { child, .. } => {
                self.pairing.claim(event)?;
                let Some(child) = child else {
                    return Ok(Fed::Nothing);
                };
                self.steps.begin(step, child);
                return Ok(if child.detached {
                    self.resume(Correlation::Step(step))
                } else {
                    Fed::Nothing
                });
            }
            StepEvent::Started { .. } | StepEvent::Retrying { .. } => return Ok(Fed::Nothing),
            StepEvent::Completed { result } => StepOutcome::Completed(result.clone()),
            StepEvent::Failed { error, kind } => StepOutcome::Failed {
                error: error.clone(),
                kind,
                attempts: self.attempts(step),
            },
        };
        self.steps.end(step, outcome);
        if self.clean_up.end_step(step) {
            self.take_step(step);
            self.go_on_undoing();
        }
        Ok(self.resume(Correlation::Step(step)))
    }

    fn react_to_hook(
        &mut self,
        hook: HookId,
        kind: HookEvent<'_>,
        event: EventRef<'_>,
    ) -> Result<Fed, Divergence> {
        let id = Correlation::Hook(hook);
        // Nobody waits any more for a hook that was given up before its record came by.
        let given_up = self.pairing.is_pending(&Key::Drop(hook));
        match kind {
            HookEvent::Created {
                token, expires_at, ..
            } => {
                if let Some(at) = expires_at.filter(|_| !given_up) {
                    self.deadlines.set(id, at);
                }
                if event.writer == Writer::Outsider {
                    self.hooks.await_adoption(hook, token);
                    return Ok(Fed::Nothing);
                }
                if !given_up {
                    self.hooks.register(hook, token);
                }
                self.pairing.claim(event)?;
            }
            HookEvent::Conflict { token, owner } => {
                if !given_up {
                    self.hooks.refuse(hook, token, owner);
                }
                self.pairing.claim(event)?;
            }
            HookEvent::Disposed { by } => {
                self.deadlines.lift(id);
                match by {
                    Disposal::Closed => self.hooks.close(hook),
                    Disposal::Dropped => {
                        self.pairing.claim(event)?;
                        return Ok(Fed::Nothing);
                    }
                }
                self.pairing.claim(event)?;
            }
            HookEvent::Received { payload } => self.hooks.put(hook, payload.clone()),
            HookEvent::Expired => {
                self.deadlines.lift(id);
                self.hooks.expire(hook);
            }
        }
        Ok(self.resume(id))
    }

    fn react_to_wait(
        &mut self,
        wait: WaitId,
        kind: WaitEvent,
        event: EventRef<'_>,
    ) -> Result<Fed, Divergence> {
        let id = Correlation::Wait(wait);
        match kind {
            WaitEvent::Created { resume_at } => {
                if !self.pairing.is_pending(&Key::GiveUp(wait)) {
                    self.deadlines.set(id, resume_at);
                }
                self.pairing.claim(event)?;
                Ok(Fed::Nothing)
            }
            WaitEvent::Completed => {
                self.deadlines.lift(id);
                if self.clean_up.is_deadline(wait) {
                    return Ok(self.stop_cleaning_up());
                }
                self.waits.add(wait);
                Ok(self.resume(id))
            }
            // Given up when the log was written, so its end was not seen then and is not seen now.
            WaitEvent::Cancelled => {
                self.deadlines.lift(id);
                self.waits.take(&wait);
                self.pairing.claim(event)?;
                Ok(Fed::Nothing)
            }
        }
    }

    fn begin(&mut self) -> Fed {
        if self.phase != Phase::Pending {
            return Fed::Nothing;
        }
        self.phase = Phase::Running;
        Fed::Poll(None)
    }

    fn cancel(&mut self, at: Timestamp) -> Fed {
        match self.phase {
            Phase::Pending | Phase::Running => {
                self.begin_cancelling(at);
                Fed::Cancel
            }
            Phase::Cancelling | Phase::Undoing | Phase::Finished | Phase::Ended => Fed::Nothing,
        }
    }

    fn resume(&self, id: Correlation) -> Fed {
        if self.is_running() || self.is_shielding() {
            Fed::Poll(Some(id))
        } else {
            Fed::Nothing
        }
    }

    fn attempts(&self, step: StepId) -> u32 {
        let step = self.entities.steps().get(&step);
        step.map_or(0, |step| step.attempt)
    }

    /// The log's last record: nothing can claim what is left now.
    fn end_by_workflow(&mut self, event: EventRef<'_>) -> Result<(), Divergence> {
        let left = self.pairing.parted();
        let claimed = self.pairing.claim(event);
        let unclaimed = left.or_else(|| self.pairing.parted());
        self.end(unclaimed);
        claimed
    }

    fn end(&mut self, unclaimed: Option<Divergence>) {
        self.phase = Phase::Ended;
        self.parted_at_end = unclaimed.map(Box::new);
        self.pairing.clear();
        self.deadlines.clear();
        self.steps.forget_fresh();
    }

    /// Lets go of the view of what has ended, unless something may still be said about it: a wait
    /// whose end the workflow has not heard of may yet be given up, a hook that was closed or expired
    /// may yet be dropped, and both leave a record that must find the view.
    pub(super) fn settle(&mut self, id: Correlation) {
        let may_be_spoken_of = match id {
            Correlation::Step(_) => false,
            Correlation::Wait(wait) => {
                self.waits.contains_key(&wait) || self.pairing.is_pending(&Key::GiveUp(wait))
            }
            Correlation::Hook(hook) => {
                self.hooks.is_held(hook)
                    || self.pairing.is_pending(&Key::Close(hook))
                    || self.pairing.is_pending(&Key::Drop(hook))
            }
        };
        if !may_be_spoken_of {
            self.entities.forget_ended(id);
        }
    }
}
