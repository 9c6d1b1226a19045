//! A call of a step.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use rewake_core::event::{Correlation, FailureKind, StepOptions};
use rewake_core::id::StepId;
use rewake_core::payload::Payload;
use rewake_core::replay::StepOutcome;

use super::context::Context;

/// A call of a step: resolves with how the step ended, as the log has it.
///
/// Dropping it does not stop the step; its end is recorded and ignored.
#[derive(Debug)]
pub struct StepFuture {
    context: Arc<Context>,
    id: StepId,
    call: Option<Call>,
    /// Issued, and its outcome not taken.
    waiting: bool,
}

#[derive(Debug)]
struct Call {
    name: String,
    input: Payload,
    options: StepOptions,
}

impl StepFuture {
    /// Writes the call: it takes its place in the run here, and is issued when first polled.
    pub fn new(context: Arc<Context>, name: &str, input: Payload, options: StepOptions) -> Self {
        let id = context.with(|machine| {
            let place = machine.place();
            StepId::derive(machine.run(), place, name)
        });
        Self {
            context,
            id,
            call: Some(Call {
                name: name.to_owned(),
                input,
                options,
            }),
            waiting: false,
        }
    }

    /// The step's id: the same in every replay.
    pub const fn id(&self) -> StepId {
        self.id
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
        if let Some(Call {
            name,
            input,
            options,
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
        }
        if let Some(outcome) = shared.machine.take_step(this.id) {
            this.waiting = false;
            Poll::Ready(outcome)
        } else {
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
