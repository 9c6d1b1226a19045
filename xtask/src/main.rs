//! Checks, tests and builds of this repository: `cargo xtask help` lists the verbs.
//!
//! This is the one program a developer needs beside cargo itself. It knows the house rules and the
//! order of the checks; it knows nothing of what the product does and depends on none of its crates.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to the person at the terminal is what this program is for"
)]

mod bench;
mod ci;
mod command;
mod database;
mod help;
mod mutants;
mod setup;
mod test;
mod tidy;
mod verb;
mod workflow_sdk;

use std::process::ExitCode;

use crate::verb::Verb;

fn main() -> ExitCode {
    let verb = match Verb::parse(std::env::args().skip(1)) {
        Ok(verb) => verb,
        Err(usage) => {
            eprintln!("xtask: {usage}; `cargo xtask help` lists what there is");
            return ExitCode::from(2);
        }
    };
    let done = match verb {
        Verb::Help => {
            help::print();
            Ok(())
        }
        Verb::Tidy { bless } => tidy::run(bless),
        Verb::Test { filter } => test::run(filter.as_deref(), command::Lockfile::MayChange),
        Verb::Mutants { name } => mutants::run(name.as_deref()),
        Verb::Bench { arguments } => bench::run(&arguments),
        Verb::Ci => ci::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
