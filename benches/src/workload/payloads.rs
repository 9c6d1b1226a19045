//! One run that receives many payloads: while it is in memory, and when it has to be read back.

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::clock;
use crate::latency::Latency;
use crate::notes::{self, WAITS};
use crate::report::Row;
use crate::workflows::collects;
use crate::world::{Setting, World};

const NAME: &str = "payloads";

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let payloads = bench.scale(10_000, 1_000);
    notes::forget(payloads + 1);
    let path = bench.file()?;
    let world = World::open(&path, &Setting::default()).await?;
    let run = world.rewake.start(collects(payloads + 1)).await?;
    notes::until(WAITS).await;
    let (mut early, mut late) = (Latency::new(), Latency::new());
    let part = payloads / 10;
    for n in 0..payloads {
        let from = clock::nanos();
        send(&world, n).await?;
        notes::until(n).await;
        let took = notes::at(n).saturating_sub(from);
        if n < part {
            early.record_nanos(took);
        } else if n >= payloads - part {
            late.record_nanos(took);
        }
    }
    world.close().await?;

    // Cold: the first event of a new process brings the whole log back.
    notes::forget(payloads + 1);
    let world = World::open(&path, &Setting::default()).await?;
    let began = clock::now();
    send(&world, payloads).await?;
    notes::until(payloads).await;
    let cold = began.elapsed();
    let run = world.rewake.get_run::<u64>(run.id());
    ensure!(
        run.result().await? == payloads + 1,
        "every payload was taken"
    );
    world.close().await?;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let each = cold.as_secs_f64() * 1e6 / payloads as f64;
    Ok(vec![
        Row::new(
            NAME,
            "resident: the last tenth beside the first",
            late.p50(),
            "µs",
        )
        .detail("first tenth p50, µs", early.p50())
        .percentiles(late.percentiles()),
        Row::new(NAME, "cold: each event of the log", each, "µs").at_most(10.0, "10 µs"),
    ])
}

async fn send(world: &World, n: u64) -> Result<()> {
    let hook = world.rewake.resume_hook("collects", &n).await?;
    ensure!(hook.is_some(), "nobody takes payload {n}");
    Ok(())
}
