//! Connections: how each kind is opened, and what it is told.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rewake_store::Durability;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error, OpenFlags};

use crate::error::OpenError;
use crate::fault::Fault;
use crate::options::Options;

/// What a page takes in the file.
pub(crate) const PAGE_BYTES: u32 = 4096;

/// How long a connection waits for another one's lock: of a reader that holds on to an old state
/// while writing pauses, or of a program from elsewhere.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The path of a file that stands beside the store's.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The path that every way of writing it leads to, so that all of them meet at one lock.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    let unopenable = |source| OpenError::Unopenable {
        path: path.to_owned(),
        source,
    };
    match path.canonicalize() {
        Ok(found) if found.is_dir() => Err(unopenable(io::ErrorKind::IsADirectory.into())),
        Ok(found) => Ok(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path
                .file_name()
                .ok_or_else(|| unopenable(io::ErrorKind::InvalidInput.into()))?;
            let parent = match path.parent() {
                Some(parent) if parent != Path::new("") => parent,
                Some(_) | None => Path::new("."),
            };
            Ok(parent.canonicalize().map_err(unopenable)?.join(name))
        }
        Err(error) => Err(unopenable(error)),
    }
}

/// A connection that writes to the file.
pub(crate) fn to_write(path: &Path, options: &Options) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    // Whoever closes for good says so; after a failure the write-ahead log stays as it is.
    keep_wal(&connection, true)?;
    write_ahead(&connection)?;
    durable(&connection, options)?;
    Ok(connection)
}

/// Has the file written through a write-ahead log. The answer comes before the commit that makes it
/// true, so the statement is run to its end: a sync that fails there must not leave the file in
/// another mode unnoticed.
fn write_ahead(connection: &Connection) -> Result<(), Error> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// A connection that only looks.
pub(crate) fn to_read(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    keep_wal(&connection, true)?;
    Ok(connection)
}

/// The one connection of a store in memory.
pub(crate) fn in_memory(options: &Options) -> Result<Connection, Error> {
    let connection = Connection::open_in_memory()?;
    configure(&connection)?;
    limit(&connection, options)?;
    Ok(connection)
}

/// Says whether closing the last connection leaves the write-ahead log as it is.
pub(crate) fn keep_wal(connection: &Connection, keep: bool) -> Result<(), Error> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)
        .map(drop)
}

/// What holds for every connection.
///
/// A small page cache: SQLite goes over all of it at the end of most transactions that have split or
/// merged pages (it looks for pages behind the end of the file, which there are while they change
/// places), and a page that is not in it lies in the operating system's. A large transaction may fill
/// four times as much before its pages go into the log early.
pub(crate) fn configure(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -4096;
         PRAGMA cache_spill = -16384;",
    )
}

/// What holds for every connection that writes.
fn durable(connection: &Connection, options: &Options) -> Result<(), Error> {
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Relaxed => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.execute_batch(
        "PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    limit(connection, options)
}

fn limit(connection: &Connection, options: &Options) -> Result<(), Error> {
    let Some(bytes) = options.file_bytes else {
        return Ok(());
    };
    let pages = i64::try_from(bytes / u64::from(PAGE_BYTES)).unwrap_or(i64::MAX);
    let set = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    connection
        .pragma_update_and_check(None, "max_page_count", pages.max(1), set)
        .map(drop)
}

/// What it means that a store cannot be opened for this.
pub(crate) fn trouble(path: &Path, error: &Error) -> OpenError {
    let path = path.to_owned();
    match Fault::of(error) {
        Fault::Full => OpenError::DiskFull { path },
        Fault::Damage => OpenError::Damaged {
            path,
            detail: error.to_string(),
        },
        Fault::Path => OpenError::Unopenable {
            path,
            source: io::Error::other(error.to_string()),
        },
        Fault::Io | Fault::Other => OpenError::Backend {
            path,
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite makes of a number depends on its version: a limit it took for none would have a copied
    /// store held in memory as a whole.
    #[test]
    fn a_large_transaction_may_fill_more_than_the_cache_and_not_without_end() {
        let connection = Connection::open_in_memory().unwrap();
        configure(&connection).unwrap();
        let asked = |pragma| -> i64 {
            let read = |row: &rusqlite::Row<'_>| row.get(0);
            connection.pragma_query_value(None, pragma, read).unwrap()
        };
        assert_eq!(asked("cache_size"), -4_096);
        let spilled_after = asked("cache_spill") * i64::from(PAGE_BYTES);
        assert!((15 << 20..=16 << 20).contains(&spilled_after));
    }
}
