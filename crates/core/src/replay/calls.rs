//! The workflow's side of the machine: what it asks for, and what it is given.

use super::command::{HookRequest, Key, disposed};
use super::entropy::Entropy;
use super::hooks::Registration;
use super::inbox::Received;
use super::machine::{Machine, Phase};
use super::steps::StepOutcome;
use crate::event::{Child, Correlation, Disposal, EventKind, Failure, StepOptions};
use crate::id::{HookId, Place, RunId, StepId, WaitId};
use crate::payload::Payload;
use crate::time::Timestamp;

impl Machine {
    /// The place of the next call, for the call that is being written.
    pub const fn place(&mut self) -> Place {
        let place = Place(self.places);
        self.places += 1;
        place
    }

    /// The run.
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// The time of the event that the workflow reacts to: what `now()` gives.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// What `random()` and `uuid()` draw from.
    pub const fn entropy(&mut self) -> &mut Entropy {
        &mut self.entropy
    }

    /// Calls a step.
    pub fn create_step(
        &mut self,
        step: StepId,
        name: String,
        input: Payload,
        options: StepOptions,
    ) {
        let record = EventKind::StepCreated {
            step,
            name,
            input,
            options,
            child: None,
        };
        if self.issue(Key::Step(step), record) {
            self.steps.call(step);
        }
    }

    /// Starts a child run: a step whose body is the run `child`, minted for this attempt to start it.
    /// A replay takes the run from the record. True where the log does not know it: it is to begin.
    pub fn create_child(
        &mut self,
        step: StepId,
        workflow: String,
        input: Payload,
        child: Child,
    ) -> bool {
        let record = EventKind::StepCreated {
            step,
            name: workflow,
            input,
            // What a child run does about failures is its own affair.
            options: StepOptions {
                max_retries: 0,
                timeout_ms: None,
                backoff_ms: 0,
            },
            child: Some(child),
        };
        self.issue(Key::Step(step), record)
    }

    /// Takes how a child run ended, if it has, and which run it was.
    pub fn take_child(&mut self, step: StepId) -> Option<(RunId, StepOutcome)> {
        let outcome = self.steps.take(step)?;
        let child = self.steps.take_begun(step)?;
        Some((child.run, outcome))
    }

    /// Takes the run that a child which was let go of has become, if it exists.
    pub fn take_begun_child(&mut self, step: StepId) -> Option<RunId> {
        self.steps.take_begun(step).map(|child| child.run)
    }

    /// Takes how a step ended, if it has.
    pub fn take_step(&mut self, step: StepId) -> Option<StepOutcome> {
        self.steps.take(step)
    }

    /// Notes that the call of a step was dropped: its outcome is recorded, and kept for nobody.
    pub fn abandon_step(&mut self, step: StepId) {
        self.steps.abandon(step);
    }

    /// Asks for a hook. A hook that stood in the log before the workflow began, and whose token is
    /// asked for here, is adopted and leaves no record.
    pub fn create_hook(&mut self, hook: HookId, request: HookRequest) {
        if !self.hooks.adopt(hook, &request.token) {
            self.issue(Key::Hook(hook), request.record(hook, self.now));
        }
    }

    /// Takes how the registration of a hook ended, if it has.
    pub fn take_registration(&mut self, hook: HookId) -> Option<Registration> {
        let registration = self.hooks.take_registration(hook);
        self.settle(Correlation::Hook(hook));
        registration
    }

    /// Gives up a hook whose registration nobody waits for any more.
    pub fn abandon_hook(&mut self, hook: HookId) {
        match self.hooks.take_registration(hook) {
            Some(Registration::Registered { hook, .. }) => self.dispose_hook(hook),
            Some(Registration::Conflict { .. }) => {
                if self.pairing.is_left(&Key::Drop(hook)) {
                    self.leave(hook);
                }
                self.settle(Correlation::Hook(hook));
            }
            None => self.leave(hook),
        }
    }

