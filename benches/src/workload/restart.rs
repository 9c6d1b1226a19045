//! A process that is killed under write load, and how soon the next one serves.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::resume::{resume, start_waiting};
use crate::bench::Bench;
use crate::callers;
use crate::clock;
use crate::notes;
use crate::process;
use crate::report::Row;
use crate::workflows::churns;
use crate::world::{Setting, World};

const NAME: &str = "restart";
/// So long the load runs before the kill.
const LOAD: Duration = Duration::from_secs(5);
/// So often the log is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(5);
/// The store's bound on its write-ahead log.
const WAL: u64 = 64 << 20;

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let waiting = bench.scale(1_000_000, 2_000);
    let active = bench.scale(10_000, 200);
    let path = bench.file()?;
    let largest = load_and_kill(bench, &path, [waiting, active]).await?;

    notes::forget(active);
    let began = clock::now();
    let world = World::open(&path, &Setting::default()).await?;
    resume(&world.rewake, 0).await?;
    let first = began.elapsed();
    notes::until_all(0..active).await;
    let driven = began.elapsed();
    world.rewake.shutdown(Duration::ZERO).await?;

    let what = |text: &str| format!("{waiting} waiting, {active} active: {text}");
    #[expect(
        clippy::cast_precision_loss,
        reason = "a log has far fewer bytes than 2^52"
    )]
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    Ok(vec![
        Row::new(NAME, what("largest log"), mib(largest), "MiB").at_most(mib(WAL), "64 MiB"),
        Row::new(NAME, what("first resume"), first.as_secs_f64() * 1e3, "ms")
            .at_most(200.0, "200 ms"),
        Row::new(NAME, what("all driven"), driven.as_secs_f64() * 1e3, "ms")
            .at_most(5_000.0, "5 s"),
    ])
}

/// How large the write-ahead log was at most.
async fn load_and_kill(bench: &Bench, path: &Path, numbers: [u64; 2]) -> Result<u64> {
    let mut child = process::begin("load", path, &numbers)?;
    let said = child.stdout.take().context("its output was asked for")?;
    let said = tokio::task::spawn_blocking(move || BufReader::new(said).lines().next());
    let wal = beside(path);
    let mut largest = 0;
    let look = |largest: u64| std::fs::metadata(&wal).map_or(largest, |wal| largest.max(wal.len()));
    while !said.is_finished() {
        largest = look(largest);
        clock::pass(GLANCE).await;
    }
    let ready = said.await?.context("it ended before the load began")??;
    ensure!(ready == "ready", "it said `{ready}`");
    let began = clock::now();
    while began.elapsed() < if bench.quick { LOAD / 5 } else { LOAD } {
        largest = look(largest);
        clock::pass(GLANCE).await;
    }
    child.kill()?;
    child.wait()?;
    Ok(largest)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The process that is killed: starts everything, says so, and goes on.
pub(crate) async fn load(path: &Path, waiting: u64, active: u64) -> Result<()> {
    let world = World::open(path, &Setting::default()).await?;
    start_waiting(&world.rewake, waiting).await?;
    let rewake = world.rewake.clone();
    callers::call(256, active, move |n| {
        let rewake = rewake.clone();
        async move {
            rewake.start(churns(n)).await?;
            Ok(())
        }
    })
    .await?;
    notes::until_all(0..active).await;
    println!("ready");
    // Whoever began it ends it long before.
    clock::pass(Duration::from_hours(1)).await;
    world.close().await
}
