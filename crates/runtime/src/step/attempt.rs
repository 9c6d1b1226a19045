//! One attempt of a step.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_lock::SemaphoreGuardArc;
use futures_util::FutureExt;
use futures_util::future::{AbortRegistration, Abortable, Either, select};
use rewake_core::payload::Payload;
use rewake_core::replay::OpenStep;

use super::abort::{Abort, Aborts};
use super::context::{RunningStep, StepContext};
use crate::engine::Inner;
use crate::panic;
use crate::registry::{StepBody, StepFailure, StepInput};
use crate::workflow::Work;

/// One of the places that attempts under way at the same time share; free again once it is dropped.
pub(crate) type Place = SemaphoreGuardArc;

/// An attempt that is to be run, and has its place.
pub(crate) struct Attempt {
    pub(crate) engine: Arc<Inner>,
    /// What it runs, where that is not the function of the step's name.
    pub(crate) work: Option<Work>,
    pub(crate) step: OpenStep,
    pub(crate) run: rewake_core::id::RunId,
    pub(crate) number: u32,
    pub(crate) place: Place,
    pub(crate) abort: AbortRegistration,
    /// Aborted when nobody waits for its result any more.
    pub(crate) cancellation: Abort,
    pub(crate) aborts: Arc<Aborts>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Completed(Payload),
    Failed(StepFailure),
    TimedOut(Duration),
    Panicked(String),
    /// No step of this name is known to this build.
    Unknown,
    /// It was dropped, because the engine is shutting down or nobody waited for it any more: nothing
    /// is recorded.
    Aborted,
}

/// Runs one attempt, and says how it ended.
pub(crate) async fn run_attempt(attempt: Attempt) -> AttemptOutcome {
    let Attempt {
        engine,
        work,
        step,
        run,
        number,
        place,
        abort,
        cancellation,
        aborts,
    } = attempt;
    let working = async move {
        let _place = place;
        let Some(begin) = beginning(&engine, work, &step.name) else {
            return AttemptOutcome::Unknown;
        };
        let context = StepContext {
            run,
            step: step.id,
            name: step.name.clone(),
            attempt: number,
            started_at: engine.host.clock.now(),
            cancellation: cancellation.clone(),
            aborts,
            engine: Arc::clone(&engine),
        };
        let input = StepInput {
            payload: step.input.clone(),
            context: context.clone(),
        };
        // The body is made inside too, so that a panic while making it is a failed attempt.
        let body = async move { begin(&input).await };
        let body = RunningStep::new(context, AssertUnwindSafe(body).catch_unwind());
        let timeout = step.options.timeout_ms.map(Duration::from_millis);
        let outcome =
            unless_called_off(&engine, &cancellation, within(&engine, timeout, body)).await;
        if let AttemptOutcome::TimedOut(_) = outcome {
            // What it has given to other threads has no other way to hear of it.
            cancellation.abort("the attempt took too long");
        }
        outcome
    };
    Abortable::new(working, abort)
        .await
        .unwrap_or(AttemptOutcome::Aborted)
}

/// An attempt that was called off has some time to wind up, and is dropped then: it must not hold its
/// place for ever.
async fn unless_called_off(
    engine: &Inner,
    cancellation: &Abort,
    working: impl Future<Output = AttemptOutcome>,
) -> AttemptOutcome {
    let called_off = pin!(async {
        cancellation.aborted().await;
        let until = engine.host.clock.now().after(engine.limits.abort_grace);
        engine.host.clock.sleep_until(until).await;
    });
    match select(pin!(working), called_off).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(((), _)) => AttemptOutcome::Aborted,
    }
}

/// Makes the body of one attempt.
type Beginning = Box<dyn FnOnce(&StepInput) -> StepBody + Send>;

/// What makes the body; none where this build has no such function.
fn beginning(engine: &Arc<Inner>, work: Option<Work>, name: &str) -> Option<Beginning> {
    let function = match work {
        None => name,
        Some(Work::Registered(function)) => function,
        Some(Work::Inline(begin)) => {
            let engine = Arc::clone(engine);
            return Some(Box::new(move |input| {
                engine.registry.begin_inline(input, begin.as_ref())
            }));
        }
    };
    let run = Arc::clone(&engine.registry.step(function)?.run);
    Some(Box::new(move |input| run(input)))
}

type Caught = Result<Result<Payload, StepFailure>, Box<dyn std::any::Any + Send>>;

async fn within(
    engine: &Inner,
    timeout: Option<Duration>,
    body: impl Future<Output = Caught> + Unpin,
) -> AttemptOutcome {
    let caught = match timeout {
        None => body.await,
        Some(timeout) => {
            let until = engine.host.clock.now().after(timeout);
            match select(body, engine.host.clock.sleep_until(until)).await {
                Either::Left((caught, _)) => caught,
                Either::Right(((), _)) => return AttemptOutcome::TimedOut(timeout),
            }
        }
    };
    match caught {
        Ok(Ok(result)) => AttemptOutcome::Completed(result),
        Ok(Err(failure)) => AttemptOutcome::Failed(failure),
        Err(panicked) => AttemptOutcome::Panicked(panic::message(&*panicked)),
    }
}
