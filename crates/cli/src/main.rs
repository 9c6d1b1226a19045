//! The command line of Rewake. What it finds is on standard output, what it says about its work on
//! standard error.

#![forbid(unsafe_code)]

mod args;
mod command;
mod exit;
mod output;
mod store_url;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::read() {
        Ok(args) => command::run(&args),
        Err(refused) => exit::of_arguments(&refused),
    }
}
