//! Files that are not ours, too new, or cut: a typed error, and nothing changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::executor::block_on;
use rewake_sqlite::{Durability, OpenError, Options, SqliteStore};
use rewake_store::Log;
use rewake_store::core::event::Position;
use rusqlite::Connection;
use tempfile::TempDir;

use super::clock;
use super::log::{ALL, Stage, payload};

/// Every file of a directory, with what is in it.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// The error of opening a file, after which every file is as it was.
fn refused(path: &Path) -> OpenError {
    let directory = path.parent().unwrap();
    let before = files(directory);
    let options = Options::new(path, clock::ticking()).wait_for_store(Duration::ZERO);
    let writing = SqliteStore::open(options.clone()).unwrap_err();
    let reading = SqliteStore::open(options.read_only()).unwrap_err();
    assert_eq!(writing.code(), reading.code());
    let mut after = files(directory);
    // Taking the lock says who has it; that is all.
    let lock = super::log::beside(path, "-lock");
    if let (Some(before), Some(after)) = (before.get(&lock), after.get_mut(&lock)) {
        after.clone_from(before);
    }
    assert!(before == after, "something changed: {writing}");
    writing
}

/// A closed store with something in it.
fn closed() -> (PathBuf, std::sync::Arc<TempDir>) {
    let stage = Stage::relaxed();
    let run = stage.run();
    for _ in 0..20 {
        block_on(run.deliver(&payload(1000))).unwrap();
    }
    (stage.path(), stage.close())
}

fn set(path: &Path, pragma: &str, value: i64) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, pragma, value).unwrap();
    connection.close().unwrap();
}

#[test]
fn text_is_not_ours() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    fs::write(&path, "Dear diary, ".repeat(1000)).unwrap();
    let error = refused(&path);
    assert_eq!(error.code(), "STORE_NOT_OURS", "{error}");
    fs::write(&path, "x").unwrap();
    let error = refused(&path);
    assert_eq!(error.code(), "STORE_NOT_OURS", "{error}");
}

#[test]
fn the_database_of_another_program_is_not_ours() {
    for mode in ["delete", "wal"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("theirs.db");
        let theirs = Connection::open(&path).unwrap();
        theirs.pragma_update(None, "journal_mode", mode).unwrap();
        theirs.execute_batch("CREATE TABLE t (a)").unwrap();
        theirs.close().unwrap();
        let error = refused(&path);
        assert_eq!(error.code(), "STORE_NOT_OURS", "{error}");
    }
}

#[test]
fn a_newer_format_is_left_alone() {
    let (path, _directory) = closed();
    set(&path, "user_version", 2);
    let error = refused(&path);
    assert_eq!(error.code(), "STORE_NEWER", "{error}");
    assert!(matches!(
        error,
        OpenError::Newer {
            found: 2,
            known: 1,
            ..
        }
    ));
}

#[test]
fn a_format_that_never_was_is_damage() {
    let (path, _directory) = closed();
    for version in [0, -1] {
        set(&path, "user_version", version);
        let error = refused(&path);
        assert_eq!(error.code(), "STORE_DAMAGED", "{error}");
    }
}

#[test]
fn a_file_that_was_cut_is_damaged_wherever_it_was_cut() {
    let (path, _directory) = closed();
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 5);
    let cuts = [0, 100, 511, 4095, 4096, whole.len() / 2, whole.len() - 1];
    let page_ends = (1..pages).map(|page| page * 4096);
    for len in cuts.into_iter().chain(page_ends) {
        fs::write(&path, &whole[..len]).unwrap();
        let error = refused(&path);
        assert_eq!(error.code(), "STORE_DAMAGED", "cut at {len}: {error}");
    }
    // Less than a header says nothing about whose it was.
    for len in 1..100 {
        fs::write(&path, &whole[..len]).unwrap();
        let error = refused(&path);
        assert!(
            ["STORE_NOT_OURS", "STORE_DAMAGED"].contains(&error.code()),
            "cut at {len}: {error}"
        );
    }
    fs::write(&path, &whole).unwrap();
    SqliteStore::open(Options::new(&path, clock::ticking())).unwrap();
}

/// The database's own pages have no checksum, and what a bit there means is hidden from us. But what
/// is read of a log is what was written, or an error.
#[test]
fn no_flipped_bit_of_the_file_changes_what_a_log_says() {
    let stage = Stage::relaxed();
    let run = stage.run();
    for _ in 0..5 {
        block_on(run.deliver(&payload(500))).unwrap();
    }
    let (id, scope, frames) = (run.id, stage.scope, run.frames());
    let path = stage.path();
    let _directory = stage.close();
    let whole = fs::read(&path).unwrap();

    let header = (0..100 * 8).step_by(5);
    let pages = (100 * 8..whole.len() * 8).step_by(1627);
    let mut read = 0;
    for bit in header.chain(pages) {
        let mut spoiled = whole.clone();
        spoiled[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &spoiled).unwrap();
        let options = Options::new(&path, clock::ticking()).durability(Durability::Relaxed);
        let store = match SqliteStore::open(options) {
            Ok(store) => store,
            Err(error) => {
                assert!(!error.is_retryable(), "bit {bit}: {error}");
                assert!(fs::read(&path).unwrap() == spoiled, "bit {bit}: {error}");
                continue;
            }
        };
        match block_on(store.frames(scope, id, Position::START, ALL)) {
            Ok(found) => {
                read += 1;
                assert_eq!(found, frames, "bit {bit}");
            }
            Err(error) => assert_eq!(error.code(), "STORE_CORRUPT", "bit {bit}: {error}"),
        }
    }
    assert!(read > 100, "{read} were read");
}
