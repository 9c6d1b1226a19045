//! What workflow code holds: calls that are durable, each a future over the machine of its run.
//!
//! A call takes its place where it is written and is issued when it is first polled. Calls reach the
//! machine by what they hold; a thread-local says only inside which poll the thread is.
//!
//! A drop has two meanings. While the run is being polled (or its body is dropped to cancel it) it
//! is the workflow's own act, and may be a command. At any other time the machine is sealed first,
//! and every handle of a sealed machine is inert.

mod abort;
mod attributes;
mod child;
mod context;
mod hook;
mod shield;
mod step;
mod wait;
mod work;

pub use abort::Controller;
pub use attributes::SetAttributes;
pub use child::{ChildFuture, ChildRefused, DetachedFuture};
pub use context::{Context, NotInWorkflow, RunInfo};
pub use hook::{Conflict, HookHandle, HookSpec, Receive, RegisterHook};
pub use shield::Shield;
pub use step::{NotUndoable, StepFuture};
pub use wait::Wait;
pub use work::{BeginInline, Work};

pub(crate) use context::{Polling, Reaction};
