//! The floor: what the same rows cost on the same disk, written by a program without an engine.
//!
//! It has a file of its own with the store's schema and the store's settings, and writes for each
//! operation as many rows of as many bytes as the engine was seen to write. This module must not use
//! the engine.

mod apart;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rewake::Durability;
use rusqlite::{Connection, OpenFlags, params};

use crate::callers::per_second;
use crate::clock;
use crate::latency::Latency;
use crate::script::{Schema, Script, Write};
pub(crate) use apart::Apart;

/// The group sizes that are tried for the best rate.
const GROUPS: [u64; 6] = [32, 64, 128, 256, 512, 1024];
/// What one measurement gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    /// One transaction, one operation: the median in microseconds.
    pub(crate) f1: f64,
    /// Operations a second, 32 in a transaction.
    pub(crate) f32: f64,
    /// Operations a second at the best size of a transaction.
    pub(crate) max: f64,
    /// Operations a second with their halves apart, where that was asked for.
    pub(crate) apart: Option<f64>,
}

/// What is written, and where.
#[derive(Debug)]
pub(crate) struct Floor {
    path: PathBuf,
    schema: Schema,
    script: Script,
    durability: Durability,
    apart: Option<Apart>,
    /// How long each part of a measurement takes.
    span: Duration,
    /// The file as it stands.
    ground: Option<Ground>,
}

/// A file to write to.
#[derive(Debug)]
struct Ground {
    connection: Connection,
    /// The operation that comes next.
    next: u64,
}

impl Floor {
    /// A floor under the operations that `script` describes.
    pub(crate) fn new(
        path: &Path,
        schema: &Schema,
        script: &Script,
        durability: Durability,
        span: Duration,
    ) -> Self {
        Self {
            path: path.to_owned(),
            schema: schema.clone(),
            script: script.clone(),
            durability,
            apart: None,
            span,
            ground: None,
        }
    }

    /// Measures operations in halves as well.
    pub(crate) fn with_apart(self, apart: Option<Apart>) -> Self {
        Self { apart, ..self }
    }

    /// Measures the machine as it is now.
    pub(crate) fn measure(&mut self) -> Result<Measure> {
        let f1 = self.one_by_one()?.p50();
        let f32 = self.rate(32)?;
        let mut max = f32;
        // Of a few transactions no rate can be told.
        let most = self.script.left(0) / 8;
        for group in GROUPS.into_iter().filter(|group| *group <= most) {
            max = f64::max(max, self.rate(group)?);
        }
        let apart = self.apart.map(|apart| self.halves(apart)).transpose()?;
        Ok(Measure {
            f1,
            f32,
            max,
            apart,
        })
    }

    /// Measures only what one operation takes: of large ones, many together would fill the disk.
    pub(crate) fn measure_f1(&mut self) -> Result<Measure> {
        Ok(Measure {
            f1: self.one_by_one()?.p50(),
            f32: f64::NAN,
            max: f64::NAN,
            apart: None,
        })
    }

    fn one_by_one(&mut self) -> Result<Latency> {
        let mut latency = Latency::new();
        self.each(1, |took| latency.record(took))?;
        Ok(latency)
    }

    /// Operations a second with `group` of them in a transaction.
    fn rate(&mut self, group: u64) -> Result<f64> {
        let (mut done, mut took) = (0, Duration::ZERO);
        self.each(group, |each| {
            done += group;
            took += each;
        })?;
        Ok(per_second(done, took))
    }

    /// Makes transactions of so many operations, and says what each took.
    fn each(&mut self, operations: u64, mut say: impl FnMut(Duration)) -> Result<()> {
        self.each_with(operations, |ground, script, coming| {
            let before = clock::now();
            ground.transaction(script, [(coming, 0..script.writes.len())])?;
            say(before.elapsed());
            Ok(())
        })
    }

    /// Gives so many operations at a time, until the time is over or no run is left that such an
    /// operation could find as it must.
    fn each_with(
        &mut self,
        operations: u64,
        mut make: impl FnMut(&Ground, &Script, Range<u64>) -> Result<()>,
    ) -> Result<()> {
        let (script, span) = (self.script.clone(), self.span);
        let ground = self.ground()?;
        let began = clock::now();
        while began.elapsed() < span && script.left(ground.next) >= operations {
            let coming = ground.next..ground.next + operations;
            ground.next = coming.end;
            make(ground, &script, coming)?;
        }
        Ok(())
    }

    /// The file, made anew where less than half of the operations are left that it was laid for.
    fn ground(&mut self) -> Result<&mut Ground> {
        let known = self.ground.take();
        let is_good = |ground: &Ground| self.script.left(ground.next) >= self.script.left(0) / 2;
        let ground = match known.filter(is_good) {
            Some(ground) => ground,
            None => self.lay()?,
        };
        Ok(self.ground.insert(ground))
    }

    /// A new file with what the operations find: runs that wait, each with its token.
    fn lay(&self) -> Result<Ground> {
        let connection = self.open()?;
        for sql in &self.schema.0 {
            connection.execute_batch(sql)?;
        }
        if let Some(existing) = &self.script.existing {
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
        Ok(Ground {
            connection,
            next: 0,
        })
    }

    fn open(&self) -> Result<Connection> {
        let folder = self.path.parent().context("the file has a folder")?;
        std::fs::remove_dir_all(folder)?;
        std::fs::create_dir_all(folder)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.set_prepared_statement_cache_capacity(64);
        let synchronous = match self.durability {
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
}

impl Ground {
    /// Writes some rows of some operations, and some of others.
    fn transaction(
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
