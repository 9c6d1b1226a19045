//! The conformance suite on the SQLite store, in a file and in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rewake_sqlite::{Options, SqliteStore};
use rewake_store::Store;
use rewake_store::conformance::{Harness, Skip};
use rewake_store::core::time::Timestamp;
use tempfile::TempDir;

#[derive(Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::Relaxed);
    }

    fn now(&self) -> rewake_sqlite::Now {
        let now = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed)))
    }
}

struct InFile {
    directory: TempDir,
    clock: Clock,
}

impl InFile {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            clock: Clock::default(),
        }
    }
}

impl Harness for InFile {
    fn open(&self) -> Arc<dyn Store> {
        let path = self.directory.path().join("rewake.db");
        Arc::new(SqliteStore::open(Options::new(path, self.clock.now())).unwrap())
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        drop(store);
        Some(self.open())
    }

    fn set_now(&self, now: Timestamp) {
        self.clock.set(now);
    }
}

#[derive(Default)]
struct InMemory {
    clock: Clock,
}

impl Harness for InMemory {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(Options::memory(self.clock.now())).unwrap())
    }

    fn reopen(&self, _: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        None
    }

    fn set_now(&self, now: Timestamp) {
        self.clock.set(now);
    }

    fn skips(&self) -> &[Skip] {
        &[]
    }
}

mod in_file {
    use super::*;

    rewake_store::conformance_suite!(InFile::new());
}

mod in_memory {
    use super::*;

    rewake_store::conformance_suite!(InMemory::default());
}
