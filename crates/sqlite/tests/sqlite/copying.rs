//! The store as either side of a copy.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use rewake_sqlite::{CopyInError, Durability, OpenError, Options, SqliteStore};
use rewake_store::conformance::copied::{ask, made_up, read};
use rewake_store::copy::{AnyRow, CopyError, CopyOut, InHand, RowKind, Tally, copy};
use rewake_store::core::time::Timestamp;
use rewake_store::memory::MemoryStore;
use rewake_store::{Log, Sessions, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use super::log::{Stage, beside, path_in};

fn options(path: &Path) -> Options {
    Options::new(path, Arc::new(|| Timestamp::ZERO))
        .durability(Durability::Relaxed)
        .wait_for_store(Duration::ZERO)
}

fn copied(source: Box<dyn CopyOut>, path: &Path) -> Result<Tally, CopyError> {
    let target = SqliteStore::copy_in(&options(path)).unwrap();
    block_on(copy(source, target, &mut |_| {}))
}

/// A store with rows of every kind, and the rows, as they are in it.
fn filled(seed: u64) -> (TempDir, Vec<AnyRow>) {
    let directory = tempfile::tempdir().unwrap();
    let rows = made_up(seed);
    copied(Box::new(InHand::new(rows)), &path_in(&directory)).unwrap();
    let mut rows = made_up(seed);
    for row in &mut rows {
        if let AnyRow::Run(_, row) = row {
            row.node = None;
        }
    }
    (directory, rows)
}

fn opened(directory: &TempDir) -> SqliteStore {
    SqliteStore::open(options(&path_in(directory))).unwrap()
}

fn all_of(store: &SqliteStore) -> Result<Vec<AnyRow>, StoreError> {
    block_on(read(&mut *store.copy_out()))
}

#[test]
fn every_row_comes_in_and_goes_out_and_is_asked_for_alike() {
    for seed in 100..112 {
        let (directory, rows) = filled(seed);
        let store = opened(&directory);
        // Not shown where they differ: they fill a book.
        assert!(all_of(&store).unwrap() == rows, "seed {seed}");
        let memory = MemoryStore::new(Arc::new(|| Timestamp::ZERO));
        let target = memory.copy_in().unwrap();
        block_on(copy(store.copy_out(), target, &mut |_| {})).unwrap();
        let here = block_on(ask(&store, &rows)).unwrap();
        let there = block_on(ask(&memory, &rows)).unwrap();
        assert!(here == there, "seed {seed}");
    }
}

#[test]
fn a_store_goes_on_in_its_copy() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let copy_of = tempfile::tempdir().unwrap();
    copied(stage.store.copy_out(), &path_in(&copy_of)).unwrap();
    let store = opened(&copy_of);
    let scope = super::log::scope(&store);
    assert_eq!(scope, stage.scope);
    let there = super::log::Run {
        store: &store,
        scope,
        id: run.id,
    };
    assert_eq!(there.row(), run.row());
    let delivered = block_on(store.deliver(there.delivery(&super::log::payload(7)))).unwrap();
    assert_eq!(delivered.position, run.row().head.next());
}

#[test]
fn a_store_that_holds_anything_is_not_copied_over() {
    let (directory, rows) = filled(120);
    let before = fs::read(path_in(&directory)).unwrap();
    let refused = SqliteStore::copy_in(&options(&path_in(&directory))).err();
    let Some(CopyInError::NotEmpty(refused)) = refused else {
        panic!("{refused:?}");
    };
    let runs = rows.iter().filter(|row| row.kind() == RowKind::Run);
    assert_eq!(refused.found.of(RowKind::Run), runs.count() as u64);
    assert_eq!(fs::read(path_in(&directory)).unwrap(), before);
    // Names of projects count too: whoever made them knows their numbers.
    let named = Stage::relaxed();
    let directory = named.close();
    let refused = SqliteStore::copy_in(&options(&path_in(&directory))).err();
    assert_eq!(refused.unwrap().code(), "STORE_NOT_EMPTY");
}

