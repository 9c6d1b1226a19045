//! Replay: the machine that makes a log and a workflow agree.
//!
//! A [`Machine`] is fed the events of one log, strictly in order, one at a time. After each it says
//! whether the workflow must be polled; while it is polled, the workflow issues commands and takes
//! completions. A command whose record the log already holds is *matched*, by what it is about and
//! never by payload bytes, times or drawn randomness (those are taken from the record); any other
//! becomes a record to append. So live execution and replay are the same thing: a worker's own
//! records come back from the store and are fed like everybody else's.
//!
//! ```text
//! loop {
//!     for event in log after `machine.fed()` { machine.feed(event)?; poll the workflow; }
//!     machine.rest()?;                     // every record was claimed by a command
//!     append machine.records() if any      // and go on with what the log answers
//! }
//! ```
//!
//! This module must not know what a future or a waker is: it names calls by their ids.

mod agenda;
mod attributes;
mod calls;
mod clean_up;
mod command;
mod deadlines;
mod divergence;
mod entropy;
mod feed;
mod hooks;
mod inbox;
mod machine;
mod pairing;
mod steps;

#[cfg(test)]
mod tests;

pub use command::HookRequest;
pub use divergence::{Divergence, Expected, Found};
pub use entropy::Entropy;
pub use feed::Fed;
pub use hooks::Registration;
pub use inbox::Received;
pub use machine::Machine;
pub use steps::{OpenStep, StepOutcome};