    /// Takes the next payload of a hook, or learns that there will be none.
    pub fn take_payload(&mut self, hook: HookId) -> Option<Received> {
        self.hooks.take(hook)
    }

    /// What [`take_payload`](Self::take_payload) would give; nothing is taken.
    pub fn peek_payload(&self, hook: HookId) -> Option<Received> {
        self.hooks.peek(hook)
    }

    /// Closes a hook: no payload is accepted once the record stands; what has arrived stays.
    pub fn close_hook(&mut self, hook: HookId) {
        // A hook that has ended needs no closing, unless the log holds the record of one.
        let key = Key::Close(hook);
        if !self.hooks.has_ended(hook) || self.pairing.is_left(&key) {
            self.dispose(key, hook, Disposal::Closed);
        } else {
            self.hooks.count_as_closed(hook);
        }
    }

    /// Takes the news that a hook is closed, if it is.
    pub fn take_closed(&mut self, hook: HookId) -> bool {
        self.hooks.take_closed(hook)
    }

    /// Disposes of a hook whose receiver was dropped: what it holds is left unread.
    ///
    /// A hook that has ended takes in nothing more: where it holds nothing either, nothing is left and
    /// nothing is said.
    pub fn dispose_hook(&mut self, hook: HookId) {
        let leaves_something = !self.hooks.has_ended(hook) || self.hooks.holds_payloads(hook);
        let is_spoken_of = [Key::Close(hook), Key::Drop(hook)];
        if leaves_something || is_spoken_of.iter().any(|key| self.pairing.is_left(key)) {
            self.leave(hook);
        }
        self.hooks.drop_receiver(hook);
        self.settle(Correlation::Hook(hook));
    }

    /// Begins a wait.
    pub fn create_wait(&mut self, wait: WaitId, resume_at: Timestamp) {
        self.issue(Key::Wait(wait), EventKind::WaitCreated { wait, resume_at });
    }

    /// Takes the news that a wait has ended, if it has.
    pub fn take_wait(&mut self, wait: WaitId) -> bool {
        let ended = self.waits.take(&wait);
        if ended {
            self.settle(Correlation::Wait(wait));
        }
        ended
    }

    /// Gives up a wait that was begun and whose end has not been taken.
    pub fn cancel_wait(&mut self, wait: WaitId) {
        if self.take_wait(wait) {
            return;
        }
        self.deadlines.lift(Correlation::Wait(wait));
        self.issue(Key::GiveUp(wait), EventKind::WaitCancelled { wait });
    }

    /// Ends the run with what the workflow returned; where that is an error, once its undo calls have
    /// ended.
    pub fn finish(&mut self, result: Result<Payload, Failure>) {
        match result {
            Ok(output) => self.finish_with(EventKind::RunCompleted { output }),
            Err(error) => self.undo_and_finish(EventKind::RunFailed { error }),
        }
    }

    pub(super) fn finish_with(&mut self, record: EventKind) {
        if self.is_finished() {
            return;
        }
        self.issue(Key::End, record);
        self.phase = Phase::Finished;
    }

    fn leave(&mut self, hook: HookId) {
        // Whoever drops a receiver cannot close its hook any more.
        let record = disposed(hook, Disposal::Dropped);
        let closed = self.pairing.rule_out(&Key::Close(hook), &record);
        if self.is_finished() || self.latch(closed).is_err() {
            return;
        }
        self.dispose(Key::Drop(hook), hook, Disposal::Dropped);
    }

    fn dispose(&mut self, key: Key, hook: HookId, by: Disposal) {
        self.deadlines.lift(Correlation::Hook(hook));
        self.issue(key, disposed(hook, by));
    }

    /// Issues a command; true where the log does not know it. Nothing is recorded after the end of
    /// the workflow.
    pub(super) fn issue(&mut self, key: Key, record: EventKind) -> bool {
        if self.is_finished() {
            return false;
        }
        let issued = self.pairing.issue(key, record);
        self.latch(issued).unwrap_or(false)
    }
}
