//! The same with relaxed durability: what is answered survives the process, not the power.

use anyhow::Result;
use rewake::Durability;

use super::{sequential, steps};
use crate::bench::Bench;
use crate::latency::Latency;
use crate::report::{Row, Which, median};

const NAME: &str = "relaxed";

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let count = bench.scale(10_000, 1_000);
    let alone = steps::profile(bench, 1, count).await?;
    let (rounds, floors) = bench
        .beside_floor(&alone, Durability::Relaxed, || {
            sequential::one_run(bench, count, Durability::Relaxed)
        })
        .await?;
    let mut latency = Latency::new();
    for round in &rounds {
        latency.add(&round.latency);
    }
    let step = Row::new(NAME, "one step of one run, p50", latency.p50(), "µs")
        .beside(&floors, Which::F1)
        .at_most(100.0, "100 µs")
        .percentiles(latency.percentiles());
    Ok(vec![step, beside_full(bench).await?])
}

/// Steps a second, beside the engine's own figure with full durability: each round has both.
async fn beside_full(bench: &Bench) -> Result<Row> {
    let (runs, each) = (bench.scale(1_000, 200), bench.scale(100, 50));
    let profile = steps::profile(bench, runs, each).await?;
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Relaxed, || async {
            let full = steps::all_steps(bench, runs, each, Durability::Full).await?;
            let relaxed = steps::all_steps(bench, runs, each, Durability::Relaxed).await?;
            Ok((full.rate, relaxed.rate))
        })
        .await?;
    let full = median(rounds.iter().map(|(full, _)| *full).collect());
    let relaxed = median(rounds.iter().map(|(_, relaxed)| *relaxed).collect());
    Ok(Row::new(
        NAME,
        format!("{runs} runs × {each} trivial steps"),
        relaxed,
        "1/s",
    )
    .beside(&floors, Which::Max)
    .at_least(full, "its own with full durability")
    .detail("with full durability, 1/s", full))
}
