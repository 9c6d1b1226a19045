//! Processes that die for real: what becomes of the runs they were working on. Each test's name is the
//! behaviour it holds the engine to.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cancellation;
mod child;
mod file;
mod process;
mod steps;
mod workflows;
