//! The commands, one verb a file.

mod copy;

use std::process::ExitCode;

use crate::args::{Command, Verb};
use crate::exit;

/// Carries out what the arguments ask for.
pub(crate) fn run(command: &Command) -> ExitCode {
    let Verb::Copy(args) = &command.verb;
    match copy::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show(args.json);
            ExitCode::from(exit::FAILED)
        }
    }
}
