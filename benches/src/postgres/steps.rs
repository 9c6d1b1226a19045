//! Trivial steps of many runs at once, and where the processors' time goes.

use std::time::Duration;

use anyhow::{Context, Result};
use rewake_postgres::private_server::{Database, PrivateServer};

use super::rows::Rows;
use super::world::World;
use super::{NAME, beside_floor};
use crate::bench::Bench;
use crate::callers;
use crate::process;
use crate::report::{Row, Which, median};
use crate::workflows::steps;

pub(super) async fn run(bench: &Bench, server: &PrivateServer) -> Result<Vec<Row>> {
    let (runs, each) = (bench.scale(1_000, 100), bench.scale(100, 20));
    let rows = Rows::of_a_step(server).await?;
    let (rounds, floors) =
        beside_floor(bench, server, &rows, || many_steps(server, runs, each)).await?;
    let of = |what: fn(&Pass) -> f64| median(rounds.iter().map(what).collect());
    Ok(vec![
        Row::new(
            NAME,
            format!("{runs} runs × {each} trivial steps"),
            of(|pass| pass.rate),
            "1/s",
        )
        .beside(&floors, Which::Max)
        .at_least(0.25 * floors.median(Which::Max), "0.25 Fmax")
        .at_least(8_000.0, "8,000/s")
        .detail("commits a step", of(|pass| pass.commits)),
        Row::new(NAME, "round trips a step", of(|pass| pass.round_trips), "1").at_most(1.0, "1"),
        Row::new(
            NAME,
            "processor a step, engine",
            of(|pass| pass.engine),
            "µs",
        ),
        Row::new(
            NAME,
            "processor a step, server",
            of(|pass| pass.server),
            "µs",
        ),
    ])
}

/// What one pass gave.
#[derive(Clone, Copy, Debug)]
struct Pass {
    rate: f64,
    /// A step.
    round_trips: f64,
    commits: f64,
    /// A step, in microseconds.
    engine: f64,
    server: f64,
}

async fn many_steps(server: &PrivateServer, runs: u64, each: u64) -> Result<Pass> {
    let database = server.database()?;
    let world = World::open(&database).await?;
    let postmaster = postmaster(&database)?;
    let before = (world.counts(), worked(postmaster)?);
    let rewake = world.rewake.clone();
    let called = callers::call(runs, runs, move |_| {
        let rewake = rewake.clone();
        async move {
            rewake.start(steps(each)).await?.result().await?;
            Ok(())
        }
    })
    .await?;
    let after = (world.counts(), worked(postmaster)?);
    world.close().await?;
    let all = runs * each;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let a_step = |count: u64| count as f64 / all as f64;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let micros =
        |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e6 / all as f64;
    Ok(Pass {
        rate: callers::per_second(all, called.took),
        round_trips: a_step(after.0.round_trips - before.0.round_trips),
        commits: a_step(after.0.commits - before.0.commits),
        engine: micros(before.1.0, after.1.0),
        server: micros(before.1.1, after.1.1),
    })
}

/// How long this process has worked, and how long the server.
fn worked(postmaster: u32) -> Result<(Duration, Duration)> {
    Ok((process::worked()?, process::children_worked(postmaster)?))
}

/// The process of the server that has begun all others.
fn postmaster(database: &Database) -> Result<u32> {
    let sql = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
    database
        .query(sql)?
        .trim()
        .parse()
        .context("the server names its process")
}
