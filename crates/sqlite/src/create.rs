//! The making of a new file, whole or not at all.
//!
//! It is made under another name and renamed when it is complete, so that a process that dies in the
//! middle leaves nothing that looks like a damaged store.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::connect::{PAGE_BYTES, beside, configure, trouble};
use crate::error::OpenError;
use crate::lock::private;
use crate::migrate;

/// Makes the file if there is none, or an empty one that never held a store.
pub(crate) fn ensure(path: &Path, existed: bool) -> Result<(), OpenError> {
    match fs::metadata(path) {
        Ok(found) if found.len() > 0 => return Ok(()),
        Ok(_) if existed => {
            return Err(OpenError::Damaged {
                path: path.to_owned(),
                detail: "it is empty, and held a store before".to_owned(),
            });
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unopenable(path, error)),
    }
    make(path)
}

fn make(path: &Path) -> Result<(), OpenError> {
    let new = beside(path, "-new");
    blank(&new).map_err(|error| unopenable(path, error))?;
    let made = begin(&new).and_then(|connection| connection.close().map_err(|(_, error)| error));
    made.map_err(|error| trouble(path, &error))?;
    place(&new, path).map_err(|error| unopenable(path, error))
}

/// Makes the tables in a blank file.
pub(crate) fn begin(new: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(new, flags)?;
    configure(&connection)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;")?;
    migrate::make(&connection)?;
    Ok(connection)
}

/// An empty file that only its owner may read; SQLite gives those beside it the same rights.
pub(crate) fn blank(path: &Path) -> io::Result<()> {
    for left_over in [path.to_owned(), beside(path, "-journal")] {
        match fs::remove_file(left_over) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) | Ok(()) => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    options.open(path).map(drop)
}

/// Gives the file its name, for good: the directory is synced too.
pub(crate) fn place(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)?;
    sync_names(path)
}

/// Makes the names beside a path as lasting as what they name.
pub(crate) fn sync_names(path: &Path) -> io::Result<()> {
    match path.parent() {
        #[cfg(unix)]
        Some(directory) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

fn unopenable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Unopenable {
        path: path.to_owned(),
        source,
    }
}
