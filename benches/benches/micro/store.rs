//! Appends into a store, one at a time: the end of a step each, from the request to its answer.

use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use futures::executor::block_on;
use rewake_core::event::{EventKind, Position};
use rewake_core::id::RunId;
use rewake_sqlite::{Durability, Options, SqliteStore};
use rewake_store::memory::MemoryStore;
use rewake_store::{
    Append, Condition, Create, Deliver, Door, Kin, Log, Mark, ScopeId, Sessions, UnreadLimit,
};
use tempfile::TempDir;

use crate::log::{AT, created, event_id, number, run, step_events, token};

const SCOPE: ScopeId = ScopeId(0);

/// What begins a log.
pub(crate) fn begin(run: RunId, events: Vec<EventKind>) -> Create {
    Create {
        scope: SCOPE,
        run,
        id: event_id(0),
        events,
        key: None,
        node: None,
    }
}

/// All of a step at once, by a worker that builds on a position.
pub(crate) fn append(run: RunId, n: u64, worker: Position) -> Append {
    Append {
        scope: SCOPE,
        run,
        id: event_id(n),
        conditions: vec![Condition::WorkerPosition(worker)],
        events: step_events(n),
        release: Vec::new(),
        kin: Kin::default(),
        answers: Vec::new(),
        mark: Some(Mark {
            reacted: worker,
            wake_at: Some(AT),
            ..Mark::default()
        }),
        since: Some(worker),
        repeat: false,
    }
}

/// A payload for the run's hook.
pub(crate) fn deliver(n: u64) -> Deliver {
    Deliver {
        scope: SCOPE,
        token: token(),
        id: event_id(n),
        payload: number(n),
        key: None,
        fallback: None,
        door: Door::Hook,
        limit: UnreadLimit {
            count: 10_000,
            bytes: 64 << 20,
        },
        repeat: false,
    }
}

#[divan::bench]
fn append_to_memory(bencher: Bencher<'_, '_>) {
    measure(bencher, &MemoryStore::new(Arc::new(|| AT)));
}

/// Without waiting for a disk, where there is a file system in memory without a disk at all.
#[divan::bench]
fn append_to_sqlite(bencher: Bencher<'_, '_>) {
    let folder = in_memory();
    let options = Options::new(folder.path().join("store.db"), Arc::new(|| AT));
    let store = SqliteStore::open(options.durability(Durability::Relaxed)).expect("it is new");
    measure(bencher, &store);
    block_on(store.close()).expect("all of it is written");
}

fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    folder.expect("a folder for temporary files takes one more")
}

fn measure(bencher: Bencher<'_, '_>, store: &(impl Log + Sessions)) {
    let scope = block_on(store.scope("bench".to_owned(), "micro".to_owned()));
    assert_eq!(scope.ok(), Some(SCOPE), "the first of a store");
    let events = vec![created(), EventKind::RunStarted];
    block_on(store.create(begin(run(), events))).expect("it is new");
    let (mut n, mut worker) = (0, Position::START);
    bencher.bench_local(|| {
        n += 1;
        let appended = block_on(store.append(append(run(), n, worker)));
        worker = appended.expect("nobody else writes").head;
    });
}
