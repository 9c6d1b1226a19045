//! The conformance suite on the PostgreSQL store, each case in a database of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rewake_postgres::private_server::Database;
use rewake_postgres::{Options, PostgresStore};
use rewake_store::conformance::{Harness, Injury};
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::{Durability, Store};

struct InDatabase {
    database: Database,
    now: Arc<AtomicU64>,
}

impl InDatabase {
    fn new() -> Self {
        Self {
            database: Database::new().unwrap(),
            now: Arc::default(),
        }
    }

    /// Spoils the bodies of the rows that a condition picks, without their checksums.
    fn spoil(&self, table: &str, condition: &str) -> bool {
        let spoiled = self.database.query(&format!(
            "WITH spoiled AS (
                 UPDATE rewake.{table} SET body = decode(repeat('00', length(body)), 'hex')
                 WHERE {condition} RETURNING 1)
             SELECT count(*) FROM spoiled"
        ));
        spoiled.unwrap() != "0"
    }
}

impl Harness for InDatabase {
    fn open(&self) -> Arc<dyn Store> {
        let now = Arc::clone(&self.now);
        let clock = move || Timestamp::from_millis(now.load(Ordering::Relaxed));
        let options = Options::new(self.database.url())
            .durability(Durability::Relaxed)
            .clock(Arc::new(clock));
        Arc::new(PostgresStore::open(options).unwrap())
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        drop(store);
        Some(self.open())
    }

    fn set_now(&self, now: Timestamp) {
        self.now.store(now.as_millis(), Ordering::Relaxed);
    }

    fn injure(&self, injury: &Injury) -> bool {
        match injury {
            Injury::Commit => self.database.query(CUT_THE_FIRST_COMMIT).is_ok(),
            Injury::Log(run) => self.spoil("frames", &of_run(*run)),
            Injury::Run(run) => self.spoil("runs", &of_run(*run)),
            Injury::Hook(token) => {
                let condition = format!("token = '{token}'::bytea", token = token.as_str());
                self.spoil("tokens", &condition)
            }
        }
    }

    /// The server goes on, and so does the store.
    fn fails_shut(&self) -> bool {
        false
    }
}

fn of_run(run: RunId) -> String {
    let hex = run.to_bytes().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    format!("run = '{hex}'")
}

/// Cuts the connection of the next transaction that adds a frame or a chunk, in the middle of its
/// commit. What a sequence has counted stays counted, so it is the next one and no other.
const CUT_THE_FIRST_COMMIT: &str = include_str!("cut_the_first_commit.sql");

rewake_store::conformance_suite!(InDatabase::new());
