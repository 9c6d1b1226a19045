//! A resume with more and more in it.

use anyhow::{Result, ensure};
use rewake::Rewake;

use super::{NAME, over_smallest};
use crate::bench::{Bench, Profile};
use crate::clock;
use crate::latency::Latency;
use crate::notes::{self, WAITS};
use crate::report::{Row, Which};
use crate::script::{Existing, Look, Script, Write};
use crate::workflows::collects_text;
use crate::world::{Setting, World};

/// A round sends no more than this.
const MOST_BYTES: u64 = 64 << 20;

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for bytes in [100, 1_000, 10_000, 100_000, 1_000_000] {
        rows.push(of(bench, bytes).await?);
    }
    Ok(over_smallest(rows))
}

async fn of(bench: &Bench, bytes: u64) -> Result<Row> {
    let profile = profile(bench, bytes).await?;
    let calls = bench.scale(1_000, 100).min(MOST_BYTES / bytes);
    let (rounds, floors) = bench
        .beside_f1(&profile, || resumes(bench, bytes, calls))
        .await?;
    let mut latency = Latency::new();
    for round in &rounds {
        latency.add(round);
    }
    let what = format!("resume → next line, payload of {bytes} B");
    Ok(Row::new(NAME, what, latency.p50(), "µs")
        .beside(&floors, Which::F1)
        .percentiles(latency.percentiles())
        .detail("bytes in rows", f64::from(profile.script.bytes())))
}

async fn resumes(bench: &Bench, bytes: u64, calls: u64) -> Result<Latency> {
    notes::forget(calls + 1);
    let world = World::open(&bench.file()?, &Setting::default()).await?;
    world.rewake.start(collects_text(calls + 1)).await?;
    notes::until(WAITS).await;
    let mut latency = Latency::new();
    let text = text(bytes);
    for n in 0..calls {
        let began = clock::now();
        send(&world.rewake, &text).await?;
        notes::until(n).await;
        latency.record(began.elapsed());
    }
    world.close().await?;
    Ok(latency)
}

fn text(bytes: u64) -> String {
    "x".repeat(usize::try_from(bytes).unwrap_or(usize::MAX))
}

async fn send(rewake: &Rewake, text: &String) -> Result<()> {
    let hook = rewake.resume_hook("collects_text", text).await?;
    ensure!(hook.is_some(), "nobody takes the payload");
    Ok(())
}

/// What is written for a payload of that size, in the middle of a run's life.
async fn profile(bench: &Bench, bytes: u64) -> Result<Profile> {
    bench
        .probe(|world| async move {
            notes::forget(2);
            let run = world.rewake.start(collects_text(3)).await?;
            notes::until(WAITS).await;
            send(&world.rewake, &text(bytes)).await?;
            notes::until(0).await;
            // That it rests comes a little later, with a commit of something else.
            clock::pass(bench.lazily()).await;
            let look = Look::into(&world.path)?;
            let before = (world.counts().rows, look.frames(run.id())?.len());
            send(&world.rewake, &text(bytes)).await?;
            notes::until(1).await;
            clock::pass(bench.lazily()).await;
            let frames = look.frames(run.id())?;
            let (run, token) = (look.run(run.id())?, look.token("collects_text")?);
            let due = |due| Write::Run { bytes: run, due };
            let waiting = [due(true), Write::Token(token)];
            let written = frames[before.1..].iter().map(|bytes| Write::Frame(*bytes));
            let script = Script {
                writes: written.chain(waiting.clone()).chain([due(false)]).collect(),
                existing: Some(Existing {
                    runs: 1,
                    each: u64::MAX,
                    writes: waiting.to_vec(),
                }),
            };
            let counted = world.counts().rows - before.0;
            let mut script = script.checked(counted)?;
            // That it rests is not what anybody waits for.
            script.writes.pop();
            Ok((world, script))
        })
        .await
}
