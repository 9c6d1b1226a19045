//! A world in which counting comes to the same every time: one thread for everything but the store's
//! own, time that stands still, entropy that is none.
//!
//! With real time a record that may ride along for some milliseconds would have a commit of its own
//! whenever the machine is busy.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rewake::{Rewake, RunId};
use rewake_core::payload::{self, Arguments, Payload};
use rewake_core::time::Timestamp;
use rewake_runtime::{Builder, Clock, Engine, Entropy, Host, Resume, RunOutcome, Spawner, Start};
use rewake_sqlite::{Counts, Options, SqliteStore};
use rewake_store::{Patience, Store};
use serde::Serialize;

use crate::workflows::token;

/// When it is, in milliseconds since 1970.
const NOW: u64 = 1_800_000_000_000;

/// An engine on a file, in a world that stands still.
#[derive(Debug)]
pub(crate) struct StillWorld {
    engine: Engine,
    store: Arc<SqliteStore>,
}

impl StillWorld {
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        Self::with(Options::new(path, Arc::new(now))).await
    }

    /// Without a file: what a write-ahead log costs depends on how full it happens to be.
    pub(crate) async fn in_memory() -> Result<Self> {
        Self::with(Options::memory(Arc::new(now))).await
    }

    async fn with(options: Options) -> Result<Self> {
        // How often a thread looks for work depends on how fast others are.
        let options = options.patience(Patience::none());
        let store = Arc::new(SqliteStore::open(options)?);
        let shared: Arc<dyn Store> = Arc::<SqliteStore>::clone(&store);
        let host = Host {
            clock: Arc::new(Stopped),
            spawner: Arc::new(OneThread),
            entropy: Arc::new(Counter::default()),
        };
        let registry = Rewake::builder().registry()?;
        let engine = Builder::new(host, shared, registry)
            .build_id("bench")
            .verify(false)
            .open()
            .await?;
        Ok(Self { engine, store })
    }

    pub(crate) fn counts(&self) -> Counts {
        self.store.counts()
    }

    /// Starts a run of the workflow whose function has this name.
    pub(crate) async fn start<A: Serialize>(&self, workflow: &str, args: A) -> Result<RunId> {
        let workflow = format!("rewake_bench::workflows::{workflow}");
        let input = payload::encode(&Arguments(args))?;
        Ok(self.engine.start(Start::new(workflow, input)).await?.run)
    }

    /// Waits for the end of a run.
    pub(crate) async fn end_of(&self, run: RunId) -> Result<Payload> {
        match self.engine.outcome(run).await? {
            RunOutcome::Completed(output) => Ok(output),
            other => anyhow::bail!("the run has come to {other:?}"),
        }
    }

    pub(crate) async fn resume(&self, n: u64) -> Result<()> {
        self.deliver(token(n), n).await
    }

    pub(crate) async fn deliver(&self, token: String, n: u64) -> Result<()> {
        let resume = Resume {
            token,
            payload: payload::encode(&n)?,
            key: None,
        };
        let hook = self.engine.resume(resume).await?;
        hook.map(drop).context("nobody waits there")
    }

    pub(crate) async fn close(self) -> Result<()> {
        self.engine.shutdown(Duration::from_secs(1)).await?;
        ensure!(self.engine.resident_runs() == 0, "a driver has stayed");
        Ok(())
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

/// Time that stands still: nothing ever falls due.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        now()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture {
        if at <= self.now() {
            Box::pin(std::future::ready(()))
        } else {
            Box::pin(std::future::pending())
        }
    }
}

type BoxFuture = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Drivers and steps where everything else is.
#[derive(Debug)]
struct OneThread;

impl Spawner for OneThread {
    fn spawn_driver(&self, task: BoxFuture) {
        drop(tokio::spawn(task));
    }

    fn spawn_step(&self, task: BoxFuture) {
        drop(tokio::spawn(task));
    }
}

/// Numbers that look drawn, the same in every process.
#[derive(Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn draw(&self) -> u128 {
        let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let spread = |n: u64| u128::from(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        (spread(n) << 64) | spread(n ^ 0x5555_5555_5555_5555)
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter").finish_non_exhaustive()
    }
}
