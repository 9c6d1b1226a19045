//! Runs that wait on hooks, by the million: what they cost to start, on disk, in memory, and what
//! they cost others.

use anyhow::Result;
use rewake::Durability;

use super::resume::{resume, start_waiting};
use crate::bench::{Bench, Profile};
use crate::callers;
use crate::clock;
use crate::latency::Latency;
use crate::notes::{self, WAITS};
use crate::process;
use crate::report::{Row, Which};
use crate::script::{Look, Script, Write};
use crate::workflows::{token, waits};
use crate::world::{Setting, World};

const NAME: &str = "waiting";
/// What resting runs may hold in memory.
const BUDGET: usize = 256 << 20;

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let many = bench.scale(1_000_000, 5_000);
    let few = bench.scale(1_000, 500);
    let profile = profile(bench).await?;
    let (few_wait, _) = beside(bench, few).await?;
    let path = bench.file()?;
    // The notes' room is the benchmark's own.
    notes::forget(many);
    let before = process::resident_bytes()?;
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Full, || started(bench, many))
        .await?;
    let round = rounds.last().copied().unwrap_or_default();
    // A process opens its store once; what the second round holds, the first may have left.
    let first = rounds.first().copied().unwrap_or_default();
    let over = first.memory.saturating_sub(before);
    let most = mib(BUDGET as u64) + 64.0;
    let disk = std::fs::metadata(&path)?.len() / many;
    let what = |text: &str| format!("{many} runs: {text}");
    #[expect(clippy::cast_precision_loss, reason = "a run has few bytes on disk")]
    Ok(vec![
        Row::new(NAME, what("started and waiting"), round.rate, "1/s")
            .beside(&floors, Which::Max)
            .at_least(0.4 * floors.median(Which::Max), "0.4 Fmax"),
        Row::new(NAME, what("disk each"), disk as f64, "bytes").at_most(700.0, "700 bytes"),
        Row::new(NAME, what("memory of the process"), mib(over), "MiB")
            .at_most(most, "budget (256 MiB) + 64 MiB")
            .detail("resident runs' budget, MiB", mib(BUDGET as u64)),
        Row::new(NAME, what("a lone resume, p50"), round.resume, "µs")
            .at_most(1.5 * few_wait, "1.5 × that with few waiting")
            .detail("with few waiting, µs", few_wait),
    ])
}

/// What one round gave.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    pub(super) rate: f64,
    memory: u64,
    resume: f64,
}

async fn started(bench: &Bench, runs: u64) -> Result<Round> {
    let (resume, round) = beside(bench, runs).await?;
    Ok(Round { resume, ..round })
}

/// Starts runs that wait, then resumes some; the median of that in microseconds.
pub(super) async fn beside(bench: &Bench, runs: u64) -> Result<(f64, Round)> {
    let setting = Setting {
        memory_budget: Some(BUDGET),
        ..Setting::default()
    };
    let world = World::open(&bench.file()?, &setting).await?;
    let began = clock::now();
    start_waiting(&world.rewake, runs).await?;
    let rate = callers::per_second(runs, began.elapsed());
    let memory = process::resident_bytes()?;
    let mut latency = Latency::new();
    let some = bench.scale(500, 100);
    for n in 0..some {
        let began = clock::now();
        resume(&world.rewake, n * (runs / some)).await?;
        latency.record(began.elapsed());
    }
    world.close().await?;
    let round = Round {
        rate,
        memory,
        resume: 0.0,
    };
    Ok((latency.p50(), round))
}

/// From a start until the run waits, and that is on record.
async fn profile(bench: &Bench) -> Result<Profile> {
    bench
        .probe(|world| async move {
            notes::forget(1);
            let before = world.counts().rows;
            let run = world.rewake.start(waits(0)).await?.id();
            notes::until(WAITS).await;
            // That it rests comes a little later, with a commit of something else.
            clock::pass(bench.lazily()).await;
            let counted = world.counts().rows - before;
            let look = Look::into(&world.path)?;
            let (frames, bytes) = (look.frames(run)?, look.run(run)?);
            let mut writes: Vec<_> = frames
                .into_iter()
                .flat_map(|frame| [Write::Frame(frame), Write::Run { bytes, due: true }])
                .collect();
            writes.push(Write::Token(look.token(&token(0))?));
            writes.push(Write::Run { bytes, due: false });
            let script = Script {
                writes,
                existing: None,
            };
            Ok((world, script.checked(counted)?))
        })
        .await
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
