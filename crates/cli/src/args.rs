//! What the command line takes.

use clap::{Args, Parser, Subcommand};

use crate::store_url::StoreUrl;

/// Rewake's command line: look after the stores of durable runs.
#[derive(Debug, Parser)]
#[command(name = "rewake", version, propagate_version = true)]
pub(crate) struct Command {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Copy a whole store into an empty one, such as a SQLite file into a PostgreSQL database
    #[command(long_about = "\
Copy a whole store into an empty one: a SQLite file into a PostgreSQL database,
the way back, or one file into another. Runs, hooks, keys, the mailbox:
everything goes along, so a process that is opened on the copy goes on where the
last one on the original has stopped.

Stop every process that works on either store first. The original is left as it
is. The copy is seen when it is complete and counted, and not before: where this
fails or is broken off, nothing is there, and it can be run again.")]
    #[command(after_long_help = "\
Examples:
  rewake copy sqlite:app.db postgres://app@db.internal/app
  rewake copy postgres://app@db.internal/app sqlite:app.db --json

It ends with 0 when the copy is there, 1 when it is not, 2 when the arguments are wrong.")]
    Copy(Copy),
}

#[derive(Args, Debug)]
pub(crate) struct Copy {
    /// The store to read: `sqlite:PATH` or `postgres://…`, as given to `.store(…)`
    #[arg(value_name = "FROM")]
    pub(crate) source: StoreUrl,
    /// The store to fill: one that is empty, or does not exist
    #[arg(value_name = "TO")]
    pub(crate) target: StoreUrl,
    /// Say what came of it as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of this process; what is to be said where they are wrong, or ask for help.
pub(crate) fn read() -> Result<Command, clap::Error> {
    let command = Command::try_parse()?;
    let Verb::Copy(copy) = &command.verb;
    if copy.source == copy.target {
        let why = "FROM and TO are the same store; name another one to copy into";
        let error = <Command as clap::CommandFactory>::command()
            .error(clap::error::ErrorKind::ValueValidation, why);
        return Err(error);
    }
    Ok(command)
}
