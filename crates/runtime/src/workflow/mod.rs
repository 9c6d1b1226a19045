//! What workflow code holds: calls that are durable, each a future over the machine of its run.
//!
//! A call takes its place where it is written and is issued when it is first polled. Calls reach the
//! machine by what they hold; a thread-local says only inside which poll the thread is.
//!
//! A drop has two meanings. While the run is being polled (or its body is dropped to cancel it) it
//! is the workflow's own act, and may be a command. At any other time the machine is sealed first,
//! and every handle of a sealed machine is inert.

mod child;
mod context;
mod hook;
mod step;
mod wait;

pub use child::{ArgumentsTooLong, ChildFuture, DetachedFuture};
pub use context::{Context, NotInWorkflow, RunInfo};
pub use hook::{Conflict, HookHandle, HookSpec, Receive, RegisterHook};
pub use step::StepFuture;
pub use wait::Wait;

pub(crate) use context::Polling;
