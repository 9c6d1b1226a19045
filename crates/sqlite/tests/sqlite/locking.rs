//! One process writes.

use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use rewake_sqlite::{OpenError, Options, SqliteStore};
use rewake_store::Sessions;

use super::child::Process;
use super::clock;
use super::log::{Stage, path_in};

fn open(path: &std::path::Path, wait: Duration) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(Options::new(path, clock::ticking()).wait_for_store(wait))
}

#[test]
fn a_second_handle_is_told_who_has_the_file() {
    let stage = Stage::relaxed();
    let error = open(&stage.path(), Duration::from_millis(30)).unwrap_err();
    assert_eq!(error.code(), "STORE_IN_USE");
    let OpenError::InUse { holder, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(holder.process, Some(std::process::id()));
    assert!(holder.program.unwrap().starts_with("sqlite"));
}

#[cfg(unix)]
#[test]
fn another_way_to_write_the_path_meets_the_same_lock() {
    let stage = Stage::relaxed();
    let link = stage.path().with_file_name("link.db");
    std::os::unix::fs::symlink(stage.path(), &link).unwrap();
    let error = open(&link, Duration::ZERO).unwrap_err();
    assert_eq!(error.code(), "STORE_IN_USE");
}

#[test]
fn another_process_is_named_and_its_death_frees_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let mut process = Process::start("hold", &path);
    process.next("held");

    let error = open(&path, Duration::ZERO).unwrap_err();
    let said = error.to_string();
    let expected = format!("is in use by process {} (`sqlite", process.id());
    assert!(said.contains(&expected), "{said}");

    process.kill();
    let store = open(&path, Duration::ZERO).unwrap();
    assert_eq!(block_on(store.begin_session()), Ok(0));
}

#[test]
fn opening_waits_for_the_holder_to_go() {
    let stage = Stage::relaxed();
    let path = stage.path();
    let waiting = thread::spawn(move || open(&path, Duration::from_mins(1)).map(drop));
    let directory = stage.close();
    waiting.join().unwrap().unwrap();
    drop(directory);
}

/// SQLite's own locks, which keep others from removing the log of a store that is in use.
#[test]
fn whoever_comes_and_goes_in_a_process_leaves_it_its_hold_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let mut process = Process::start("look beside and hold", &path);
    process.next("held");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    let alone = other
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .and_then(|()| {
            other.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0))
        });
    let code = alone.unwrap_err().sqlite_error_code();
    assert_eq!(code, Some(rusqlite::ErrorCode::DatabaseBusy));
    process.kill();
}
