//! `cargo xtask tidy`: the house rules that neither compiler nor clippy checks.
//!
//! Each rule is a pure function from paths and texts to problems, in a file of its own, with a test
//! that breaks it. Only `run` reads the repository. To add a rule: write the function and its
//! failing test, call it in `run::check`, and name it in CONTRIBUTING.md.

mod arrows;
mod ban;
mod code;
mod format_hash;
mod header;
mod manifest;
mod problem;
mod run;
mod size;
mod source;
mod workspace;

pub(crate) use run::run;
