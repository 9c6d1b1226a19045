//! A file of the floor's own, and what is written to it.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use rewake::Durability;
use rusqlite::{Connection, OpenFlags, params};

use crate::script::{Schema, Script, Write};

/// A file to write to.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) connection: Connection,
    /// The operation that comes next.
    pub(super) next: u64,
}

impl Ground {
    /// A new file with what the operations find: runs that wait, each with its token.
    pub(super) fn lay(
        path: &Path,
        schema: &Schema,
        script: &Script,
        durability: Durability,
    ) -> Result<Self> {
        let connection = open(path, durability)?;
        for sql in &schema.0 {
            connection.execute_batch(sql)?;
        }
        if let Some(existing) = &script.existing {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for n in 0..existing.runs {
                for write in &existing.writes {
                    put(&connection, write, n, 0, 0)?;
                }
            }
            connection.execute_batch("COMMIT")?;
            connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .context("the floor could not be laid")?;
        }
        Ok(Self {
            connection,
            next: 0,
        })
    }

    /// Writes some rows of some operations, and some of others.
    pub(super) fn transaction(
        &self,
        script: &Script,
        parts: impl IntoIterator<Item = (Range<u64>, Range<usize>)>,
    ) -> Result<()> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        for (operations, writes) in parts {
            for n in operations {
                self.write(script, n, writes.clone())?;
            }
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn write(&self, script: &Script, n: u64, writes: Range<usize>) -> Result<()> {
        let runs = script.existing.as_ref().map(|existing| existing.runs);
        let run = runs.map_or(n, |runs| n % runs);
        for at in writes {
            put(&self.connection, &script.writes[at], run, n + 1, at)?;
        }
        Ok(())
    }
}

fn open(path: &Path, durability: Durability) -> Result<Connection> {
    let folder = path.parent().context("the file has a folder")?;
    std::fs::remove_dir_all(folder)?;
    std::fs::create_dir_all(folder)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(64);
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Relaxed => "NORMAL",
    };
    // As the store has it, but for the checkpoints: every 8 MiB, by whoever commits.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(&format!(
        "PRAGMA temp_store = MEMORY;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -4096;
         PRAGMA cache_spill = -16384;
         PRAGMA synchronous = {synchronous};
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;"
    ))?;
    connection.query_row("PRAGMA wal_autocheckpoint = 2048", [], |_| Ok(()))?;
    Ok(connection)
}

/// Writes one row of the `n`th operation, with the statements of the store.
fn put(connection: &Connection, write: &Write, run: u64, n: u64, at: usize) -> Result<()> {
    let (id, token) = (id(run), format!("bench:{run}"));
    match write {
        Write::Frame(bytes) => connection
            .prepare_cached("INSERT INTO frames (run, first, body) VALUES (?1, ?2, ?3)")?
            .execute(params![id, position(n, at), body(*bytes)])?,
        Write::Run { bytes, due } => connection
            .prepare_cached(
                "INSERT INTO runs (run, scope, wake_at, parked, body) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (run) DO UPDATE
                 SET wake_at = excluded.wake_at, parked = excluded.parked, body = excluded.body",
            )?
            .execute(params![
                id,
                0,
                due.then_some(1_800_000_000_000_i64),
                false,
                body(*bytes)
            ])?,
        Write::Token(bytes) => connection
            .prepare_cached(
                "INSERT INTO tokens (scope, token, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (scope, token) DO UPDATE SET body = excluded.body",
            )?
            .execute(params![0, token, body(*bytes)])?,
        Write::TokenGone => connection
            .prepare_cached("DELETE FROM tokens WHERE scope = ?1 AND token = ?2")?
            .execute(params![0, token])?,
    };
    Ok(())
}

/// Ids of runs begin with the time, so they come about in order.
fn id(run: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&run.to_be_bytes());
    id[8..].copy_from_slice(&run.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    id
}

fn position(n: u64, at: usize) -> i64 {
    i64::try_from(n * 64 + at as u64).unwrap_or(i64::MAX)
}

fn body(bytes: u32) -> Vec<u8> {
    vec![0x5a; bytes as usize]
}
