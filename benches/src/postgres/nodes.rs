//! Several nodes on one database, each with its share of the runs. They share this machine's cores with
//! the server: what is to be seen is what nodes cost each other, and what the server is bound by.

use anyhow::Result;
use futures::future::try_join_all;
use rewake_postgres::private_server::PrivateServer;

use super::NAME;
use super::world::World;
use crate::bench::Bench;
use crate::callers;
use crate::report::Row;
use crate::workflows::steps;

pub(super) async fn run(bench: &Bench, server: &PrivateServer) -> Result<Vec<Row>> {
    let (runs, each) = (bench.scale(400, 80), bench.scale(50, 20));
    let mut rows = Vec::new();
    for nodes in [1, 2, 4] {
        let (rate, commits) = together(server, nodes, runs, each).await?;
        let what = format!("{nodes} nodes, {runs} runs × {each} trivial steps");
        rows.push(Row::new(NAME, what, rate, "1/s").detail("commits a step", commits));
    }
    Ok(rows)
}

/// Steps a second of all nodes together, and commits a step.
async fn together(server: &PrivateServer, nodes: u64, runs: u64, each: u64) -> Result<(f64, f64)> {
    let database = server.database()?;
    let worlds = try_join_all((0..nodes).map(|_| World::open(&database))).await?;
    let share = runs / nodes;
    let passes = worlds.iter().map(|world| {
        let rewake = world.rewake.clone();
        callers::call(share, share, move |_| {
            let rewake = rewake.clone();
            async move {
                rewake.start(steps(each)).await?.result().await?;
                Ok(())
            }
        })
    });
    let passes = try_join_all(passes).await?;
    let longest = passes.iter().map(|pass| pass.took).max();
    let all = share * nodes * each;
    let rate = callers::per_second(all, longest.unwrap_or_default());
    let commits: u64 = worlds.iter().map(|world| world.counts().commits).sum();
    for world in worlds {
        world.close().await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    Ok((rate, commits as f64 / all as f64))
}
