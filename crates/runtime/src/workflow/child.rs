//! Calls of child runs: steps whose body is another run.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use rewake_core::attribute::{self, InvalidAttribute};
use rewake_core::event::{Child, Correlation, Failure};
use rewake_core::id::{RunId, StepId};
use rewake_core::payload::Payload;
use rewake_core::replay::{Machine, StepOutcome};

use super::context::Context;

/// A call of a child run: resolves with the child and how it ended, as the log
/// has it.
///
/// Dropping it does not stop the child: it goes on, its end is recorded and ignored, and it stays
/// attached.
#[derive(Debug)]
pub struct ChildFuture {
    call: Call,
}

/// A call that lets the child go: resolves with its run, once that exists.
///
/// Dropped after its first poll, the child begins all the same.
#[derive(Debug)]
pub struct DetachedFuture {
    call: Call,
}

/// A child run that could not be asked for. Nothing was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChildRefused {
    /// Its arguments are too long.
    #[error("{}", .0.message)]
    TooLong(Failure),
    /// It cannot have such attributes.
    #[error(transparent)]
    InvalidAttribute(#[from] InvalidAttribute),
}

#[derive(Debug)]
struct Call {
    context: Arc<Context>,
    id: StepId,
    /// What to start, until it is asked for.
    asked: Option<Asked>,
    /// Asked for, and what came of it not taken.
    waiting: bool,
}

#[derive(Debug)]
struct Asked {
    workflow: String,
    input: Payload,
    attributes: BTreeMap<String, String>,
}

impl ChildFuture {
    /// Writes the call: it takes its place in the run here, and is issued when first polled.
    pub fn new(context: Arc<Context>, workflow: &str, input: Payload) -> Self {
        let id = context.with(|machine| {
            let place = machine.place();
            StepId::derive(machine.run(), place, workflow)
        });
        let asked = Asked {
            workflow: workflow.to_owned(),
            input,
            attributes: BTreeMap::new(),
        };
        Self {
            call: Call {
                context,
                id,
                asked: Some(asked),
                waiting: false,
            },
        }
    }

    /// Gives the child an attribute, as long as it was not asked for.
    pub fn set_attribute(&mut self, key: String, value: String) {
        if let Some(asked) = &mut self.call.asked {
            asked.attributes.insert(key, value);
        }
    }

    /// The same call, which lets the child go.
    #[must_use]
    pub fn detach(self) -> DetachedFuture {
        DetachedFuture { call: self.call }
    }
}

impl Call {
    /// Asks for the child, where that was not done before.
    fn ask(&mut self, detached: bool) -> Result<(), ChildRefused> {
        self.context.expect_current("a child run");
        let Some(asked) = self.asked.take() else {
            return Ok(());
        };
        let Asked {
            workflow,
            input,
            attributes,
        } = asked;
        let checked = self.context.check_len("the child's arguments have", &input);
        checked.map_err(ChildRefused::TooLong)?;
        attribute::check(&attributes)?;
        let run = self.context.new_run();
        let mut shared = self.context.lock();
        let child = Child { run, detached };
        if shared.machine.create_child(self.id, workflow, input, child) {
            shared.keep_child_attributes(self.id, attributes);
        }
        drop(shared);
        self.waiting = true;
        Ok(())
    }

    /// Says so where it is waited for inside a shield.
    fn shield(&self) {
        let mut shared = self.context.lock();
        if shared.is_shielded() {
            shared.machine.shield_step(self.id);
        }
    }

    /// Takes what came of it, or waits for it.
    fn poll<T>(
        &mut self,
        cx: &task::Context<'_>,
        take: impl FnOnce(&mut Machine, StepId) -> Option<T>,
    ) -> Poll<T> {
        let mut shared = self.context.lock();
        if let Some(taken) = take(&mut shared.machine, self.id) {
            self.waiting = false;
            return Poll::Ready(taken);
        }
        shared.wait(Correlation::Step(self.id), cx.waker());
        Poll::Pending
    }
}

impl Future for ChildFuture {
    type Output = Result<(RunId, StepOutcome), ChildRefused>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let call = &mut self.get_mut().call;
        if let Err(error) = call.ask(false) {
            return Poll::Ready(Err(error));
        }
        let outcome = call.poll(cx, Machine::take_child);
        if outcome.is_pending() {
            call.shield();
        }
        outcome.map(Ok)
    }
}

impl Future for DetachedFuture {
    type Output = Result<RunId, ChildRefused>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let call = &mut self.get_mut().call;
        if let Err(error) = call.ask(true) {
            return Poll::Ready(Err(error));
        }
        let begun = call.poll(cx, Machine::take_begun_child);
        begun.map(Ok)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.waiting {
            return;
        }
        let acting = self.context.is_acting();
        let mut shared = self.context.lock();
        shared.forget(Correlation::Step(self.id));
        if acting {
            shared.machine.abandon_step(self.id);
        }
    }
}
