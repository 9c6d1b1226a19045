//! What was stored is there again.

use futures::executor::block_on;
use rewake_sqlite::{Durability, Options};
use rewake_store::{Queries, Sessions};

use super::clock;
use super::log::{Stage, beside, payload, scope};

#[test]
fn everything_is_there_after_reopening() {
    for durability in [Durability::Full, Durability::Relaxed] {
        let stage = Stage::with(|path| Options::new(path, clock::ticking()).durability(durability));
        let run = stage.run();
        block_on(run.append(run.step(&payload(100)))).unwrap();
        block_on(run.deliver(&payload(9000))).unwrap();
        let (id, token) = (run.id, run.token());
        let (row, frames) = (run.row(), run.frames());
        let hook = block_on(stage.store.token(stage.scope, token.clone())).unwrap();

        let stage = stage.reopen();
        let run = super::log::Run {
            store: &stage.store,
            scope: stage.scope,
            id,
        };
        assert_eq!(run.row(), row);
        assert_eq!(run.frames(), frames);
        let found = block_on(stage.store.token(stage.scope, token)).unwrap();
        assert_eq!(found, hook);
        assert!(found.is_some());
    }
}

#[test]
fn a_store_that_was_closed_is_one_file() {
    let stage = Stage::relaxed();
    stage.run();
    let path = stage.path();
    let directory = stage.close();
    let mut left: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    left.sort();
    assert_eq!(left, [path.clone(), beside(&path, "-lock")]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;

    let stage = Stage::relaxed();
    stage.run();
    let path = stage.path();
    for suffix in ["", "-wal", "-shm", "-lock"] {
        let file = beside(&path, suffix);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn stores_in_memory_have_nothing_in_common() {
    let first = rewake_sqlite::SqliteStore::open(Options::memory(clock::ticking())).unwrap();
    let second = rewake_sqlite::SqliteStore::open(Options::new(":memory:", clock::ticking()));
    let second = second.unwrap();
    assert_eq!(block_on(first.begin_session()), Ok(0));
    assert_eq!(block_on(second.begin_session()), Ok(0));
    assert_eq!(block_on(first.begin_session()), Ok(1));
    assert_eq!(scope(&first), scope(&second));
}

#[test]
fn what_a_dead_process_left_half_made_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = super::log::path_in(&directory);
    std::fs::write(beside(&path, "-new"), b"half a file").unwrap();
    let store = rewake_sqlite::SqliteStore::open(Options::new(&path, clock::ticking())).unwrap();
    assert_eq!(block_on(store.begin_session()), Ok(0));
    assert!(!beside(&path, "-new").exists());
}