#[test]
fn a_store_that_holds_nothing_is_copied_over() {
    let directory = tempfile::tempdir().unwrap();
    block_on(opened(&directory).close()).unwrap();
    let rows = made_up(121);
    let path = path_in(&directory);
    let tally = copied(Box::new(InHand::new(rows.clone())), &path).unwrap();
    assert_eq!(tally.total(), rows.len() as u64);
    assert_eq!(all_of(&opened(&directory)).unwrap().len(), rows.len());
}

#[test]
fn a_file_of_somebody_elses_is_not_copied_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    fs::write(&path, "these are my notes, and no database at all").unwrap();
    let refused = SqliteStore::copy_in(&options(&path)).err();
    assert_eq!(refused.unwrap().code(), "STORE_NOT_OURS");
    let nowhere = SqliteStore::copy_in(&Options::memory(Arc::new(|| Timestamp::ZERO))).err();
    assert_eq!(nowhere.unwrap().code(), "STORE_UNOPENABLE");
}

#[test]
fn nobody_opens_what_is_being_filled_and_nobody_fills_what_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let filling = SqliteStore::copy_in(&options(&path)).unwrap();
    let opening = SqliteStore::open(options(&path));
    assert!(
        matches!(opening, Err(OpenError::InUse { .. })),
        "{opening:?}"
    );
    drop(filling);
    let store = SqliteStore::open(options(&path)).unwrap();
    let refused = SqliteStore::copy_in(&options(&path)).err();
    assert_eq!(refused.unwrap().code(), "STORE_IN_USE");
    drop(store);
}

#[test]
fn a_copy_that_breaks_off_leaves_no_store_and_the_next_one_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let mut filling = SqliteStore::copy_in(&options(&path)).unwrap();
    block_on(filling.load(made_up(122))).unwrap();
    assert!(!path.exists());
    drop(filling);
    assert!(!path.exists());
    assert!(!beside(&path, "-copy").exists());
    // A process that was killed leaves it behind.
    fs::write(beside(&path, "-copy"), "the half of a copy").unwrap();
    let rows = made_up(123);
    copied(Box::new(InHand::new(rows.clone())), &path).unwrap();
    assert!(!beside(&path, "-copy").exists());
    assert_eq!(all_of(&opened(&directory)).unwrap().len(), rows.len());
}

#[test]
fn damage_in_any_table_stops_the_copy() {
    let tables = [
        "scopes",
        "runs",
        "frames",
        "tokens",
        "keys",
        "forgets",
        "start_keys",
        "owed",
        "chunks",
        "mail",
    ];
    for table in tables {
        let (directory, _) = filled(124);
        let rot = Connection::open(path_in(&directory)).unwrap();
        let spoil = format!(
            "UPDATE {table} SET body = zeroblob(length(body))
             WHERE body = (SELECT max(body) FROM {table})"
        );
        assert_eq!(rot.execute(&spoil, []).unwrap(), 1, "{table}");
        drop(rot);
        let target = tempfile::tempdir().unwrap();
        let error = copied(opened(&directory).copy_out(), &path_in(&target)).unwrap_err();
        assert!(matches!(error, CopyError::Source(_)), "{table}: {error:?}");
        assert_eq!(error.code(), "STORE_CORRUPT", "{table}");
        assert!(!path_in(&target).exists(), "{table}");
    }
}

/// A table that a migration adds has to be copied, or to be left out for a reason.
#[test]
fn every_table_is_copied_or_left_out_on_purpose() {
    let (directory, _) = filled(125);
    let connection = Connection::open(path_in(&directory)).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let tables = statement.query_map([], |row| row.get::<_, String>(0));
    let tables: Vec<_> = tables.unwrap().map(Result::unwrap).collect();
    let copied = [
        "chunks",
        "forgets",
        "frames",
        "keys",
        "mail",
        // Of sessions: it speaks of the processes on the source.
        "meta",
        // Of the file itself.
        "migrations",
        "owed",
        "runs",
        "scopes",
        "start_keys",
        "tokens",
    ];
    assert_eq!(tables, copied);
}
