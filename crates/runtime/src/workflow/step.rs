//! A call of a step.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use rewake_core::event::{Correlation, FailureKind, StepOptions};
use rewake_core::id::{Place, StepId};
use rewake_core::payload::Payload;
use rewake_core::replay::StepOutcome;

use super::context::Context;
use super::work::Work;

/// A call of a step: resolves with how the step ended, as the log has it.
///
/// Dropping it does not stop the step; its end is recorded and ignored.
#[derive(Debug)]
pub struct StepFuture {
    context: Arc<Context>,
    place: Place,
    id: StepId,
    call: Option<Call>,
    /// Issued, and its outcome not taken.
    waiting: bool,
}

/// A call that cannot be kept for when the workflow fails or is cancelled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUndoable {
    /// It was awaited, so it has been made already.
    #[error("the call was awaited before; write another one for `undo`")]
    Awaited,
    /// Its arguments are longer than what may be recorded.
    #[error("{reason}")]
    TooLong {
        /// How long, and what to do.
        reason: String,
    },
}

#[derive(Debug)]
struct Call {
    name: String,
    input: Payload,
    options: StepOptions,
    work: Option<Work>,
}

impl StepFuture {
    /// Writes the call: it takes its place in the run here, and is issued when first polled.
    pub fn new(context: Arc<Context>, name: &str, input: Payload, options: StepOptions) -> Self {
        let (place, id) = context.with(|machine| {
            let place = machine.place();
            (place, StepId::derive(machine.run(), place, name))
        });
        Self {
            context,
            place,
            id,
            call: Some(Call {
                name: name.to_owned(),
                input,
                options,
                work: None,
            }),
            waiting: false,
        }
    }

    /// The step's id: the same in every replay.
    pub const fn id(&self) -> StepId {
        self.id
    }

    /// Keeps the call for when the workflow fails or is cancelled, instead of awaiting it.
    ///
    /// # Errors
    ///
    /// [`NotUndoable`] where it was awaited before, or its arguments are too long.
    pub fn undo(mut self) -> Result<(), NotUndoable> {
        let Call {
            name,
            input,
            options,
            work,
        } = self.call.take().ok_or(NotUndoable::Awaited)?;
        let checked = self.context.check_len("the step's arguments have", &input);
        checked.map_err(|error| NotUndoable::TooLong {
            reason: error.message,
        })?;
        let step = self.id;
        let mut shared = self.context.lock();
        shared.machine.undo_step(step, name, input, options);
        if let Some(work) = work {
            shared.keep_work(step, work);
        }
        drop(shared);
        Ok(())
    }

    /// Says what the step's attempts run, as long as the call was not polled; the function of its
    /// name unless said.
    pub fn set_work(&mut self, work: Work) {
        if let Some(call) = &mut self.call {
            call.work = Some(work);
        }
    }

    /// Gives the step another name, and with it another id, as long as the call was not polled. What
    /// its attempts run stays what [`set_work`](Self::set_work) said.
    pub fn rename(&mut self, name: &str) {
        let Some(call) = &mut self.call else { return };
        name.clone_into(&mut call.name);
        let run = self.context.with(|machine| machine.run());
        self.id = StepId::derive(run, self.place, name);
    }

    /// Changes how the step is tried, as long as the call was not polled.
    pub fn options_mut(&mut self) -> Option<&mut StepOptions> {
        self.call.as_mut().map(|call| &mut call.options)
    }
}

impl Future for StepFuture {
    type Output = StepOutcome;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<StepOutcome> {
        let this = self.get_mut();
        this.context.expect_current("a step call");
        let mut shared = this.context.lock();
        let mut brought = None;
        if let Some(Call {
            name,
            input,
            options,
            work,
        }) = this.call.take()
        {
            if let Err(error) = this.context.check_len("the step's arguments have", &input) {
                return Poll::Ready(StepOutcome::Failed {
                    error,
                    kind: FailureKind::NotEncodable,
                    attempts: 0,
                });
            }
            shared.machine.create_step(this.id, name, input, options);
            this.waiting = true;
            brought = work;
        }
        if let Some(outcome) = shared.machine.take_step(this.id) {
            this.waiting = false;
            Poll::Ready(outcome)
        } else {
            if shared.is_shielded() {
                shared.machine.shield_step(this.id);
            }
            // A step that has ended runs nothing more.
            if let Some(work) = brought {
                shared.keep_work(this.id, work);
            }
            shared.wait(Correlation::Step(this.id), cx.waker());
            Poll::Pending
        }
    }
}

impl Drop for StepFuture {
    fn drop(&mut self) {
        if !self.waiting {
            return;
        }
        let acting = self.context.is_acting();
        let mut shared = self.context.lock();
        shared.forget(Correlation::Step(self.id));
        if acting {
            // Its outcome is recorded all the same, and kept for nobody.
            shared.machine.abandon_step(self.id);
        }
    }
}
