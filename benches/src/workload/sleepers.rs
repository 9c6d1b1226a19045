//! Runs that sleep: how late they wake, what they cost while they do not, and a backlog after an
//! outage.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use rewake::Durability;
use tokio::runtime::Handle;

use super::resume::{resume, start_waiting};
use crate::bench::{Bench, Profile};
use crate::callers;
use crate::clock;
use crate::latency::Latency;
use crate::notes;
use crate::process;
use crate::report::{Row, Which};
use crate::script::{Existing, Look, Script, Write};
use crate::workflows::sleeps;
use crate::world::{Setting, World};

const NAME: &str = "sleepers";
/// So many fall due a second.
const RATE: u64 = 2_000;
/// A lone resume comes so often beside the backlog.
const EVERY: Duration = Duration::from_millis(20);

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = vec![lateness(bench).await?];
    rows.extend(idle(bench).await?);
    rows.extend(backlog(bench).await?);
    Ok(rows)
}

/// Milliseconds since 1970, so long from now.
fn later(span: Duration) -> Result<u64> {
    let at = clock::time_of_day().duration_since(UNIX_EPOCH)? + span;
    Ok(u64::try_from(at.as_millis())?)
}

/// How long it takes to start so many runs here, and half as long again.
async fn time_to_start(bench: &Bench, runs: u64) -> Result<Duration> {
    let some = (runs / 50).max(500);
    let world = World::open(&bench.file()?, &Setting::default()).await?;
    let began = clock::now();
    start_waiting(&world.rewake, some).await?;
    let took = began.elapsed();
    world.close().await?;
    Ok(took.mul_f64(1.5 * callers::ratio(runs, some)))
}

/// Starts runs that sleep, noted from `first` on.
async fn start_sleeping(
    world: &World,
    first: u64,
    runs: u64,
    until: impl Fn(u64) -> u64,
) -> Result<()> {
    let times: Vec<u64> = (0..runs).map(until).collect();
    let (rewake, times) = (world.rewake.clone(), std::sync::Arc::new(times));
    callers::call(256, runs, move |n| {
        let at = usize::try_from(n).map(|n| times[n]);
        let rewake = rewake.clone();
        async move {
            rewake.start(sleeps(first + n, at?)).await?;
            Ok(())
        }
    })
    .await
    .map(drop)
}

/// All sleep; then they fall due at a fixed rate, whatever became of those before them.
async fn lateness(bench: &Bench) -> Result<Row> {
    let runs = bench.scale(1_000_000, 6_000);
    // As many as can be noted, and as many as take a minute.
    let due = runs.min(RATE * 60);
    let allowance = time_to_start(bench, runs).await?;
    notes::forget(due);
    let world = World::open(&bench.file()?, &Setting::default()).await?;
    let first = later(Duration::from_secs(2) + allowance)?;
    start_sleeping(&world, 0, runs, |n| {
        if n < due {
            first + n * 1_000 / RATE
        } else {
            first + 86_400_000
        }
    })
    .await?;
    let spare = first.saturating_sub(later(Duration::ZERO)?);
    // The two clocks, at one moment.
    let (nanos, millis) = (clock::nanos(), later(Duration::ZERO)?);
    let mut latency = Latency::new();
    for n in 0..due {
        notes::until(n).await;
        let at = first + n * 1_000 / RATE;
        let due_nanos = (nanos + at.saturating_sub(millis) * 1_000_000).max(nanos);
        latency.record_nanos(notes::at(n).saturating_sub(due_nanos));
    }
    world.rewake.shutdown(Duration::from_secs(5)).await?;
    let p99 = latency.p99() / 1_000.0;
    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52")]
    Ok(Row::new(
        NAME,
        format!("{runs} sleeping, {RATE} due a second, p99 late"),
        p99,
        "ms",
    )
    .at_most(50.0, "50 ms")
    .percentiles(latency.percentiles())
    .detail("ready so long before the first was due, ms", spare as f64))
}

/// Nothing is due: nothing is written, and nothing worked.
async fn idle(bench: &Bench) -> Result<Vec<Row>> {
    let runs = bench.scale(1_000_000, 2_000);
    let world = World::open(&bench.file()?, &Setting::default()).await?;
    let tomorrow = later(Duration::from_hours(24))?;
    start_sleeping(&world, 0, runs, |_| tomorrow).await?;
    clock::pass(bench.lazily() + Duration::from_secs(2)).await;
    let span = Duration::from_secs(bench.scale(60, 5));
    let (commits, worked) = (world.counts().commits, process::worked()?);
    clock::pass(span).await;
    let (commits, worked) = (
        world.counts().commits - commits,
        process::worked()?.saturating_sub(worked),
    );
    world.rewake.shutdown(Duration::from_secs(5)).await?;
    let share = worked.as_secs_f64() / span.as_secs_f64() * 100.0;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    Ok(vec![
        Row::new(
            NAME,
            format!("{runs} sleeping, none due: commits"),
            commits as f64,
            "",
        )
        .at_most(0.0, "0"),
        Row::new(NAME, format!("{runs} sleeping, none due: CPU"), share, "%").at_most(0.5, "0.5 %"),
    ])
}

