//! Replaying a log that was kept, against the workflows of this build.

use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::RunId;

use super::Engine;
use crate::driver::{executor, replay};

/// Where and why the code of this build cannot follow a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The event at which the two part, where it is one.
    pub position: Option<Position>,
    /// A stable name for programs: what a run would be parked with.
    pub code: &'static str,
    /// What the log has, what the workflow asked for, and what can be done.
    pub reason: String,
}

impl Engine {
    /// Replays a log without running a step and without a trace in any store. Call it on a thread of
    /// its own, off any async runtime, where a workflow that awaits something foreign shows at once.
    ///
    /// # Errors
    ///
    /// [`Parting`] where the workflow of this build cannot follow.
    pub fn replay(&self, run: RunId, frames: &[Frame]) -> Result<(), Parting> {
        let mut events = frames.iter().flat_map(|frame| &frame.events);
        let name = events.find_map(|kind| match kind {
            EventKind::RunCreated { workflow, .. } => Some(workflow.as_str()),
            _ => None,
        });
        let Some(workflow) = name.and_then(|name| self.inner.registry.workflow(name)) else {
            return Err(Parting {
                position: None,
                code: "UNKNOWN_WORKFLOW",
                reason: format!("this build has no workflow `{}`", name.unwrap_or_default()),
            });
        };
        let mut executor = executor(&self.inner, run);
        replay(&mut executor, Some(workflow), frames.iter()).map_err(|stuck| {
            let fed = executor.with(|machine| machine.fed());
            Parting {
                position: stuck.position(fed),
                code: stuck.code(),
                reason: stuck.to_string(),
            }
        })
    }

    /// The log of a run as it is stored, to be kept and [replayed](Self::replay).
    ///
    /// # Errors
    ///
    /// [`QueryError`](crate::QueryError) where the store cannot be read.
    pub async fn log(&self, run: RunId) -> Result<Vec<Frame>, crate::QueryError> {
        Ok(self.frames(run).await?)
    }
}
