//! The file that processes work on, the journal of their side effects, and how a test looks into both.

use std::path::{Path, PathBuf};

use rewake::{Rewake, RunId, RunStatus, RunView};
use tempfile::TempDir;

/// A store's file, with a journal beside it in which every side effect leaves a line.
pub(crate) struct File {
    dir: TempDir,
}

impl File {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("runs.db")
    }

    /// The side effects so far that begin with a word.
    pub(crate) fn journal(&self, word: &str) -> Vec<String> {
        let journal = std::fs::read_to_string(journal(&self.path())).unwrap_or_default();
        let lines = journal.lines().filter(|line| line.starts_with(word));
        lines.map(str::to_owned).collect()
    }

    /// Waits for a side effect.
    pub(crate) fn until(&self, line: &str) {
        while self.journal(line).is_empty() {
            std::thread::yield_now();
        }
    }

    /// Asks a handle that runs nothing, as a program beside the worker may, or one in its place.
    pub(crate) fn ask<T>(&self, question: impl AsyncFnOnce(&Rewake) -> T) -> T {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let url = format!("sqlite:{}", self.path().display());
            let client = Rewake::builder().store(url).client_only();
            let client = client.build().await.unwrap();
            let answer = question(&client).await;
            client.shutdown(rewake::seconds(0)).await.unwrap();
            answer
        })
    }

    /// Hands a payload to a hook while no process works on the file.
    pub(crate) fn resume(&self, token: &str, n: u64) {
        let hook = self.ask(async |client| client.resume_hook(token, &n).await.unwrap());
        assert!(hook.is_some(), "{token}");
    }

    /// How often an event of this name stands in the log of a run.
    pub(crate) fn count(&self, run: RunId, name: &str) -> usize {
        let events = self.ask(async |client| client.engine().events(run).await.unwrap());
        events
            .iter()
            .filter(|event| event.kind.name() == name)
            .count()
    }

    /// Waits until an event of this name stands so often in the log of a run.
    pub(crate) fn until_logged(&self, run: RunId, name: &str, times: usize) {
        while self.count(run, name) < times {
            std::thread::yield_now();
        }
    }

    /// The run as it is.
    pub(crate) fn view(&self, run: RunId) -> RunView {
        self.ask(async |client| {
            let run = client.get_run::<u64>(run);
            run.snapshot().await.unwrap()
        })
    }

    /// Status, and code and reason of its being parked.
    pub(crate) fn parked(&self, run: RunId) -> (RunStatus, Option<(String, String)>) {
        let view = self.view(run);
        let parked = view.parked.map(|parked| (parked.code, parked.reason));
        (view.status, parked)
    }
}

/// Where the side effects of those who work on a store stand.
pub(crate) fn journal(store: &Path) -> PathBuf {
    store.with_extension("journal")
}
