//! The store as either side of a copy.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use rewake_postgres::private_server::Database;
use rewake_postgres::{Durability, Options, PostgresStore};
use rewake_store::conformance::copied::{ask, made_up, read};
use rewake_store::copy::{
    AnyRow, CopyError, CopyOut, InHand, InUse, NotEmpty, RowKind, Tally, copy,
};
use rewake_store::core::time::Timestamp;
use rewake_store::memory::MemoryStore;
use rewake_store::{Failed, Join, Log, Nodes, ScopeId, Sessions, StoreError};

use super::stage::Stage;

fn opened(database: &Database) -> PostgresStore {
    let options = Options::new(database.url()).durability(Durability::Relaxed);
    PostgresStore::open(options.clock(Arc::new(|| Timestamp::ZERO))).unwrap()
}

fn filled(store: &PostgresStore, rows: Vec<AnyRow>) -> Result<Tally, CopyError> {
    copied(Box::new(InHand::new(rows)), store)
}

fn copied(source: Box<dyn CopyOut>, store: &PostgresStore) -> Result<Tally, CopyError> {
    let target = block_on(store.copy_in()).unwrap();
    block_on(copy(source, target, &mut |_| {}))
}

/// The rows as they are in the target: no node has a run.
fn without_nodes(mut rows: Vec<AnyRow>) -> Vec<AnyRow> {
    for row in &mut rows {
        if let AnyRow::Run(_, row) = row {
            row.node = None;
        }
    }
    rows
}

fn all_of(store: &PostgresStore) -> Vec<AnyRow> {
    let mut source = block_on(store.copy_out()).unwrap();
    block_on(read(&mut *source)).unwrap()
}

#[test]
fn every_row_comes_in_and_goes_out_and_is_asked_for_alike() {
    for seed in 200..206 {
        let database = Database::new().unwrap();
        let store = opened(&database);
        let rows = made_up(seed);
        let tally = filled(&store, rows.clone()).unwrap();
        assert_eq!(tally.total(), rows.len() as u64, "seed {seed}");
        // Not shown where they differ: they fill a book.
        assert!(all_of(&store) == without_nodes(rows.clone()), "seed {seed}");
        let memory = MemoryStore::new(Arc::new(|| Timestamp::ZERO));
        let source = block_on(store.copy_out()).unwrap();
        block_on(copy(source, memory.copy_in().unwrap(), &mut |_| {})).unwrap();
        let here = block_on(ask(&store, &rows)).unwrap();
        let there = block_on(ask(&memory, &rows)).unwrap();
        assert!(here == there, "seed {seed}");
        let next = store.scope("another".to_owned(), "production".to_owned());
        assert!(block_on(next).unwrap() > ScopeId(7), "seed {seed}");
    }
}

#[test]
fn a_store_goes_on_in_its_copy() {
    let source = Stage::new();
    let run = source.run();
    let database = Database::new().unwrap();
    let snapshot = block_on(source.store.copy_out()).unwrap();
    copied(snapshot, &opened(&database)).unwrap();
    let target = Stage::on(database, |options| options);
    assert_eq!(target.scope, source.scope);
    let delivered = block_on(target.store.deliver(run.delivery())).unwrap();
    assert_eq!(delivered.position.0, run.head() + 1);
}

#[test]
fn both_sides_outlive_the_last_handle_of_their_stores() {
    let (from, to) = (Database::new().unwrap(), Database::new().unwrap());
    let rows = made_up(207);
    filled(&opened(&from), rows.clone()).unwrap();
    let source = block_on(opened(&from).copy_out()).unwrap();
    let target = block_on(opened(&to).copy_in()).unwrap();
    block_on(copy(source, target, &mut |_| {})).unwrap();
    assert_eq!(all_of(&opened(&to)).len(), rows.len());
}

#[test]
fn a_store_that_a_node_works_on_is_not_copied() {
    let stage = Stage::new();
    stage.run();
    let node = stage.store.join(Join {
        scope: stage.scope,
        name: "process 7".to_owned(),
        build: "build-1".to_owned(),
        workflows: Vec::new(),
    });
    let node = block_on(node).unwrap();
    let refused = block_on(stage.store.copy_out()).err();
    let in_use = InUse {
        node: "process 7".to_owned(),
    };
    assert_eq!(refused, Some(Failed::Refused(in_use)));
    block_on(stage.store.leave(node, Vec::new())).unwrap();
    drop(block_on(stage.store.copy_out()).unwrap());
}

#[test]
fn what_is_written_meanwhile_does_not_show_in_the_source() {
    let source = Stage::new();
    let run = source.run();
    let mut snapshot = block_on(source.store.copy_out()).unwrap();
    run.deliver().unwrap();
    source.run();
    let rows = block_on(read(&mut *snapshot)).unwrap();
    let tally: Tally = rows.iter().map(|row| (row.kind(), 1)).collect();
    assert_eq!((tally.of(RowKind::Run), tally.of(RowKind::Frame)), (1, 1));
}

