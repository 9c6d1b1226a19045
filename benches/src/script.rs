//! What the engine writes for an operation, as its own file shows it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rewake_core::id::RunId;
use rusqlite::{Connection, OpenFlags};

/// One row that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// A frame of so many bytes.
    Frame(u32),
    /// A run's row of so many bytes; whether the wake-up index has it.
    Run { bytes: u32, due: bool },
    /// A token's row of so many bytes.
    Token(u32),
    /// A token's row is removed.
    TokenGone,
}

/// The rows of one operation, in order.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) writes: Vec<Write>,
    /// What the operations find; without it each is about a new run.
    pub(crate) existing: Option<Existing>,
}

/// Runs that are there before the first operation.
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    pub(crate) runs: u64,
    /// How many operations find each of them as they must.
    pub(crate) each: u64,
    pub(crate) writes: Vec<Write>,
}

impl Script {
    /// Fails unless these are as many rows as the database counted for the engine's operation.
    pub(crate) fn checked(self, counted: u64) -> Result<Self> {
        ensure!(
            self.writes.len() as u64 == counted,
            "the engine wrote {counted} rows for the operation, the floor would write {:?}",
            self.writes
        );
        Ok(self)
    }

    /// How many operations are left after the first `done`. Those about new runs have no end.
    pub(crate) fn left(&self, done: u64) -> u64 {
        let existing = self.existing.as_ref();
        let all = existing.map_or(u64::MAX, |existing| {
            existing.runs.saturating_mul(existing.each)
        });
        all.saturating_sub(done)
    }

    pub(crate) fn bytes(&self) -> u32 {
        let bytes = self.writes.iter().map(|write| match write {
            Write::Frame(bytes) | Write::Run { bytes, .. } | Write::Token(bytes) => *bytes,
            Write::TokenGone => 0,
        });
        bytes.sum()
    }
}

/// The statements that make the store's tables and indexes.
#[derive(Clone, Debug)]
pub(crate) struct Schema(pub(crate) Vec<String>);

/// A look into the store's file, beside the engine.
#[derive(Debug)]
pub(crate) struct Look {
    connection: Connection,
}

impl Look {
    pub(crate) fn into(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        Ok(Self { connection })
    }

    pub(crate) fn schema(&self) -> Result<Schema> {
        let mut statement = self
            .connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
        let found = statement.query_map([], |row| row.get(0))?;
        Ok(Schema(found.collect::<Result<_, _>>()?))
    }

    /// The lengths of a run's frames, oldest first.
    pub(crate) fn frames(&self, run: RunId) -> Result<Vec<u32>> {
        let mut statement = self
            .connection
            .prepare("SELECT length(body) FROM frames WHERE run = ?1 ORDER BY first")?;
        let found = statement.query_map([run.to_bytes()], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The length of a run's row.
    pub(crate) fn run(&self, run: RunId) -> Result<u32> {
        self.connection
            .query_row(
                "SELECT length(body) FROM runs WHERE run = ?1",
                [run.to_bytes()],
                |row| row.get(0),
            )
            .context("the run has no row")
    }

    /// The length of a token's row.
    pub(crate) fn token(&self, token: &str) -> Result<u32> {
        self.connection
            .query_row(
                "SELECT length(body) FROM tokens WHERE token = ?1",
                [token],
                |row| row.get(0),
            )
            .context("the token has no row")
    }
}
