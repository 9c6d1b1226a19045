//! The embedded store that processes share: in memory, or in a file that outlives them and their store.

use std::io;
use std::path::{Path, PathBuf};

use rewake_sqlite::{Durability, Now, Options, SqliteStore};
use tempfile::TempDir;

/// The database and its write-ahead log, which is all that a process leaves.
const FILES: [&str; 2] = ["store.db", "store.db-wal"];

/// How a store ends before its file is opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Killed: the files are as they lie, with nothing moved out of the log and nothing tidied up.
    Killed,
    /// Its handle was dropped.
    Dropped,
    /// It was closed in good order.
    Closed,
}

impl Ending {
    /// How each is counted.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Killed => "met file-killed",
            Self::Dropped => "met file-dropped",
            Self::Closed => "met file-closed",
        }
    }
}

/// The embedded store.
pub(crate) enum Embedded {
    Memory(SqliteStore),
    File(FileStore),
}

/// A store in a file.
pub(crate) struct FileStore {
    folder: TempDir,
    now: Now,
    /// None where the file could not be opened again.
    store: Option<SqliteStore>,
}

impl Embedded {
    pub(crate) fn in_memory(now: Now) -> Self {
        Self::Memory(SqliteStore::open(Options::memory(now)).expect("a store in memory opens"))
    }

    pub(crate) fn in_file(now: Now) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let store = open(folder.path(), &now).expect("a new file opens");
        Self::File(FileStore {
            folder,
            now,
            store: Some(store),
        })
    }

    pub(crate) fn store(&self) -> SqliteStore {
        match self {
            Self::Memory(store) => store.clone(),
            Self::File(file) => file
                .store
                .clone()
                .expect("who cannot open it ends the world"),
        }
    }
}

impl FileStore {
    /// Lets the store end, and opens the file again.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub(crate) fn open_again(&mut self, after: Ending) -> Result<(), String> {
        let store = self.store.take();
        match after {
            Ending::Killed => {
                let left = copy(self.folder.path()).map_err(|error| error.to_string())?;
                drop(store);
                self.folder = left;
            }
            Ending::Dropped => drop(store),
            Ending::Closed => {
                let closed = store.as_ref().map(rewake_store::Sessions::close);
                if let Some(Err(error)) = closed.map(futures_executor::block_on) {
                    return Err(error.to_string());
                }
            }
        }
        self.store = Some(open(self.folder.path(), &self.now)?);
        Ok(())
    }
}

fn open(folder: &Path, now: &Now) -> Result<SqliteStore, String> {
    let options = Options::new(database(folder), Now::clone(now));
    // Processes die here, and no plug is pulled: that is the business of the store's own tests.
    SqliteStore::open(options.durability(Durability::Relaxed)).map_err(|error| error.to_string())
}

fn database(folder: &Path) -> PathBuf {
    folder.join(FILES[0])
}

/// The files as they lie, in a folder of their own. Nobody writes while they are copied, and what is
/// moved from the log into the database meanwhile stands in the log as well, which comes second.
fn copy(folder: &Path) -> io::Result<TempDir> {
    let left = tempfile::tempdir()?;
    for file in FILES {
        match std::fs::copy(folder.join(file), left.path().join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(left)
}
