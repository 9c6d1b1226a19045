//! Transitions: what one event makes of one entity, and which events must not follow.
//!
//! One pure function per kind of entity, each an exhaustive match; those of entities that own much also
//! come as one that changes what it is given, so that a log is folded without a copy for each event. The
//! Workflow SDK accepts several events that leave orphans behind (an event for a run that does not
//! exist, a result after the end); here each of them is refused by a typed error. Nothing is refused
//! for reasons of time: a log says what happened, not whether it was punctual.

mod hook;
mod illegal;
mod run;
mod step;
mod wait;

#[cfg(test)]
mod tests;

pub use hook::{change_hook, hook};
pub use illegal::IllegalTransition;
pub use run::{change_run, require_open, run};
pub use step::{change_step, step};
pub use wait::wait;
