//! Resumes by more and more callers at once, each until its run has finished.

use anyhow::Result;
use rewake::Durability;

use super::{NAME, by_size, over_smallest};
use crate::bench::Bench;
use crate::callers::Called;
use crate::report::{Row, Which};
use crate::workload::resume;

const CALLERS: [u64; 6] = [1, 4, 16, 64, 256, 1_024];

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let profile = resume::finished(bench, bench.scale(80_000, 4_096)).await?;
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Full, || async {
            let mut found = Vec::new();
            for callers in CALLERS {
                let calls = bench.scale(callers * 80, callers * 8);
                let calls = calls.clamp(bench.scale(2_000, 200), bench.scale(80_000, 4_096));
                found.push(resume::many_callers(bench, callers, calls).await?);
            }
            Ok(found)
        })
        .await?;
    let found = by_size(rounds, |first, second| {
        if first.rate() >= second.rate() {
            first
        } else {
            second
        }
    });
    let row = |(callers, called): (u64, Called)| {
        let what = format!("{callers} callers, resume → finished");
        Row::new(NAME, what, called.rate(), "1/s")
            .beside(&floors, Which::Max)
            .percentiles(called.latency.percentiles())
            .detail("p50, µs", called.latency.p50())
    };
    Ok(over_smallest(
        CALLERS.into_iter().zip(found).map(row).collect(),
    ))
}
