//! A lone resume beside more and more runs that wait.

use anyhow::Result;

use super::{NAME, by_size, over_smallest};
use crate::bench::Bench;
use crate::report::{Row, Which};
use crate::workload::{resume, waiting};

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let less = bench.scale(1, 10);
    let sizes = [1_000, 10_000, 100_000].map(|runs| runs / less);
    let profile = resume::accepted(bench, sizes[0]).await?;
    let (rounds, floors) = bench
        .beside_f1(&profile, || async {
            let mut found = Vec::new();
            for runs in sizes {
                found.push(of(bench, runs).await?);
            }
            Ok(found)
        })
        .await?;
    let found = by_size(rounds, |first, second| {
        if first.resume <= second.resume {
            first
        } else {
            second
        }
    });
    let row = |(runs, found): (u64, Found)| {
        let what = format!("resume accepted beside {runs} that wait, p50");
        Row::new(NAME, what, found.resume, "µs")
            .beside(&floors, Which::F1)
            .detail("started and waiting, 1/s", found.rate)
            .detail("disk each, bytes", found.disk)
    };
    Ok(over_smallest(
        sizes.into_iter().zip(found).map(row).collect(),
    ))
}

/// What one round gave.
#[derive(Debug)]
struct Found {
    resume: f64,
    rate: f64,
    disk: f64,
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
async fn of(bench: &Bench, runs: u64) -> Result<Found> {
    let (resume, round) = waiting::beside(bench, runs).await?;
    let disk = std::fs::metadata(bench.path())?.len();
    Ok(Found {
        resume,
        rate: round.rate,
        disk: disk as f64 / runs as f64,
    })
}
