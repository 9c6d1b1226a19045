//! Entities: the views of a run that its log folds into.
//!
//! A view is never the truth: it can be folded again at any time. This module must not know which
//! event may follow which; [`transition`](crate::transition) does.

mod entities;
mod hook;
mod inbox;
mod run;
mod step;
mod wait;

pub use entities::Entities;
pub use hook::{Hook, HookState, HowDisposed};
pub use inbox::{Accepted, Fate, Inboxes};
pub use run::{Run, RunStatus};
pub use step::{Step, StepStatus};
pub use wait::{Wait, WaitStatus};
