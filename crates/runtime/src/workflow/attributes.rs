//! Attributes that a workflow sets on its run.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use rewake_core::attribute::InvalidAttribute;
use rewake_core::event::Correlation;
use rewake_core::id::StepId;

use super::context::Context;

/// Part of the id of every such call. It holds a blank, as no name of a step does.
const NAME: &str = "set attributes";

/// Sets attributes of the run: resolves once they are on record.
///
/// Dropped after its first poll, it sets them all the same.
#[derive(Debug)]
pub struct SetAttributes {
    context: Arc<Context>,
    call: StepId,
    changes: Option<BTreeMap<String, String>>,
    /// Issued, and the news not taken.
    waiting: bool,
}

impl SetAttributes {
    /// Writes the call: it takes its place in the run here, and is issued when first polled.
    pub fn new(context: Arc<Context>, changes: BTreeMap<String, String>) -> Self {
        let call = context.with(|machine| {
            let place = machine.place();
            StepId::derive(machine.run(), place, NAME)
        });
        Self {
            context,
            call,
            changes: Some(changes),
            waiting: false,
        }
    }
}

impl Future for SetAttributes {
    type Output = Result<(), InvalidAttribute>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.context.expect_current("attributes being set");
        let mut shared = this.context.lock();
        if let Some(changes) = this.changes.take() {
            if let Err(invalid) = shared.machine.set_attributes(this.call, changes) {
                return Poll::Ready(Err(invalid));
            }
            this.waiting = true;
        }
        if shared.machine.take_attributes_set(this.call) {
            this.waiting = false;
            return Poll::Ready(Ok(()));
        }
        shared.wait(Correlation::Step(this.call), cx.waker());
        Poll::Pending
    }
}

impl Drop for SetAttributes {
    fn drop(&mut self) {
        if !self.waiting {
            return;
        }
        let acting = self.context.is_acting();
        let mut shared = self.context.lock();
        shared.forget(Correlation::Step(self.call));
        if acting {
            shared.machine.abandon_attributes(self.call);
        }
    }
}
