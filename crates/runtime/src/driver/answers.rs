//! Answers to webhooks' requests that the workflow gives itself.
//!
//! Such an answer is a row in the store that keeps the log. So no attempt goes to give it: it goes
//! along with the record that it was given, in one commit, and either both stand or none.
//!
//! ```text
//!  called ─▶ append: created, started, completed + the answer ─▶ its caller hears ─▶ the workflow does
//!                        │ somebody else has answered
//!                        └─▶ append: created, started, completed as already answered
//! ```

use rewake_core::id::StepId;
use rewake_store::Answering;

use super::Driver;
use super::attempts::Ready;
use crate::dispatch::News;
use crate::step::respond;

impl Driver {
    /// Takes up a step that answers a request; false where it is another step.
    pub(super) fn answers(&mut self, ready: &Ready) -> bool {
        let step = &ready.step;
        // A call that was given this name runs what it names.
        if step.name != respond::NAME || self.executor.context().work(step.id).is_some() {
            return false;
        }
        let (verdict, answer) = match respond::answering(step.id, &step.input) {
            Ok(answer) => (respond::answered(), Some(answer)),
            Err(verdict) => (verdict, None),
        };
        self.attempts.answer(step.id, verdict, answer);
        true
    }

    /// Somebody else has answered what the step was to answer.
    pub(super) fn answered_already(&mut self, step: StepId) {
        self.attempts
            .give_up_answer(step, respond::answered_already());
    }

    /// Tells those who wait for answers that these are on record. Of a step that had answered before
    /// the first answer stands, which may read otherwise.
    pub(super) fn tell_callers(&self, answers: Vec<Answering>, stood: &[StepId]) {
        for answer in answers {
            let news = if stood.contains(&answer.step) {
                News::Look
            } else {
                News::Answered {
                    stream: answer.stream,
                    answer: answer.payload,
                }
            };
            self.engine.waiters.call(self.run, news);
        }
    }
}
