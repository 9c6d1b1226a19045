//! The pure engine of Rewake: the log is the truth, and this crate is a function over it.
//!
//! Here live ids, events, the entities folded from them, the legal transitions, the payload codec
//! and the replay machine. Nothing here reads a clock, draws a random number, opens a file, starts
//! a thread or awaits a future: time, entropy, events and commands come in as arguments, and
//! completions and records come out as values. That is why all of it can be tested exhaustively,
//! fuzzed, and simulated for years of virtual time in seconds.
//!
//! ```text
//!  facts, records ──▶ ┌─────────┐ ──▶ which call may go on
//!    (in log order)   │ Machine │
//!  commands ────────▶ └─────────┘ ──▶ records still to be appended
//! ```
//!
//! Where to read on: [`event`] (what a log is made of), [`replay`] (the machine),
//! [`transition`] (what is legal), [`payload`] (how values are encoded), [`sdk`] (the Workflow SDK's
//! events).

#![forbid(unsafe_code)]

pub mod attribute;
pub mod entity;
pub mod event;
pub mod few;
pub mod heap;
pub mod id;
pub mod key;
pub mod payload;
pub mod replay;
pub mod retry;
pub mod sdk;
pub mod time;
pub mod token;
pub mod transition;

#[cfg(test)]
mod samples;
