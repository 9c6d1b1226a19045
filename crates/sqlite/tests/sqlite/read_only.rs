//! A second process that looks.

use futures::executor::block_on;
use rewake_sqlite::{Options, SqliteStore};
use rewake_store::{Failed, Queries, Sessions, StoreError};

use super::clock;
use super::log::{Run, Stage, payload};

fn look(stage: &Stage) -> SqliteStore {
    SqliteStore::open(Options::new(stage.path(), clock::ticking()).read_only()).unwrap()
}

#[test]
fn it_sees_what_was_acknowledged_and_writes_nothing() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let store = look(&stage);
    block_on(run.deliver(&payload(10))).unwrap();

    assert_eq!(super::log::scope(&store), stage.scope);
    let seen = Run {
        store: &store,
        ..run
    };
    assert_eq!(seen.frames(), run.frames());
    let refusal = block_on(seen.deliver(&payload(1))).unwrap_err();
    let Failed::Store(StoreError::ReadOnly { reason }) = refusal else {
        panic!("{refusal:?}");
    };
    let expected = format!("process {} (`sqlite", std::process::id());
    assert!(reason.starts_with(&expected), "{reason}");
    let new = block_on(store.scope("other".to_owned(), "place".to_owned()));
    assert_eq!(new.unwrap_err().code(), "READ_ONLY");
    assert_eq!(
        block_on(store.begin_session()).unwrap_err().code(),
        "READ_ONLY"
    );
    assert_eq!(run.frames().len(), 2);
}

#[test]
fn it_goes_on_when_the_writer_has_gone_and_ends_when_closed() {
    let stage = Stage::relaxed();
    let (id, scope) = (stage.run().id, stage.scope);
    let store = look(&stage);
    let directory = stage.close();
    assert!(block_on(store.run(scope, id)).unwrap().is_some());
    block_on(store.close()).unwrap();
    let error = block_on(store.run(scope, id)).unwrap_err();
    assert_eq!(error.code(), "STORE_CLOSED");
    drop(directory);
}

#[test]
fn it_makes_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = super::log::path_in(&directory);
    let error = SqliteStore::open(Options::new(&path, clock::ticking()).read_only()).unwrap_err();
    assert_eq!(error.code(), "STORE_UNOPENABLE");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
