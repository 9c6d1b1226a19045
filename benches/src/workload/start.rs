//! From a start to the recorded end of a run with one trivial step.

use anyhow::Result;
use rewake::Durability;

use crate::bench::{Bench, Profile};
use crate::callers::{self, Called};
use crate::report::{Row, Which, median};
use crate::script::{Look, Script, Write};
use crate::workflows::steps;
use crate::world::{Setting, World};

const NAME: &str = "start";

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    Ok(vec![
        together(bench, 64).await?,
        together(bench, 1024).await?,
    ])
}

async fn together(bench: &Bench, callers: u64) -> Result<Row> {
    let calls = bench.scale(callers.max(256) * 80, 4_096);
    let profile = profile(bench).await?;
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Full, || {
            many_callers(bench, callers, calls)
        })
        .await?;
    let rate = median(rounds.iter().map(Called::rate).collect());
    let row = Row::new(
        NAME,
        format!("{callers} callers, start → finished"),
        rate,
        "1/s",
    );
    let row = if callers == 64 {
        row.beside(&floors, Which::F32)
            .at_least(0.35 * floors.median(Which::F32), "0.35 F32")
    } else {
        row.beside(&floors, Which::Max).at_least(8_000.0, "8,000/s")
    };
    Ok(rounds.iter().fold(row, |row, round| {
        row.percentiles(round.latency.percentiles())
    }))
}

async fn many_callers(bench: &Bench, callers: u64, calls: u64) -> Result<Called> {
    let world = World::open(&bench.file()?, &Setting::default()).await?;
    let rewake = world.rewake.clone();
    let called = callers::call(callers, calls, move |_| {
        let rewake = rewake.clone();
        async move {
            rewake.start(steps(1)).await?.result().await?;
            Ok(())
        }
    })
    .await?;
    world.close().await?;
    Ok(called)
}

async fn profile(bench: &Bench) -> Result<Profile> {
    bench
        .probe(|world| async move {
            let before = world.counts().rows;
            let run = world.rewake.start(steps(1)).await?;
            run.result().await?;
            let counted = world.counts().rows - before;
            let look = Look::into(&world.path)?;
            let (frames, bytes) = (look.frames(run.id())?, look.run(run.id())?);
            let last = frames.len() - 1;
            let writes = frames.into_iter().enumerate().flat_map(|(at, frame)| {
                let due = at < last;
                [Write::Frame(frame), Write::Run { bytes, due }]
            });
            let script = Script {
                writes: writes.collect(),
                existing: None,
            };
            Ok((world, script.checked(counted)?))
        })
        .await
}
