//! A resume: accepted, on to the next line, on to the end of the run. One caller, then many.

use anyhow::{Context, Result};
use rewake::{Durability, Rewake, RunId};

use crate::bench::{Bench, Profile};
use crate::callers::{self, Called};
use crate::clock;
use crate::floor::Halves;
use crate::latency::Latency;
use crate::notes::{self, WAITS};
use crate::report::{Row, Which, median};
use crate::script::{Existing, Look, Script, Write};
use crate::workflows::{token, waits};
use crate::world::{Setting, World};

const NAME: &str = "resume";
/// So many of the rows of a resume that finishes are those of its being accepted.
const ACCEPTED: usize = 3;
/// As many requests as the store takes into a transaction: half of a resume each.
const TOGETHER: u64 = 512;

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = alone(bench).await?;
    rows.push(together(bench, 64).await?);
    rows.push(together(bench, 1024).await?);
    Ok(rows)
}

/// The latencies of one caller, in the order of the table.
#[derive(Debug)]
struct Alone {
    accepted: Latency,
    next_line: Latency,
    finished: Latency,
}

async fn alone(bench: &Bench) -> Result<Vec<Row>> {
    let calls = bench.scale(2_000, 200);
    let accepted = profile(bench, calls, Until::Accepted).await?;
    let (rounds, floors) = bench
        .beside_floor(&accepted, Durability::Full, || one_caller(bench, calls))
        .await?;
    let f1 = floors.median(Which::F1);
    let row = |what: &str, pick: fn(&Alone) -> &Latency| {
        let mut all = Latency::new();
        for round in &rounds {
            all.add(pick(round));
        }
        Row::new(NAME, what, all.p50(), "µs")
            .beside(&floors, Which::F1)
            .percentiles(all.percentiles())
    };
    Ok(vec![
        row("accepted, one caller p50", |round| &round.accepted).at_most(f1 + 60.0, "F1 + 60 µs"),
        row("→ next line, one caller p50", |round| &round.next_line)
            .at_most(f1 + 120.0, "F1 + 120 µs"),
        row("→ finished, one caller p50", |round| &round.finished)
            .at_most(2.0f64.mul_add(f1, 200.0), "2 F1 + 200 µs"),
    ])
}

async fn one_caller(bench: &Bench, calls: u64) -> Result<Alone> {
    let (world, runs) = waiting(bench, calls).await?;
    let (mut accepted, mut next_line, mut finished) =
        (Latency::new(), Latency::new(), Latency::new());
    for n in 0..calls {
        let (began, from) = (clock::now(), clock::nanos());
        resume(&world.rewake, n).await?;
        accepted.record(began.elapsed());
        world.rewake.get_run::<u64>(runs[place(n)]).result().await?;
        finished.record(began.elapsed());
        next_line.record_nanos(notes::at(n).saturating_sub(from));
    }
    world.close().await?;
    Ok(Alone {
        accepted,
        next_line,
        finished,
    })
}

async fn together(bench: &Bench, callers: u64) -> Result<Row> {
    let calls = bench.scale(callers.max(256) * 80, 4_096);
    let mut profile = profile(bench, calls, Until::Finished).await?;
    let bytes = profile.script.bytes();
    profile.also.halves = Some(Halves {
        first: ACCEPTED,
        together: callers.min(TOGETHER),
    });
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Full, || {
            many_callers(bench, callers, calls)
        })
        .await?;
    let rate = median(rounds.iter().map(Called::rate).collect());
    let row = Row::new(
        NAME,
        format!("{callers} callers, each run finishing"),
        rate,
        "1/s",
    );
    let row = if callers == 64 {
        row.beside(&floors, Which::F32)
            .at_least(0.6 * floors.median(Which::F32), "0.6 F32")
    } else {
        row.beside(&floors, Which::Max)
            .at_least(0.5 * floors.median(Which::Max), "0.5 Fmax")
            .at_least(12_000.0, "12,000/s")
    };
    let row = rounds.iter().fold(row, |row, round| {
        row.percentiles(round.latency.percentiles())
    });
    let row = row
        .detail(
            "without an engine, in halves, 1/s",
            floors.median(Which::Halves),
        )
        .detail("in halves: drift", floors.drift(Which::Halves));
    Ok(row.detail("bytes in rows", f64::from(bytes)))
}

