//! Transition tests: every event in every state of every kind of entity.
//!
//! Each file holds a table (state and event, then the exact result or the exact refusal), and the
//! cases that deserve a name: what the Workflow SDK accepts and we do not.

mod hook;
mod illegal;
mod run;
mod step;
mod wait;
