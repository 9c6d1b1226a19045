//! How a store is opened.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rewake_store::core::time::Timestamp;
use rewake_store::{Durability, Patience};

/// The store's clock.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    pub(crate) place: Place,
    pub(crate) now: Now,
    pub(crate) durability: Durability,
    pub(crate) wait_for_store: Duration,
    pub(crate) queue_bytes: usize,
    pub(crate) wal_bytes: u64,
    pub(crate) file_bytes: Option<u64>,
    pub(crate) read_only: bool,
    pub(crate) patience: Patience,
}

/// Where a store keeps its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    File(PathBuf),
}

impl Options {
    /// A store in the file at `path`, made if it does not exist; `:memory:` is one of its own in
    /// memory. It takes the time from `now`.
    pub fn new(path: impl AsRef<Path>, now: Now) -> Self {
        let path = path.as_ref();
        let place = if path == Path::new(":memory:") {
            Place::Memory
        } else {
            Place::File(path.to_owned())
        };
        Self {
            place,
            now,
            durability: Durability::Full,
            wait_for_store: Duration::from_secs(10),
            queue_bytes: 64 << 20,
            wal_bytes: 64 << 20,
            file_bytes: None,
            read_only: false,
            patience: Patience::new(),
        }
    }

    /// A store in memory, gone when its last handle is. It takes the time from `now`.
    pub fn memory(now: Now) -> Self {
        Self::new(":memory:", now)
    }

    /// What an answer promises. [`Durability::Full`] unless set.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long to wait for another process to let go of the file. Ten seconds unless set.
    #[must_use]
    pub fn wait_for_store(mut self, wait: Duration) -> Self {
        self.wait_for_store = wait;
        self
    }

    /// How many bytes of requests may wait to be written before outsiders get
    /// [`Overloaded`](rewake_store::StoreError::Overloaded). 64 MiB unless set.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// How large the write-ahead log may grow before writing pauses for it. 64 MiB unless set.
    #[must_use]
    pub fn wal_bytes(mut self, bytes: u64) -> Self {
        self.wal_bytes = bytes;
        self
    }

    /// How large the file may grow before requests get
    /// [`DiskFull`](rewake_store::StoreError::DiskFull). As large as the disk allows unless set.
    #[must_use]
    pub fn file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = Some(bytes);
        self
    }

    /// To look and not to write, beside the process that writes. Every request that would write is
    /// refused with [`ReadOnly`](rewake_store::StoreError::ReadOnly). What is seen may
    /// not be on stable storage yet: a power cut can undo it. Once a sync has failed
    /// in the process that writes, nobody may until this store is let go of
    /// ([`Stale`](crate::OpenError::Stale)).
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// How the writer waits for requests. [`Patience::new`] unless set; with [`Patience::none`] it
    /// saves some processor time, and a lone caller waits longer.
    #[must_use]
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("place", &self.place)
            .field("durability", &self.durability)
            .field("wait_for_store", &self.wait_for_store)
            .field("queue_bytes", &self.queue_bytes)
            .field("wal_bytes", &self.wal_bytes)
            .field("file_bytes", &self.file_bytes)
            .field("read_only", &self.read_only)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