#[test]
fn a_store_that_holds_anything_is_not_copied_over() {
    let stage = Stage::new();
    stage.run();
    let before = all_of(&stage.store);
    let refused = block_on(stage.store.copy_in()).err();
    let found: Tally = before.iter().map(|row| (row.kind(), 1)).collect();
    assert_eq!(refused, Some(Failed::Refused(NotEmpty { found })));
    assert_eq!(all_of(&stage.store), before);
    // Nothing is left of the attempt.
    stage.run();
}

#[test]
fn nobody_sees_or_disturbs_a_copy_before_it_is_finished() {
    let database = Database::new().unwrap();
    let store = opened(&database);
    let options = Options::new(database.url()).patience(Duration::from_secs(3));
    let beside = PostgresStore::open(options).unwrap();
    let mut filling = block_on(store.copy_in()).unwrap();
    block_on(filling.load(made_up(210))).unwrap();
    let seen = database.query("SELECT count(*) FROM rewake.runs");
    assert_eq!(seen.unwrap(), "0");
    let another = block_on(beside.copy_in()).err();
    assert!(
        matches!(another, Some(Failed::Store(StoreError::Unavailable { .. }))),
        "{another:?}"
    );
    block_on(filling.finish()).unwrap();
    assert_eq!(all_of(&beside).len(), made_up(210).len());
}

#[test]
fn a_copy_that_breaks_off_leaves_nothing_and_the_next_one_succeeds() {
    let database = Database::new().unwrap();
    let store = opened(&database);
    let mut filling = block_on(store.copy_in()).unwrap();
    block_on(filling.load(made_up(211))).unwrap();
    drop(filling);
    let rows = made_up(212);
    filled(&store, rows.clone()).unwrap();
    assert_eq!(all_of(&store).len(), rows.len());
}

#[test]
fn a_connection_that_is_cut_breaks_the_copy_off_and_the_next_one_succeeds() {
    let database = Database::new().unwrap();
    let store = opened(&database);
    let mut filling = block_on(store.copy_in()).unwrap();
    block_on(filling.load(made_up(213))).unwrap();
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE state = 'idle in transaction' AND datname = current_database()";
    assert_eq!(database.query(cut).unwrap(), "1");
    let lost = block_on(filling.tally()).unwrap_err();
    assert!(lost.is_retryable(), "{lost:?}");
    drop(filling);
    let rows = made_up(214);
    filled(&store, rows.clone()).unwrap();
    assert_eq!(all_of(&store).len(), rows.len());
}

#[test]
fn damage_in_any_table_stops_the_copy() {
    let tables = [
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
    let target = Database::new().unwrap();
    let target = opened(&target);
    let database = Database::new().unwrap();
    let store = opened(&database);
    filled(&store, made_up(215)).unwrap();
    for table in tables {
        let spoil = |from: &str, to: &str| {
            let spoil = format!(
                "WITH spoiled AS (
                     UPDATE rewake.{table} SET body = set_byte(body, 0, {to})
                     WHERE get_byte(body, 0) = {from} RETURNING 1)
                 SELECT count(*) > 0 FROM spoiled"
            );
            assert_eq!(database.query(&spoil).unwrap(), "t", "{table}");
        };
        spoil("1", "77");
        let source = block_on(store.copy_out()).unwrap();
        let error = copied(source, &target).unwrap_err();
        assert!(matches!(error, CopyError::Source(_)), "{table}: {error:?}");
        assert_eq!(error.code(), "STORE_CORRUPT", "{table}");
        spoil("77", "1");
    }
    assert_eq!(all_of(&target), Vec::new());
    let source = block_on(store.copy_out()).unwrap();
    copied(source, &target).unwrap();
}

/// A table that a migration adds has to be copied, or to be left out for a reason.
#[test]
fn every_table_is_copied_or_left_out_on_purpose() {
    let database = Database::new().unwrap();
    drop(opened(&database));
    let tables = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
                  WHERE relnamespace = 'rewake'::regnamespace AND relkind IN ('r', 'p')
                  AND NOT relispartition";
    let copied = [
        "chunks",
        // Of sessions: it speaks of the processes on the source.
        "counts",
        "forgets",
        "frames",
        "keys",
        "mail",
        // Of the schema itself.
        "migrations",
        // Those of the source do not work on the target.
        "nodes",
        "owed",
        "runs",
        "scopes",
        "start_keys",
        "tokens",
    ];
    assert_eq!(database.query(tables).unwrap(), copied.join(" "));
}
