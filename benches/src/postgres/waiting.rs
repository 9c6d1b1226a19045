//! Runs that wait on hooks, by the million: what they take of the database and of the process, and
//! what they cost others.

use anyhow::{Context, Result};
use rewake_postgres::private_server::{Database, PrivateServer};

use super::NAME;
use super::world::World;
use crate::bench::Bench;
use crate::callers;
use crate::clock;
use crate::latency::Latency;
use crate::process;
use crate::report::Row;
use crate::workload::resume::{resume, start_waiting};

/// Sizes are looked up, each by one question.
const TABLES: [(&str, &str); 2] = [
    ("tables", "pg_table_size(relid)"),
    ("indexes", "pg_indexes_size(relid)"),
];

pub(super) async fn run(bench: &Bench, server: &PrivateServer) -> Result<Vec<Row>> {
    let few = beside(bench, server, bench.scale(1_000, 500)).await?;
    let many = beside(bench, server, bench.scale(1_000_000, 5_000)).await?;
    let runs = many.runs;
    let what = |text: &str| format!("{runs} runs: {text}");
    let mut rows = vec![
        Row::new(NAME, what("started and waiting"), many.rate, "1/s"),
        Row::new(NAME, what("memory of the process"), many.memory, "MiB"),
        Row::new(NAME, what("a lone resume, p50"), many.resume.p50(), "µs")
            .detail("with few waiting, µs", few.resume.p50())
            .percentiles(many.resume.percentiles()),
    ];
    for (name, size) in many.sizes {
        rows.push(Row::new(NAME, what(&format!("{name} each")), size, "bytes"));
    }
    Ok(rows)
}

/// What was seen with so many runs.
struct Seen {
    runs: u64,
    rate: f64,
    memory: f64,
    resume: Latency,
    sizes: Vec<(&'static str, f64)>,
}

async fn beside(bench: &Bench, server: &PrivateServer, runs: u64) -> Result<Seen> {
    let database = server.database()?;
    let world = World::open(&database).await?;
    let before = process::resident_bytes()?;
    let began = clock::now();
    start_waiting(&world.rewake, runs).await?;
    let rate = callers::per_second(runs, began.elapsed());
    let memory = process::resident_bytes()?.saturating_sub(before);
    let mut latency = Latency::new();
    let some = bench.scale(500, 100);
    for n in 0..some {
        let began = clock::now();
        resume(&world.rewake, n * (runs / some)).await?;
        latency.record(began.elapsed());
    }
    let sizes = TABLES.iter().map(|(name, size)| {
        let size = self::size(&database, size)?;
        Ok((*name, each(size, runs)))
    });
    let sizes = sizes.collect::<Result<_>>()?;
    world.close().await?;
    Ok(Seen {
        runs,
        rate,
        memory: each(memory, 1 << 20),
        resume: latency,
        sizes,
    })
}

/// What all tables of the store have of something, in bytes.
fn size(database: &Database, size: &str) -> Result<u64> {
    let sql =
        format!("SELECT sum({size})::bigint FROM pg_stat_user_tables WHERE schemaname = 'rewake'");
    database.query(&sql)?.trim().parse().context("a size")
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn each(bytes: u64, many: u64) -> f64 {
    bytes as f64 / many as f64
}
