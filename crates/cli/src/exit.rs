//! With what the process ends.

use std::process::ExitCode;

/// What was asked for was not done.
pub(crate) const FAILED: u8 = 1;

/// Arguments that are wrong, or that ask for help.
pub(crate) fn of_arguments(refused: &clap::Error) -> ExitCode {
    let _unread = refused.print();
    // 2 where they are wrong, 0 where help was asked for.
    u8::try_from(refused.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}
