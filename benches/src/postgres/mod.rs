//! The same engine on PostgreSQL: a server of this program's own on the same disk and the same cores,
//! and beside each figure a floor that writes the same rows to the same server without an engine.
//!
//! Asked for by name only (`bench postgres`): it wants PostgreSQL's server programs.

mod floor;
mod nodes;
mod rows;
mod steps;
mod waiting;
mod world;

use std::time::Duration;

use anyhow::{Context, Result};
use rewake_postgres::private_server::{PrivateServer, Settings};

use crate::bench::Bench;
use crate::callers;
use crate::clock;
use crate::latency::Latency;
use crate::report::{Floors, Row, Which, median};
use crate::workflows::token;
use crate::workload::resume::{place, resume, start_known_waiting};

use floor::Floor;
use rows::Rows;
use world::World;

const NAME: &str = "postgres";
/// How often the engine is measured; the floor once more.
const ROUNDS: usize = 2;

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let server = tokio::task::spawn_blocking(|| PrivateServer::start(&Settings::default()))
        .await?
        .context("there is no server")?;
    let mut rows = Vec::new();
    if bench.wants("alone") {
        rows.extend(alone(bench, &server).await?);
    }
    if bench.wants("together") {
        rows.push(together(bench, &server).await?);
    }
    if bench.wants("steps") {
        rows.extend(steps::run(bench, &server).await?);
    }
    if bench.wants("nodes") {
        rows.extend(nodes::run(bench, &server).await?);
    }
    if bench.wants("waiting") {
        rows.extend(waiting::run(bench, &server).await?);
    }
    Ok(rows)
}

/// Measures the engine between floors.
async fn beside_floor<T, F>(
    bench: &Bench,
    server: &PrivateServer,
    rows: &Rows,
    engine: impl Fn() -> F,
) -> Result<(Vec<T>, Floors)>
where
    F: Future<Output = Result<T>>,
{
    let span = Duration::from_millis(bench.scale(1_000, 150));
    let database = server.database()?;
    World::open(&database).await?.close().await?; // Makes the tables.
    let mut floor = Floor::new(&database, rows, span).await?;
    let mut floors = Floors(vec![floor.measure().await?]);
    let mut found = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        found.push(engine().await?);
        floors.0.push(floor.measure().await?);
    }
    Ok((found, floors))
}

/// One caller who resumes a run and waits for its end.
async fn alone(bench: &Bench, server: &PrivateServer) -> Result<Vec<Row>> {
    let calls = bench.scale(1_000, 100);
    let accepted = Rows::of_a_resume(server).await?;
    let (rounds, floors) =
        beside_floor(bench, server, &accepted, || one_caller(server, calls)).await?;
    let f1 = floors.median(Which::F1);
    let (mut taken, mut finished) = (Latency::new(), Latency::new());
    for (round_taken, round_finished) in &rounds {
        taken.add(round_taken);
        finished.add(round_finished);
    }
    Ok(vec![
        Row::new(NAME, "resume accepted, one caller p50", taken.p50(), "µs")
            .beside(&floors, Which::F1)
            .percentiles(taken.percentiles()),
        Row::new(
            NAME,
            "resume → finished, one caller p50",
            finished.p50(),
            "µs",
        )
        .beside(&floors, Which::F1)
        .at_most(2.0f64.mul_add(f1, 400.0), "2 F1 + 400 µs")
        .percentiles(finished.percentiles()),
    ])
}

async fn one_caller(server: &PrivateServer, calls: u64) -> Result<(Latency, Latency)> {
    let database = server.database()?;
    let world = World::open(&database).await?;
    let runs = start_known_waiting(&world.rewake, calls).await?;
    let (mut taken, mut finished) = (Latency::new(), Latency::new());
    for (n, run) in (0..calls).zip(runs) {
        let began = clock::now();
        resume(&world.rewake, n).await?;
        taken.record(began.elapsed());
        world.rewake.get_run::<u64>(run).result().await?;
        finished.record(began.elapsed());
    }
    world.close().await?;
    Ok((taken, finished))
}

/// Many callers, each of whom resumes runs and waits for their ends.
async fn together(bench: &Bench, server: &PrivateServer) -> Result<Row> {
    const CALLERS: u64 = 64;
    let calls = bench.scale(4_000, 512);
    let rows = Rows::of_a_resume(server).await?.until_the_end();
    let (rounds, floors) = beside_floor(bench, server, &rows, || {
        many_callers(server, CALLERS, calls)
    })
    .await?;
    Ok(Row::new(
        NAME,
        "64 callers, each run finishing",
        median(rounds),
        "1/s",
    )
    .beside(&floors, Which::F32))
}

async fn many_callers(server: &PrivateServer, callers: u64, calls: u64) -> Result<f64> {
    let database = server.database()?;
    let world = World::open(&database).await?;
    let runs = std::sync::Arc::new(start_known_waiting(&world.rewake, calls).await?);
    let rewake = world.rewake.clone();
    let called = callers::call(callers, calls, move |n| {
        let (rewake, run) = (rewake.clone(), runs[place(n)]);
        async move {
            let hook = rewake.resume_hook(token(n), &n).await?;
            hook.with_context(|| format!("nobody waits at {n}"))?;
            rewake.get_run::<u64>(run).result().await?;
            Ok(())
        }
    })
    .await?;
    world.close().await?;
    Ok(called.rate())
}
