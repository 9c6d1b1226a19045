//! Events: what a run's log is made of.
//!
//! The set is closed and named whole in `docs/format.md`. An event is a **fact** (it came from
//! elsewhere and is fed to the workflow), a **record** (a command of the workflow left it behind
//! and a replay must issue that command again) or a **note** (bookkeeping of the worker that the
//! workflow never sees). This module must not know what is legal when: that is
//! [`transition`](crate::transition)'s.

mod class;
mod field;
mod frame;
mod kind;
mod subject;

pub use class::{Correlation, Role};
pub use field::{Child, CreatedBy, Disposal, Failure, FailureKind, Fallback, Parent, StepOptions};
pub use frame::{Event, EventRef, Frame, Position, Taken, Writer};
pub use kind::EventKind;
pub(crate) use subject::{CreatedRun, HookEvent, RunEvent, StepEvent, Subject, WaitEvent};
