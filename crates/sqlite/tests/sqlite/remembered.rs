//! What the writer remembers outlives neither a commit of somebody else's nor a transaction that came to
//! nothing.

use futures::executor::block_on;
use rewake_sqlite::{Durability, Options};
use rewake_store::core::event::EventKind;
use rewake_store::{Failed, Log, Mailbox, StoreError};
use rusqlite::Connection;

use super::admission::posting;
use super::clock::Gate;
use super::log::{Run, Stage, payload, run_id};

/// Another program, which takes rows away and puts them back.
struct Elsewhere(Connection);

impl Elsewhere {
    fn at(stage: &Stage) -> Self {
        Self(Connection::open(stage.path()).unwrap())
    }

    fn take_away(&self, tables: &[&str]) {
        for table in tables {
            let sql = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table};");
            self.0.execute_batch(&sql).unwrap();
        }
        for table in ["runs", "frames", "tokens", "mail"] {
            self.0
                .execute_batch(&format!("DELETE FROM {table}"))
                .unwrap();
        }
    }

    fn put_back(&self, tables: &[&str]) {
        for table in tables {
            let sql = format!("INSERT INTO {table} SELECT * FROM kept_{table}");
            assert_eq!(self.0.execute(&sql, []).unwrap(), 1);
        }
    }
}

fn minted(stage: &Stage) -> Run<'_> {
    Run {
        store: &stage.store,
        scope: stage.scope,
        id: run_id(),
    }
}

#[test]
fn a_run_that_was_not_there_is_found_once_it_is() {
    let stage = Stage::relaxed();
    let creation = minted(&stage).creation();
    let first = block_on(stage.store.create(creation.clone())).unwrap();
    let elsewhere = Elsewhere::at(&stage);
    elsewhere.take_away(&["runs", "frames"]);
    stage.run();
    elsewhere.put_back(&["runs", "frames"]);
    let again = block_on(stage.store.create(creation)).unwrap();
    assert_eq!(again, first);
}

#[test]
fn a_log_whose_row_is_lost_is_not_begun_again() {
    let stage = Stage::relaxed();
    let creation = minted(&stage).creation();
    block_on(stage.store.create(creation.clone())).unwrap();
    let elsewhere = Elsewhere::at(&stage);
    elsewhere.take_away(&["frames"]);
    elsewhere.put_back(&["frames"]);
    let error = block_on(stage.store.create(creation)).unwrap_err();
    let Failed::Store(StoreError::Corrupt { source, .. }) = error else {
        panic!("{error:?}");
    };
    assert!(source.to_string().contains("a log and no row"), "{source}");
}

#[test]
fn mail_that_was_not_there_is_found_once_it_is() {
    let stage = Stage::relaxed();
    let run = minted(&stage);
    let post = posting(stage.scope, run.token(), payload(10));
    block_on(stage.store.post(post)).unwrap();
    let elsewhere = Elsewhere::at(&stage);
    elsewhere.take_away(&["mail"]);
    stage.run();
    elsewhere.put_back(&["mail"]);
    let created = block_on(stage.store.create(run.creation())).unwrap();
    let events = created.frame.unwrap().events;
    assert!(matches!(events[..], [_, _, EventKind::HookReceived { .. }]));
}

#[test]
fn mail_that_comes_behind_a_look_into_an_empty_mailbox_is_found() {
    let stage = Stage::relaxed();
    stage.run();
    let run = minted(&stage);
    let post = posting(stage.scope, run.token(), payload(10));
    block_on(stage.store.post(post)).unwrap();
    let created = block_on(stage.store.create(run.creation())).unwrap();
    let events = created.frame.unwrap().events;
    assert!(matches!(events[..], [_, _, EventKind::HookReceived { .. }]));
}

#[test]
fn mail_that_was_taken_out_in_a_batch_that_broke_is_found_again() {
    let gate = Gate::new();
    let stage = Stage::with(|path| {
        Options::new(path, gate.now())
            .durability(Durability::Relaxed)
            .file_bytes(1 << 20)
    });
    let (run, heir, other) = (stage.run(), minted(&stage), minted(&stage));
    let post = posting(stage.scope, heir.token(), payload(10));
    block_on(stage.store.post(post)).unwrap();

    let closed = gate.close();
    let first = run.deliver(&payload(1));
    closed.wait();
    let takes_it_out = stage.store.create(heir.creation());
    let sees_none = stage.store.create(other.creation());
    let breaks = run.deliver(&payload(2 << 20));
    drop(closed);

    block_on(first).unwrap();
    let created = block_on(takes_it_out).unwrap();
    let events = created.frame.unwrap().events;
    assert!(matches!(events[..], [_, _, EventKind::HookReceived { .. }]));
    block_on(sees_none).unwrap();
    block_on(breaks).unwrap_err();
}
