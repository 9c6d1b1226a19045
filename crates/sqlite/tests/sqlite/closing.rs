//! How a store ends.

use futures::executor::block_on;
use rewake_sqlite::{Options, SqliteStore};
use rewake_store::{Failed, Queries, Sessions, StoreError};

use super::clock::{self, Gate};
use super::log::{Stage, payload};

fn is_closed(error: &StoreError) -> bool {
    error.code() == "STORE_CLOSED"
}

#[test]
fn closing_writes_what_is_queued_and_refuses_the_rest() {
    let gate = Gate::new();
    let stage = Stage::with(|path| Options::new(path, gate.now()));
    let run = stage.run();

    let closed = gate.close();
    let first = run.deliver(&payload(1));
    closed.wait();
    let queued = run.deliver(&payload(1));
    let closing = stage.store.close();
    let late = run.deliver(&payload(1));
    let question = stage.store.run(stage.scope, run.id);
    drop(closed);

    block_on(first).unwrap();
    assert_eq!(block_on(queued).unwrap().position.0, 4);
    block_on(closing).unwrap();
    let refusal = block_on(late).unwrap_err();
    assert!(
        matches!(&refusal, Failed::Store(error) if is_closed(error)),
        "{refusal:?}"
    );
    assert!(is_closed(&block_on(question).unwrap_err()));
    block_on(stage.store.close()).unwrap();

    let id = run.id;
    let stage = stage.reopen();
    let row = block_on(stage.store.run(stage.scope, id)).unwrap().unwrap();
    assert_eq!(row.head.0, 4);
}

#[test]
fn dropping_the_last_handle_lets_go_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = super::log::path_in(&directory);
    for sessions in 0..3 {
        let options =
            Options::new(&path, clock::ticking()).wait_for_store(std::time::Duration::ZERO);
        let store = SqliteStore::open(options).unwrap();
        let answer = store.clone().begin_session();
        drop(store);
        assert_eq!(block_on(answer), Ok(sessions));
    }
}

#[test]
fn the_last_handle_may_be_dropped_by_the_store_itself() {
    let stage = Stage::relaxed();
    let store = stage.store.clone();
    let answer = store.begin_session();
    let (dropped, seen) = std::sync::mpsc::channel();
    let directory = stage.path();
    drop(stage);
    // Polled once, so that the writer wakes it; the waker holds the last handle.
    let waker = futures::task::waker(std::sync::Arc::new(Holder(std::sync::Mutex::new(Some((
        store, dropped,
    ))))));
    let mut answer = answer;
    let mut context = std::task::Context::from_waker(&waker);
    let polled = std::pin::Pin::new(&mut answer).poll(&mut context);
    if polled.is_pending() {
        drop(waker);
        seen.recv().unwrap();
    }
    drop(directory);
}

type Held = Option<(SqliteStore, std::sync::mpsc::Sender<()>)>;

struct Holder(std::sync::Mutex<Held>);

impl futures::task::ArcWake for Holder {
    fn wake_by_ref(this: &std::sync::Arc<Self>) {
        let held = this.0.lock().unwrap().take();
        if let Some((store, dropped)) = held {
            drop(store);
            dropped.send(()).unwrap();
        }
    }
}
