//! `cargo xtask mutants`: deliberate bugs, each of which the tests must catch.
//!
//! `run_bugs`, `cancel_bugs`, `store_bugs`, `node_bugs` and `door_bugs` say what is broken where, `edit` breaks a file and puts it back, `run` asks the
//! tests. A test of every run checks that each place is still there, so that the list does not rot.
//! To add one: write the entry, run it by its name, and note in docs/mutants.md what went red.

mod cancel_bugs;
mod door_bugs;
mod edit;
mod mutant;
mod node_bugs;
mod run;
mod run_bugs;
mod store_bugs;

pub(crate) use run::run;
