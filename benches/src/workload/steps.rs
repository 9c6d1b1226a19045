//! Trivial steps of many runs at once.

use anyhow::Result;
use rewake::Durability;

use crate::bench::{Bench, Profile};
use crate::callers;
use crate::report::{Row, Which, median};
use crate::script::{Existing, Look, Script, Write};
use crate::workflows::steps;
use crate::world::{Setting, World};

const NAME: &str = "steps";

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let (runs, each) = (bench.scale(1_000, 200), bench.scale(100, 50));
    let profile = profile(bench, runs, each).await?;
    let (rounds, floors) = bench
        .beside_floor(&profile, Durability::Full, || {
            all_steps(bench, runs, each, Durability::Full)
        })
        .await?;
    let rate = median(rounds.iter().map(|round| round.rate).collect());
    let commits = median(rounds.iter().map(|round| round.per_commit).collect());
    let row = Row::new(
        NAME,
        format!("{runs} runs × {each} trivial steps"),
        rate,
        "1/s",
    )
    .beside(&floors, Which::Max)
    .at_least(0.25 * floors.median(Which::Max), "0.25 Fmax")
    .at_least(20_000.0, "20,000/s")
    .detail("steps a commit", commits);
    Ok(vec![row])
}

/// What one round gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) rate: f64,
    pub(super) per_commit: f64,
}

/// Has so many runs take so many steps each.
pub(super) async fn all_steps(
    bench: &Bench,
    runs: u64,
    each: u64,
    durability: Durability,
) -> Result<Round> {
    let setting = Setting {
        durability,
        ..Setting::default()
    };
    let world = World::open(&bench.file()?, &setting).await?;
    let before = world.counts().commits;
    let rewake = world.rewake.clone();
    let called = callers::call(runs, runs, move |_| {
        let rewake = rewake.clone();
        async move {
            rewake.start(steps(each)).await?.result().await?;
            Ok(())
        }
    })
    .await?;
    let commits = world.counts().commits - before;
    world.close().await?;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    Ok(Round {
        rate: callers::per_second(runs * each, called.took),
        per_commit: (runs * each) as f64 / commits as f64,
    })
}

/// One step of runs that take so many each.
pub(super) async fn profile(bench: &Bench, runs: u64, each: u64) -> Result<Profile> {
    bench
        .probe(|world| async move {
            const STEPS: u64 = 50;
            let before = world.counts().rows;
            let run = world.rewake.start(steps(STEPS)).await?;
            run.result().await?;
            let counted = world.counts().rows - before;
            let look = Look::into(&world.path)?;
            let (frames, row) = (look.frames(run.id())?, look.run(run.id())?);
            // Beside the steps: the start and the end of the run, a frame and its row each.
            let step = frames[frames.len() / 2];
            let script = Script {
                writes: vec![
                    Write::Frame(step),
                    Write::Run {
                        bytes: row,
                        due: true,
                    },
                ],
                existing: Some(Existing {
                    runs,
                    each,
                    writes: vec![
                        Write::Frame(frames[0]),
                        Write::Run {
                            bytes: row,
                            due: true,
                        },
                    ],
                }),
            }
            .checked((counted - 4) / STEPS)?;
            Ok((world, script))
        })
        .await
}
