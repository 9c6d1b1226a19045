//! The steps of one run, one after the other.

use anyhow::Result;
use rewake::Durability;

use crate::bench::Bench;
use crate::latency::Latency;
use crate::notes;
use crate::report::{Row, Which};
use crate::workflows::noted_steps;
use crate::world::{Setting, World};

use super::steps::profile;

const NAME: &str = "sequential";

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let steps = bench.scale(10_000, 1_000);
    let profile = profile(bench, 1, steps).await?;
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Full, || {
            one_run(bench, steps, Durability::Full)
        })
        .await?;
    let mut latency = Latency::new();
    for round in &rounds {
        latency.add(&round.latency);
    }
    let commits = rounds.iter().map(|round| round.commits).fold(0.0, f64::max);
    let f1 = floors.median(Which::F1);
    Ok(vec![
        Row::new(NAME, "one step of one run, p50", latency.p50(), "µs")
            .beside(&floors, Which::F1)
            .at_most(f1 + 100.0, "F1 + 100 µs")
            .percentiles(latency.percentiles()),
        // Start and end share no commit with a step.
        Row::new(NAME, "commits a step", commits, "1")
            .at_most(1.0, "1")
            .at_least(1.0, "1"),
    ])
}

/// What one round gave.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) latency: Latency,
    /// A step, without the two of start and end.
    pub(super) commits: f64,
}

/// One run that takes so many steps.
pub(super) async fn one_run(bench: &Bench, steps: u64, durability: Durability) -> Result<Round> {
    notes::forget(steps);
    let setting = Setting {
        durability,
        ..Setting::default()
    };
    let world = World::open(&bench.file()?, &setting).await?;
    let before = world.counts().commits;
    let run = world.rewake.start(noted_steps(steps)).await?;
    run.result().await?;
    let commits = world.counts().commits - before;
    world.close().await?;
    let mut latency = Latency::new();
    for n in 1..steps {
        latency.record_nanos(notes::at(n).saturating_sub(notes::at(n - 1)));
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    Ok(Round {
        latency,
        commits: (commits - 2) as f64 / steps as f64,
    })
}