pub(super) async fn many_callers(bench: &Bench, callers: u64, calls: u64) -> Result<Called> {
    let (world, runs) = waiting(bench, calls).await?;
    let (rewake, runs) = (world.rewake.clone(), std::sync::Arc::new(runs));
    let called = callers::call(callers, calls, move |n| {
        let (rewake, run) = (rewake.clone(), runs[place(n)]);
        async move {
            resume(&rewake, n).await?;
            rewake.get_run::<u64>(run).result().await?;
            Ok(())
        }
    })
    .await?;
    world.close().await?;
    Ok(called)
}

/// Resumes the run of the number.
pub(crate) async fn resume(rewake: &Rewake, n: u64) -> Result<()> {
    let hook = rewake.resume_hook(token(n), &n).await?;
    hook.map(drop)
        .with_context(|| format!("nobody waits at {n}"))
}

pub(crate) fn place(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// An engine with so many runs that wait, each on its token.
pub(super) async fn waiting(bench: &Bench, runs: u64) -> Result<(World, Vec<RunId>)> {
    let world = World::open(&bench.file()?, &Setting::default()).await?;
    let started = start_known_waiting(&world.rewake, runs).await?;
    Ok((world, started))
}

/// Starts runs that wait, and returns once the last of them does.
pub(crate) async fn start_waiting(rewake: &Rewake, runs: u64) -> Result<()> {
    start_each_waiting(rewake, runs, |_, _| {}).await
}

/// The same, and which runs they are.
pub(crate) async fn start_known_waiting(rewake: &Rewake, runs: u64) -> Result<Vec<RunId>> {
    let ids = std::sync::Arc::new(std::sync::Mutex::new(vec![None; place(runs)]));
    let shared = std::sync::Arc::clone(&ids);
    let keep = move |n, id| {
        shared.lock().expect("nobody panics with it")[place(n)] = Some(id);
    };
    start_each_waiting(rewake, runs, keep).await?;
    let ids = ids.lock().expect("nobody panics with it");
    ids.iter()
        .map(|id| id.context("every call has started a run"))
        .collect()
}

async fn start_each_waiting(
    rewake: &Rewake,
    runs: u64,
    started: impl Fn(u64, RunId) + Send + Sync + 'static,
) -> Result<()> {
    notes::forget(runs);
    let (rewake, started) = (rewake.clone(), std::sync::Arc::new(started));
    callers::call(256, runs, move |n| {
        let (rewake, started) = (rewake.clone(), std::sync::Arc::clone(&started));
        async move {
            let run = rewake.start(waits(n)).await?;
            started(n, run.id());
            Ok(())
        }
    })
    .await?;
    notes::until_all(WAITS..WAITS + runs).await;
    Ok(())
}

/// What is written until a resume is accepted.
pub(super) async fn accepted(bench: &Bench, runs: u64) -> Result<Profile> {
    profile(bench, runs, Until::Accepted).await
}

/// What is written until a resumed run has finished.
pub(super) async fn finished(bench: &Bench, runs: u64) -> Result<Profile> {
    profile(bench, runs, Until::Finished).await
}

/// How far an operation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Accepted,
    Finished,
}

async fn profile(bench: &Bench, runs: u64, until: Until) -> Result<Profile> {
    bench
        .probe(|world| async move {
            notes::forget(1);
            let run = world.rewake.start(waits(0)).await?;
            notes::until(WAITS).await;
            let look = Look::into(&world.path)?;
            let (frames, row) = (look.frames(run.id())?, look.run(run.id())?);
            let before = world.counts().rows;
            let hook = look.token(&token(0))?;
            resume(&world.rewake, 0).await?;
            run.result().await?;
            let counted = world.counts().rows - before;
            let after = look.frames(run.id())?;
            let accepted: [Write; ACCEPTED] = [
                Write::Frame(after[frames.len()]),
                Write::Run {
                    bytes: row,
                    due: true,
                },
                Write::Token(hook),
            ];
            let ended = vec![
                Write::Frame(after[frames.len() + 1]),
                Write::Run {
                    bytes: look.run(run.id())?,
                    due: false,
                },
                Write::TokenGone,
            ];
            let all = accepted.iter().chain(&ended).cloned().collect();
            let existing = Existing {
                runs,
                each: match until {
                    // One that waits on takes any number.
                    Until::Accepted => u64::MAX,
                    Until::Finished => 1,
                },
                writes: vec![
                    Write::Frame(frames.iter().sum::<u32>()),
                    Write::Run {
                        bytes: row,
                        due: false,
                    },
                    Write::Token(hook),
                ],
            };
            let mut script = Script {
                writes: all,
                existing: Some(existing),
            }
            .checked(counted)?;
            if until == Until::Accepted {
                script.writes = accepted.into();
            }
            Ok((world, script))
        })
        .await
}
