//! `rewake copy`: a whole store into an empty one.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use indicatif::{ProgressBar, ProgressStyle};
use rewake_postgres::PostgresStore;
use rewake_sqlite::{CopyInError, SqliteStore};
use rewake_store::copy::{CopyError, CopyIn, CopyOut, NotEmpty, RowKind, Tally, copy};
use rewake_store::core::time::Timestamp;
use rewake_store::{Failed, StoreError};
use serde_json::{Map, Value, json};

use crate::args::Copy;
use crate::output::{self, Failure};
use crate::store_url::StoreUrl;

const STOP_FIRST: &str =
    "A store is copied while nothing works on it: stop what does, then run this again.";
const NAME_THE_STORE: &str = "Name the file that the application has in `.store(\"sqlite:…\")`.";
const EMPTY_ONE: &str = "Name a file that does not exist or a database without a store. A schema `rewake` that is \
     not needed any more is dropped by `DROP SCHEMA rewake CASCADE`.";
const AGAIN: &str = "The original is as it was, and nothing is in the copy: this can be run again.";
const PERHAPS: &str =
    "Run this again: it copies, or says that the store is not empty, and then it is complete.";
const RESTORE: &str =
    "Restore the original from a backup and run this again; nothing is in the copy.";

/// There is nothing to copy: most likely another store was meant.
const STORE_EMPTY: &str = "STORE_EMPTY";

/// How long another process may take to let go of a file.
const WAIT: Duration = Duration::from_secs(1);

/// Copies, and says what came of it.
pub(crate) fn run(args: &Copy) -> Result<(), Failure> {
    let mut source = open_source(&args.source)?;
    if is_empty(&mut *source)? {
        return Err(Failure {
            code: STORE_EMPTY,
            message: format!("`{}` holds nothing to copy", args.source),
            remedy: "See whether it is the right one; nothing was changed.",
        });
    }
    let target = open_target(&args.target)?;
    let progress = progress();
    let copied = block_on(copy(source, target, &mut |read| {
        progress.set_message(read.to_string());
        progress.tick();
    }));
    progress.finish_and_clear();
    let copied = copied.map_err(|error| failed(&error))?;
    if args.json {
        output::document(&document(args, &copied));
    } else {
        output::lines(&lines(args, &copied));
    }
    Ok(())
}

fn open_source(url: &StoreUrl) -> Result<Box<dyn CopyOut>, Failure> {
    match url {
        StoreUrl::Sqlite(path) => {
            if !path.exists() {
                return Err(Failure {
                    code: "STORE_UNOPENABLE",
                    message: format!("there is no store at `{}`", path.display()),
                    remedy: NAME_THE_STORE,
                });
            }
            let store = SqliteStore::open(in_file(path));
            let store = store.map_err(|error| of_opening_a_file(&error))?;
            Ok(store.copy_out())
        }
        StoreUrl::Postgres(url) => {
            let source = block_on(in_database(url)?.copy_out());
            source.map_err(|error| match error {
                Failed::Refused(error) => Failure::new(error.code(), &error, STOP_FIRST),
                Failed::Store(error) => Failure::new(error.code(), &error, ""),
            })
        }
    }
}

fn open_target(url: &StoreUrl) -> Result<Box<dyn CopyIn>, Failure> {
    match url {
        StoreUrl::Sqlite(path) => {
            SqliteStore::copy_in(&in_file(path)).map_err(|error| match error {
                CopyInError::NotEmpty(error) => not_empty(&error),
                CopyInError::Open(error) => of_opening_a_file(&error),
                error => Failure::new(error.code(), &error, ""),
            })
        }
        StoreUrl::Postgres(url) => {
            let target = block_on(in_database(url)?.copy_in());
            target.map_err(|error| match error {
                Failed::Refused(error) => not_empty(&error),
                Failed::Store(error) => Failure::new(error.code(), &error, STOP_FIRST),
            })
        }
    }
}

fn in_file(path: &Path) -> rewake_sqlite::Options {
    // Nothing that a copy asks depends on the time.
    rewake_sqlite::Options::new(path, Arc::new(|| Timestamp::ZERO)).wait_for_store(WAIT)
}

fn in_database(url: &str) -> Result<PostgresStore, Failure> {
    let opened = PostgresStore::open(rewake_postgres::Options::new(url));
    opened.map_err(|error| Failure::new(error.code(), &error, ""))
}

fn of_opening_a_file(error: &rewake_sqlite::OpenError) -> Failure {
    let remedy = match error {
        rewake_sqlite::OpenError::InUse { .. } => STOP_FIRST,
        _ => "",
    };
    Failure::new(error.code(), error, remedy)
}

fn not_empty(error: &NotEmpty) -> Failure {
    Failure::new(error.code(), error, EMPTY_ONE)
}

/// Everything that a store holds is of a project.
fn is_empty(source: &mut dyn CopyOut) -> Result<bool, Failure> {
    let first = block_on(source.page(RowKind::Scope, None, 1));
    let first = first.map_err(|error| failed(&CopyError::Source(error)))?;
    Ok(first.is_empty())
}

fn failed(error: &CopyError) -> Failure {
    let remedy = match error {
        CopyError::Target(StoreError::OutcomeUnknown { .. }) => PERHAPS,
        CopyError::Source(StoreError::Corrupt { .. }) => RESTORE,
        CopyError::Source(_) | CopyError::Target(_) => AGAIN,
        _ => "",
    };
    Failure::new(error.code(), error, remedy)
}

/// Shown where standard error is a terminal, and nowhere else.
fn progress() -> ProgressBar {
    let progress = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} copying: {msg}") {
        progress.set_style(style);
    }
    progress
}

fn document(args: &Copy, copied: &Tally) -> Value {
    let rows = copied.iter();
    let rows: Map<String, Value> = rows
        .map(|(kind, rows)| (kind.name().to_owned(), rows.into()))
        .collect();
    json!({
        "from": args.source.to_string(),
        "to": args.target.to_string(),
        "rows": rows,
        "total": copied.total(),
    })
}

fn lines(args: &Copy, copied: &Tally) -> String {
    let mut lines = format!("copied {} to {}\n", args.source, args.target);
    for (kind, rows) in copied.iter().filter(|(_, rows)| *rows > 0) {
        let name = kind.name().replace('_', " ");
        // Writing to a text does not fail.
        let _written = writeln!(lines, "  {name:<14} {rows:>12}");
    }
    lines.push_str("counted: the copy holds what was read, and nothing else\n");
    lines
}
