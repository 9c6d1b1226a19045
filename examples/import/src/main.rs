//! A batch import: a run for the batch, and a child run for each of its thousand records.
//!
//! `cargo run -p import` imports a batch that it makes up. What was done is in `import.db`, what was
//! imported in `import.archive`: kill the process at any moment, start it again, and it goes on.

mod batch;
mod progress;
mod say;
#[cfg(test)]
mod tests;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rewake::{Rewake, Run, RunError, RunStatus};
use tokio::sync::oneshot;

use batch::{Report, import_batch};
use progress::progress;
use world::{Archive, Source};

/// How many records are on their way to the archive at the same time; all others wait for a place.
const AT_ONCE: usize = 20;
/// How often progress is told.
const OFTEN: Duration = Duration::from_millis(500);

/// What the command line says.
struct Options {
    db: PathBuf,
    batch: String,
    records: usize,
    takes: Duration,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = options(std::env::args().skip(1))?;
    let rewake = Rewake::builder()
        .store(format!("sqlite:{}", options.db.display()))
        .provide(Source {
            records: options.records,
        })
        .provide(Archive::beside(&options.db, options.takes)?)
        .workflow(import_batch)
        .max_steps(AT_ONCE)
        .build()
        .await?;
    say::opened(&options.db);
    let run = take_up_or_start(&rewake, &options.batch).await?;
    tokio::spawn(cancel_when_told(run.clone()));
    tokio::select! {
        ended = follow(&rewake, &run) => ended?,
        _signal = tokio::signal::ctrl_c() => say::stopping(),
    }
    rewake.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}

/// Starts the import of a batch. Starting it again is starting it once, whatever became of it.
async fn take_up_or_start(rewake: &Rewake, batch: &str) -> anyhow::Result<Run<Report>> {
    let earlier = rewake.runs().attribute("batch", batch).await?.data.pop();
    let run = rewake
        .start(import_batch(batch.to_owned()))
        .idempotency_key(batch)
        .attribute("batch", batch)
        .await?;
    match earlier.map(|run| run.status) {
        None => say::started(batch, run.id()),
        Some(RunStatus::Pending | RunStatus::Running) => say::taken_up(batch, run.id()),
        Some(RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled) => {
            say::was_over(batch);
        }
    }
    Ok(run)
}

/// Tells how far the import has come, until it has ended.
async fn follow(rewake: &Rewake, run: &Run<Report>) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(OFTEN);
    let mut told = None;
    let ended = run.result();
    tokio::pin!(ended);
    let ended = loop {
        tokio::select! {
            ended = &mut ended => break ended,
            _tick = ticks.tick() => {
                let progress = progress(rewake, run).await?;
                if told.replace(progress) != Some(progress) {
                    say::progress(&progress);
                }
            }
        }
    };
    match ended {
        Ok(report) => {
            let run = run.snapshot().await?;
            let took = run.ended_at.map(|end| end.since(run.created_at));
            say::imported(&report, took.unwrap_or_default());
        }
        Err(RunError::Cancelled { .. }) => {
            while progress(rewake, run).await?.open > 0 {
                ticks.tick().await;
            }
            say::was_called_off(&progress(rewake, run).await?);
        }
        Err(error) => say::failed(&error),
    }
    Ok(())
}

/// Cancels the import once the person types `cancel`.
async fn cancel_when_told(run: Run<Report>) {
    let (tell, told) = oneshot::channel();
    // Reading from a terminal cannot be given up: a thread does it for which the process does not wait.
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lines().map_while(Result::ok);
        if lines.any(|line| line.trim() == "cancel") {
            let _nobody_waits = tell.send(());
        }
    });
    if told.await.is_ok() {
        say::called_off(&run.cancel("called off at the terminal").await);
    }
}

fn options(mut args: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        db: "import.db".into(),
        batch: "customers".into(),
        records: 1_000,
        takes: Duration::from_millis(100),
    };
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("`{arg}` wants a value"))?;
        let number = || format!("`{arg}` wants a number");
        match arg.as_str() {
            "--store" => options.db = value.into(),
            "--batch" => options.batch = value,
            "--records" => options.records = value.parse().with_context(number)?,
            "--takes-ms" => {
                options.takes = Duration::from_millis(value.parse().with_context(number)?);
            }
            _ => anyhow::bail!(
                "unknown option `{arg}`; there are --store FILE, --batch NAME, --records NUMBER, \
                 and --takes-ms NUMBER, how long the archive takes for a record"
            ),
        }
    }
    Ok(options)
}
