//! A new file as the target of a copy, whole or not at all.
//!
//! It is filled under another name and renamed when it is complete and on the disk, so what a copy that
//! broke off leaves behind is never taken for a store; the next copy removes it. Since nobody reads it
//! before that, it is written without a journal, and synced once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use futures_util::future::ready;
use rewake_store::copy::{AnyRow, CopyIn, NotEmpty, RowKind, Tally};
use rewake_store::{StoreError, StoreFuture};
use rusqlite::Connection;

use crate::connect::{self, beside, resolve, trouble};
use crate::create::{begin, blank, place};
use crate::error::{CopyInError, OpenError};
use crate::fault::refusal;
use crate::lock::Lock;
use crate::migrate;
use crate::options::{Options, Place};
use crate::store::SqliteStore;
use crate::tables::Tables;

impl SqliteStore {
    /// Begins to fill a new store at the options' path. Nothing is there under that name before the copy
    /// is finished, and no process can open it meanwhile.
    ///
    /// # Errors
    ///
    /// [`CopyInError::NotEmpty`] where a store is there that holds anything, [`CopyInError::Open`] where
    /// the place cannot be written, belongs to something else, or is a store in memory.
    pub fn copy_in(options: &Options) -> Result<Box<dyn CopyIn>, CopyInError> {
        let Place::File(path) = &options.place else {
            return Err(nowhere().into());
        };
        let path = resolve(path)?;
        let lock = Lock::take(&path, options.wait_for_store)?;
        let found = found(&path)?;
        if found.total() > 0 {
            return Err(NotEmpty { found }.into());
        }
        let new = beside(&path, "-copy");
        blank(&new).map_err(|source| OpenError::Unopenable {
            path: path.clone(),
            source,
        })?;
        let connection = unsynced(&new).map_err(|error| trouble(&path, &error))?;
        Ok(Box::new(NewFile {
            path,
            new,
            connection: Some(connection),
            _lock: lock,
        }))
    }
}

/// A copy in memory would be gone with the handle that nobody has.
fn nowhere() -> OpenError {
    OpenError::Unopenable {
        path: PathBuf::from(":memory:"),
        source: io::Error::new(io::ErrorKind::InvalidInput, "a copy wants a file"),
    }
}

/// What a store that is there holds.
fn found(path: &Path) -> Result<Tally, OpenError> {
    if !fs::metadata(path).is_ok_and(|found| found.len() > 0) {
        return left_over(path).map(|()| Tally::default());
    }
    migrate::inspect(path)?;
    let refused = |error| trouble(path, &error);
    let connection = connect::to_read(path).map_err(refused)?;
    migrate::check_schema(path, &connection)?;
    tally(&connection).map_err(refused)
}

/// What a store leaves beside its file would be taken for the new one's.
fn left_over(path: &Path) -> Result<(), OpenError> {
    let wal = beside(path, "-wal");
    if fs::metadata(&wal).is_ok_and(|found| found.len() > 0) {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: format!("it is gone, and its `{}` is still there", wal.display()),
        });
    }
    Ok(())
}

fn unsynced(new: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = begin(new)?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF;
         PRAGMA journal_mode = OFF;
         BEGIN IMMEDIATE;",
    )?;
    Ok(connection)
}

/// The rows of each table.
fn tally(connection: &Connection) -> Result<Tally, rusqlite::Error> {
    let count = |kind| {
        let sql = format!("SELECT count(*) FROM {}", table(kind));
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok((kind, u64::try_from(rows).unwrap_or_default()))
    };
    RowKind::ALL.into_iter().map(count).collect()
}

const fn table(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Scope => "scopes",
        RowKind::Run => "runs",
        RowKind::Frame => "frames",
        RowKind::Token => "tokens",
        RowKind::Key => "keys",
        RowKind::Forget => "forgets",
        RowKind::StartKey => "start_keys",
        RowKind::Owed => "owed",
        RowKind::Chunk => "chunks",
        RowKind::Mail => "mail",
    }
}

struct NewFile {
    path: PathBuf,
    new: PathBuf,
    /// Gone once the file is complete.
    connection: Option<Connection>,
    /// Dropped last.
    _lock: Lock,
}

impl NewFile {
    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or_else(|| StoreError::Closed {
            reason: "the copy is finished".to_owned(),
        })
    }

    fn write(&self, rows: Vec<AnyRow>) -> Result<(), StoreError> {
        let mut tables = Tables::of_reader(self.connection()?);
        let (scopes, writes) = AnyRow::into_writes(rows);
        for row in scopes {
            tables.put_scope(&row)?;
        }
        tables.write(writes)
    }

    fn complete(&mut self) -> Result<(), StoreError> {
        self.connection()?
            .execute_batch("COMMIT")
            .map_err(|error| refusal(&error))?;
        if let Some(connection) = self.connection.take() {
            let closed = connection.close();
            closed.map_err(|(_, error)| refusal(&error))?;
        }
        let synced = File::open(&self.new).and_then(|file| file.sync_all());
        synced.map_err(|error| refused(&error))?;
        // Of an empty store that stood here.
        for suffix in ["-wal", "-shm"] {
            remove(&beside(&self.path, suffix)).map_err(|error| refused(&error))?;
        }
        place(&self.new, &self.path).map_err(|error| StoreError::OutcomeUnknown {
            reason: error.to_string(),
        })
    }
}

impl CopyIn for NewFile {
    fn load(&mut self, rows: Vec<AnyRow>) -> StoreFuture<()> {
        ready(self.write(rows)).boxed()
    }

    fn tally(&mut self) -> StoreFuture<Tally> {
        let counted = self
            .connection()
            .and_then(|connection| tally(connection).map_err(|error| refusal(&error)));
        ready(counted).boxed()
    }

    fn finish(mut self: Box<Self>) -> StoreFuture<()> {
        ready(self.complete()).boxed()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        drop(self.connection.take());
        // Under its name it is not there any more once it is complete; otherwise the next copy tries too.
        drop(remove(&self.new));
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

fn refused(error: &io::Error) -> StoreError {
    StoreError::Backend {
        reason: error.to_string(),
    }
}
