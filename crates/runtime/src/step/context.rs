//! What an attempt of a step may know, and how code inside it finds that.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use rewake_core::id::{RunId, StepId};
use rewake_core::time::Timestamp;

use super::abort::{Abort, Aborts};
use crate::engine::Inner;

thread_local! {
    static CURRENT: RefCell<Option<StepContext>> = const { RefCell::new(None) };
}

/// Which attempt of which step is running.
#[derive(Clone)]
pub struct StepContext {
    /// The run.
    pub run: RunId,
    /// The step: the same in every attempt, and so a stable idempotency key.
    pub step: StepId,
    /// The name of its function.
    pub name: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// Aborted when nobody waits for the step's result any more.
    pub cancellation: Abort,
    /// The abort controllers of its run.
    pub aborts: Arc<Aborts>,
    pub(crate) engine: Arc<Inner>,
}

impl StepContext {
    /// The step that is running on this thread; none outside of one.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Makes this thread one of the step's, until what is returned is dropped: for a body that goes
    /// on where it may block.
    pub fn enter(self) -> InsideStep {
        InsideStep {
            outer: CURRENT.replace(Some(self)),
        }
    }
}

impl fmt::Debug for StepContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepContext")
            .field("step", &self.step)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// A step's body that can be found by the code inside it while it is polled.
pub(crate) struct RunningStep<F> {
    context: StepContext,
    body: Pin<Box<F>>,
}

impl<F: Future> RunningStep<F> {
    pub(crate) fn new(context: StepContext, body: F) -> Self {
        Self {
            context,
            body: Box::pin(body),
        }
    }
}

impl<F: Future> Future for RunningStep<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let _inside = this.context.clone().enter();
        this.body.as_mut().poll(cx)
    }
}

/// While this is held, the thread is inside an attempt of a step.
#[derive(Debug)]
#[must_use = "the thread is the step's for as long as this is held"]
pub struct InsideStep {
    outer: Option<StepContext>,
}

impl Drop for InsideStep {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}
