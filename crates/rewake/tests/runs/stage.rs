//! What a test stands on: a store that can be opened again, and a probe that steps write to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rewake::prelude::*;
use rewake::{RewakeBuilder, StoreSource};
use rewake_core::event::Event;
use rewake_core::time::Timestamp;
use rewake_postgres::private_server::Database;
use rewake_store::memory::MemoryStore;
use tempfile::TempDir;

use crate::probe::Probe;

/// Emits each test once for every way in which a store and an engine work together. A function that
/// is not named here is reported as dead code.
macro_rules! on_every_stage {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use crate::stage::{Stage, in_time};

            #[tokio::test(flavor = "multi_thread")]
            async fn in_memory() {
                in_time(super::$name(Stage::in_memory())).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn in_a_file() {
                in_time(super::$name(Stage::in_a_file())).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn in_postgres() {
                in_time(super::$name(Stage::in_postgres())).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn evicted_at_every_rest() {
                in_time(super::$name(Stage::evicting())).await;
            }
        }
    )*};
}
pub(crate) use on_every_stage;

/// A test that hangs shall say so.
pub(crate) async fn in_time(test: impl Future<Output = ()>) {
    let waited = tokio::time::timeout(Duration::from_secs(40), test).await;
    assert!(waited.is_ok(), "nothing happens any more");
}

/// Where a test takes place.
#[derive(Debug)]
pub(crate) struct Stage {
    backing: Backing,
    evicting: bool,
    /// What steps write to.
    pub(crate) probe: Probe,
}

#[derive(Debug)]
enum Backing {
    Memory(MemoryStore),
    File(TempDir),
    Postgres(Database),
}

impl Stage {
    pub(crate) fn in_memory() -> Self {
        Self::new(Backing::Memory(MemoryStore::new(Arc::new(clock))))
    }

    pub(crate) fn in_a_file() -> Self {
        Self::new(Backing::File(tempfile::tempdir().unwrap()))
    }

    pub(crate) fn in_postgres() -> Self {
        Self::new(Backing::Postgres(Database::new().unwrap()))
    }

    pub(crate) fn evicting() -> Self {
        Self {
            evicting: true,
            ..Self::in_memory()
        }
    }

    fn new(backing: Backing) -> Self {
        Self {
            backing,
            evicting: false,
            probe: Probe::default(),
        }
    }

    /// A builder with everything that the tests' workflows and steps need.
    pub(crate) fn builder(&self) -> RewakeBuilder {
        let builder = Rewake::builder()
            .store(self.store())
            .public_url("http://localhost:3000")
            .provide(self.probe.clone());
        if self.evicting {
            builder.memory_budget(0)
        } else {
            builder
        }
    }

    pub(crate) fn store(&self) -> StoreSource {
        match &self.backing {
            Backing::Memory(store) => StoreSource::Open(Arc::new(store.clone())),
            Backing::File(_) => StoreSource::Url(format!("sqlite:{}", self.path().display())),
            Backing::Postgres(database) => StoreSource::Url(database.url()),
        }
    }

    pub(crate) async fn open(&self) -> Rewake {
        self.builder().build().await.unwrap()
    }

    /// The file of the store.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.backing {
            Backing::Memory(_) | Backing::Postgres(_) => panic!("the store is in no file"),
            Backing::File(dir) => dir.path().join("runs.db"),
        }
    }

    /// What the next process finds if this one is killed now.
    pub(crate) fn killed(&self) -> Self {
        let copy = Self::in_a_file();
        for suffix in ["", "-wal"] {
            let name = |path: PathBuf| format!("{}{suffix}", path.display());
            std::fs::copy(name(self.path()), name(copy.path())).unwrap();
        }
        Self {
            probe: self.probe.clone(),
            ..copy
        }
    }
}

/// The time of day.
pub(crate) fn system_time() -> SystemTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "what a workflow is given is compared with the machine's own clock"
    )]
    SystemTime::now()
}

pub(crate) fn clock() -> Timestamp {
    let passed = system_time().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(passed.as_millis().try_into().unwrap())
}

/// Hands a payload to a hook as soon as there is one.
pub(crate) async fn resume<P: Serialize + ?Sized>(
    rewake: &Rewake,
    token: &str,
    payload: &P,
) -> Hook {
    hook(rewake, token).await;
    let resumed = rewake.resume_hook(token, payload).await.unwrap();
    resumed.expect("the hook is still there")
}

/// The hook of a token, as soon as there is one.
pub(crate) async fn hook(rewake: &Rewake, token: &str) -> Hook {
    loop {
        if let Some(hook) = rewake.get_hook_by_token(token).await.unwrap() {
            return hook;
        }
        tokio::task::yield_now().await;
    }
}

/// Why a run is parked, once it is.
pub(crate) async fn parked<T: std::fmt::Debug + serde::de::DeserializeOwned>(
    run: &Run<T>,
) -> (String, String) {
    match run.result().await {
        Err(RunError::Parked { code, reason }) => (code, reason),
        other => panic!("the run is not parked: {other:?}"),
    }
}

/// The log of a run.
pub(crate) async fn log<T>(rewake: &Rewake, run: &Run<T>) -> Vec<Event> {
    rewake.engine().events(run.id()).await.unwrap()
}

/// The names of the events of a run, oldest first.
pub(crate) async fn events<T>(rewake: &Rewake, run: &Run<T>) -> Vec<&'static str> {
    let log = log(rewake, run).await;
    log.iter().map(|event| event.kind.name()).collect()
}

/// How often an event of this name stands in the log of a run.
pub(crate) async fn count<T>(rewake: &Rewake, run: &Run<T>, name: &str) -> usize {
    let names = events(rewake, run).await;
    names.into_iter().filter(|found| *found == name).count()
}

/// Waits until so many events of this name stand in the log of a run.
pub(crate) async fn logged<T>(rewake: &Rewake, run: &Run<T>, name: &str, times: usize) {
    while count(rewake, run, name).await < times {
        tokio::task::yield_now().await;
    }
}