/// What one round of the backlog gave.
#[derive(Debug)]
struct Drained {
    rate: f64,
    lone: Latency,
}

/// All fall due while no process is there.
async fn backlog(bench: &Bench) -> Result<Vec<Row>> {
    let runs = bench.scale(1_000_000, 5_000);
    let mut profile = profile(bench, runs).await?;
    profile.also.lone = Some(EVERY);
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Full, || drain(bench, runs))
        .await?;
    let last = rounds.last().context("there was a round")?;
    let f1 = floors.median(Which::F1);
    Ok(vec![
        Row::new(
            NAME,
            format!("{runs} overdue at start, drained"),
            last.rate,
            "1/s",
        )
        .beside(&floors, Which::Max)
        .at_least(0.4 * floors.median(Which::Max), "0.4 Fmax"),
        Row::new(NAME, "a lone resume meanwhile, p99", last.lone.p99(), "µs")
            .beside(&floors, Which::F1)
            .at_most(20.0 * f1, "20 F1")
            .percentiles(last.lone.percentiles())
            .detail(
                "without an engine, a lone operation, p99, µs",
                floors.median(Which::LoneAlone),
            )
            .detail(
                "without an engine, a lone operation beside 0.4 Fmax, p99, µs",
                floors.median(Which::LoneBeside),
            )
            .detail("a lone operation: drift", floors.drift(Which::LoneAlone))
            .detail(
                "a lone operation beside 0.4 Fmax: drift",
                floors.drift(Which::LoneBeside),
            ),
    ])
}

async fn drain(bench: &Bench, runs: u64) -> Result<Drained> {
    // Resumed at a fixed rate while the backlog is drained; the sleepers are noted behind them.
    const LONE: u64 = 2_000;
    let allowance = time_to_start(bench, runs).await?;
    let path = bench.file()?;
    let world = World::open(&path, &Setting::default()).await?;
    start_waiting(&world.rewake, LONE).await?;
    let due = later(Duration::from_secs(1) + allowance)?;
    start_sleeping(&world, LONE, runs, |_| due).await?;
    world.close().await?;
    let left = due.saturating_sub(later(Duration::ZERO)?);
    clock::pass(Duration::from_millis(left + 100)).await;

    notes::forget(LONE + runs);
    let began = clock::now();
    let world = World::open(&path, &Setting::default()).await?;
    let rewake = world.rewake.clone();
    let handle = Handle::current();
    let lone = tokio::task::spawn_blocking(move || {
        let (mut latency, began) = (Latency::new(), clock::now());
        for n in 0..LONE {
            // From when it was to be made, not from when it came about.
            let due = began + EVERY * u32::try_from(n)?;
            clock::hold(due.saturating_duration_since(clock::now()));
            if notes::at(LONE + runs - 1) > 0 && n > 10 {
                break;
            }
            handle.block_on(resume(&rewake, n))?;
            latency.record(clock::now().saturating_duration_since(due));
        }
        anyhow::Ok(latency)
    });
    notes::until_all(LONE..LONE + runs).await;
    let rate = callers::per_second(runs, began.elapsed());
    let lone = lone.await??;
    world.close().await?;
    Ok(Drained { rate, lone })
}

/// From a time that has come to the end of the run that slept until then.
async fn profile(bench: &Bench, runs: u64) -> Result<Profile> {
    bench
        .probe(|world| async move {
            let run = world
                .rewake
                .start(sleeps(0, later(Duration::from_secs(1))?))
                .await?;
            clock::pass(Duration::from_millis(300)).await;
            let look = Look::into(&world.path)?;
            let (slept, bytes, before) = (
                look.frames(run.id())?,
                look.run(run.id())?,
                world.counts().rows,
            );
            run.result().await?;
            let counted = world.counts().rows - before;
            let frames = look.frames(run.id())?.split_off(slept.len());
            let last = frames.len() - 1;
            let writes = frames.into_iter().enumerate().flat_map(|(at, frame)| {
                let due = at < last;
                [Write::Frame(frame), Write::Run { bytes, due }]
            });
            let script = Script {
                writes: writes.collect(),
                existing: Some(Existing {
                    runs,
                    each: 1,
                    writes: vec![
                        Write::Frame(slept.iter().sum()),
                        Write::Run { bytes, due: true },
                    ],
                }),
            };
            Ok((world, script.checked(counted)?))
        })
        .await
}
