//! The conformance suite on the SQLite store, in a file and in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rewake_sqlite::{Options, SqliteStore};
use rewake_store::Store;
use rewake_store::conformance::{Harness, Injury, Skip};
use rewake_store::core::time::Timestamp;
use rusqlite::Connection;
use rusqlite::types::ToSql;
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

    fn path(&self) -> PathBuf {
        self.directory.path().join("rewake.db")
    }

    /// Another program at the file.
    fn outside(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

impl Harness for InFile {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(Options::new(self.path(), self.clock.now())).unwrap())
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        drop(store);
        self.outside().execute_batch(HEAL).unwrap();
        Some(self.open())
    }

    fn set_now(&self, now: Timestamp) {
        self.clock.set(now);
    }

    fn injure(&self, injury: &Injury) -> bool {
        let file = self.outside();
        let spoiled = |table: &str, column: &str, place: &dyn ToSql| {
            let spoil = "SET body = zeroblob(length(body))";
            let sql = format!("UPDATE {table} {spoil} WHERE {column} = ?1");
            file.execute(&sql, [place]).unwrap() > 0
        };
        match injury {
            Injury::Commit => file.execute_batch(INJURE).is_ok(),
            Injury::Log(run) => spoiled("frames", "run", &run.to_bytes()),
            Injury::Run(run) => spoiled("runs", "run", &run.to_bytes()),
            Injury::Hook(token) => spoiled("tokens", "token", &token.as_str()),
        }
    }

    fn skips(&self) -> &[Skip] {
        ALONE
    }
}

/// What a commit meets that is refused in its last moment: something that it must hold and does
/// not. To the store that is an error of the commit, after which nobody knows.
const INJURE: &str = "
    CREATE TABLE kept (id INTEGER PRIMARY KEY);
    CREATE TABLE missing (id REFERENCES kept DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER frame_misses AFTER INSERT ON frames BEGIN INSERT INTO missing VALUES (1); END;
    CREATE TRIGGER chunk_misses AFTER INSERT ON chunks BEGIN INSERT INTO missing VALUES (1); END;";
const HEAL: &str = "
    DROP TRIGGER IF EXISTS frame_misses;
    DROP TRIGGER IF EXISTS chunk_misses;
    DROP TABLE IF EXISTS missing;
    DROP TABLE IF EXISTS kept;";

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
        SKIPS
    }
}

const SKIPS: &[Skip] = &[
    cannot_fail("unknown::a_start_is_there_once_when_it_is_repeated"),
    cannot_fail("unknown::an_append_is_there_once_when_it_is_repeated"),
    cannot_fail("unknown::a_payload_is_there_once_when_it_is_repeated"),
    cannot_fail("unknown::an_answer_stands_when_it_is_repeated"),
    cannot_be_reached("damage::a_log_is_not_read"),
    cannot_be_reached("damage::a_run_takes_nothing"),
    cannot_be_reached("damage::a_hook_takes_nothing"),
    ALONE[0],
    ALONE[1],
    ALONE[2],
];

const ALONE: &[Skip] = &[is_alone("nodes"), is_alone("claims"), is_alone("news")];

const fn is_alone(case: &'static str) -> Skip {
    let reason = "one process at a time works on a file";
    Skip { case, reason }
}

const fn cannot_fail(case: &'static str) -> Skip {
    let reason = "there is no disk under a store in memory, and nothing to open again";
    Skip { case, reason }
}

const fn cannot_be_reached(case: &'static str) -> Skip {
    let reason = "no other connection reaches a store in memory";
    Skip { case, reason }
}

mod in_file {
    use super::*;

    rewake_store::conformance_suite!(InFile::new());
}

mod in_memory {
    use super::*;

    rewake_store::conformance_suite!(InMemory::default());
}
