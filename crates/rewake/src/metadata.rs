//! What a workflow and a step may know about themselves.

use std::time::SystemTime;

use rewake_core::id::{RunId, StepId};
use rewake_runtime::step::StepContext;
use rewake_runtime::workflow::{Context, NotInWorkflow};

use crate::abort::AbortSignal;

/// What a workflow may know about its run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkflowMetadata {
    /// The run.
    pub run_id: RunId,
    /// Its workflow.
    pub workflow_name: String,
    /// When it began.
    pub started_at: SystemTime,
    /// The public URL of the application, where it is known.
    pub url: Option<String>,
}

/// What a step may know about its attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StepMetadata {
    /// The step: the same in every attempt, and so a stable idempotency key.
    pub step_id: StepId,
    /// The name of its function.
    pub step_name: String,
    /// The run.
    pub run_id: RunId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When the attempt began.
    pub started_at: SystemTime,
    /// Aborted when nobody waits for the result any more: the run is cancelled (and the step is not
    /// called in a [`shield`](crate::shield) or by [`undo`](crate::undo)), was terminated, or its
    /// workflow has returned; when the attempt has taken too long; and when the process stops. Its
    /// reason says which.
    ///
    /// The attempt has 30 seconds from then on, or what
    /// [`Limit::AbortGraceMs`](crate::Limit::AbortGraceMs) says, to wind up; then it is dropped where
    /// it awaits, so that it does not hold its place. When it took too long, or the process stops, it
    /// is dropped at once. Code that blocks is not dropped: it has to ask
    /// [`is_aborted`](AbortSignal::is_aborted). How a step ends after its run has ended is recorded
    /// nowhere; a warning says that it was discarded.
    pub cancellation: AbortSignal,
}

/// What the workflow may know about its run.
///
/// # Panics
///
/// Outside a workflow.
pub fn workflow_metadata() -> WorkflowMetadata {
    let info = Context::current()
        .map(|context| context.info())
        .expect("`workflow_metadata` only works inside a workflow");
    WorkflowMetadata {
        run_id: info.run,
        workflow_name: info.workflow,
        started_at: info.started_at.into(),
        url: info.public_url.map(|url| url.to_string()),
    }
}

/// What the step may know about its attempt.
///
/// # Panics
///
/// Outside of a step that a workflow called.
pub fn step_metadata() -> StepMetadata {
    let context = StepContext::current().ok_or(NotInWorkflow);
    let context = context.expect("`step_metadata` only works inside a step that a workflow called");
    StepMetadata {
        step_id: context.step,
        step_name: context.name,
        run_id: context.run,
        attempt: context.attempt,
        started_at: context.started_at.into(),
        cancellation: AbortSignal::of_attempt(context.cancellation),
    }
}
