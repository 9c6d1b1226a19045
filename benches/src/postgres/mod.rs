//! The same engine on PostgreSQL: a server of this program's own on the same disk and the same cores,
//! and beside each figure a floor that writes the same rows to the same server without an engine.
//!
//! Asked for by name only (`bench postgres`): it wants PostgreSQL's server programs.

mod floor;
mod nodes;
mod rows;
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
use crate::workflows::{steps, token};
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
    let mut rows = alone(bench, &server).await?;
    rows.push(together(bench, &server).await?);
    rows.extend(all_steps(bench, &server).await?);
    rows.extend(nodes::run(bench, &server).await?);
    rows.extend(waiting::run(bench, &server).await?);
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

/// Trivial steps of many runs at once.
async fn all_steps(bench: &Bench, server: &PrivateServer) -> Result<Vec<Row>> {
    let (runs, each) = (bench.scale(500, 100), bench.scale(50, 20));
    let rows = Rows::of_a_step(server).await?;
    let (rounds, floors) =
        beside_floor(bench, server, &rows, || many_steps(server, runs, each)).await?;
    let rate = median(rounds.iter().map(|round| round.rate).collect());
    let trips = median(rounds.iter().map(|round| round.round_trips).collect());
    let commits = median(rounds.iter().map(|round| round.commits).collect());
    Ok(vec![
        Row::new(
            NAME,
            format!("{runs} runs × {each} trivial steps"),
            rate,
            "1/s",
        )
        .beside(&floors, Which::Max)
        .at_least(0.25 * floors.median(Which::Max), "0.25 Fmax")
        .at_least(8_000.0, "8,000/s")
        .detail("commits a step", commits),
        Row::new(NAME, "round trips a step", trips, "1").at_most(1.0, "1"),
    ])
}

/// What one pass gave.
#[derive(Clone, Copy, Debug)]
struct Pass {
    rate: f64,
    /// A step.
    round_trips: f64,
    commits: f64,
}

async fn many_steps(server: &PrivateServer, runs: u64, each: u64) -> Result<Pass> {
    let database = server.database()?;
    let world = World::open(&database).await?;
    let before = world.counts();
    let rewake = world.rewake.clone();
    let called = callers::call(runs, runs, move |_| {
        let rewake = rewake.clone();
        async move {
            rewake.start(steps(each)).await?.result().await?;
            Ok(())
        }
    })
    .await?;
    let after = world.counts();
    world.close().await?;
    let all = runs * each;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let a_step = |count: u64| count as f64 / all as f64;
    Ok(Pass {
        rate: callers::per_second(all, called.took),
        round_trips: a_step(after.round_trips - before.round_trips),
        commits: a_step(after.commits - before.commits),
    })
}
