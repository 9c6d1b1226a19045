//! A resume of a run that is not in memory: its log is read and replayed first.

use anyhow::{Result, ensure};
use rewake::Rewake;

use super::{NAME, by_size, over_smallest, sizes};
use crate::bench::Bench;
use crate::clock;
use crate::latency::Latency;
use crate::notes::{self, WAITS};
use crate::report::{Row, Which};
use crate::workflows::collects;
use crate::workload::resume;
use crate::world::{Setting, World};

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let sizes = sizes(bench, &[10, 100, 1_000, 10_000]);
    let profile = resume::accepted(bench, 1).await?;
    let (rounds, floors) = bench
        .beside_f1(&profile, || async {
            let mut found = Vec::new();
            for payloads in &sizes {
                found.push(cold(bench, *payloads).await?);
            }
            Ok(found)
        })
        .await?;
    let found = by_size(rounds, |mut all, round| {
        all.add(&round);
        all
    });
    let row = |(payloads, latency): (u64, Latency)| {
        let p50 = latency.p50();
        let what = format!("cold resume → next line, {payloads} events");
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let each = p50 / payloads as f64;
        Row::new(NAME, what, p50, "µs")
            .beside(&floors, Which::F1)
            .percentiles(latency.percentiles())
            .detail("an event, µs", each)
    };
    Ok(over_smallest(
        sizes.into_iter().zip(found).map(row).collect(),
    ))
}

/// From the first call of a process to the next line of a run that has taken so many payloads.
async fn cold(bench: &Bench, payloads: u64) -> Result<Latency> {
    let processes = bench.scale(10, 5);
    notes::forget(payloads + processes);
    let path = bench.file()?;
    let world = World::open(&path, &Setting::default()).await?;
    world
        .rewake
        .start(collects(payloads + processes + 1))
        .await?;
    notes::until(WAITS).await;
    for n in 0..payloads {
        send(&world.rewake, n).await?;
    }
    notes::until(payloads - 1).await;
    world.close().await?;
    let mut latency = Latency::new();
    for n in payloads..payloads + processes {
        // It has noted all of its lines in every process before this one, and will again.
        notes::forget(n + 1);
        let world = World::open(&path, &Setting::default()).await?;
        let began = clock::now();
        send(&world.rewake, n).await?;
        notes::until(n).await;
        latency.record(began.elapsed());
        world.close().await?;
    }
    Ok(latency)
}

async fn send(rewake: &Rewake, n: u64) -> Result<()> {
    let hook = rewake.resume_hook("collects", &n).await?;
    ensure!(hook.is_some(), "nobody takes payload {n}");
    Ok(())
}
