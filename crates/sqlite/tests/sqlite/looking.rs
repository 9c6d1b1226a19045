//! Questions that are answered together, from one state of the file.

use std::thread;

use futures::executor::block_on;
use futures::future::join_all;
use rewake_store::core::event::{Frame, Position};
use rewake_store::{Log, Queries, StoreError};
use rusqlite::Connection;

use super::log::{ALL, Stage, payload};

/// So many wait at once that readers take several together.
const MANY: usize = 100;

/// What was answered before a question is asked, its answer knows, whatever state those that are
/// answered together with it look at.
#[test]
fn whoever_was_answered_sees_what_was_written() {
    let stage = Stage::relaxed();
    let run = stage.run();
    let small = payload(10);
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                for _ in 0..50 {
                    let rows = (0..MANY).map(|_| run.store.run(run.scope, run.id));
                    for row in block_on(join_all(rows)) {
                        assert!(row.unwrap().is_some());
                    }
                }
            });
        }
        for _ in 0..200 {
            let delivered = block_on(run.deliver(&small)).unwrap();
            let both = run.store.run_with_log(run.scope, run.id, ALL);
            let (row, log) = block_on(both).unwrap().unwrap();
            assert_eq!(row.head, delivered.position);
            assert_eq!(log.last().map(Frame::last), Some(delivered.position));
        }
    });
}

#[test]
fn damage_to_one_run_does_not_keep_the_others_from_an_answer() {
    let stage = Stage::relaxed();
    let (run, damaged) = (stage.run(), stage.run());
    let (id, scope) = (damaged.id, stage.scope);
    let file = Connection::open(stage.path()).unwrap();
    let changed = file.execute(
        "UPDATE frames SET body = x'00' WHERE run = ?1",
        [id.to_bytes()],
    );
    assert_eq!(changed, Ok(1));
    let both = (0..MANY).map(|n| {
        let asked = if n % 3 == 1 { id } else { run.id };
        stage.store.run_with_log(scope, asked, ALL)
    });
    for (n, answer) in block_on(join_all(both)).into_iter().enumerate() {
        if n % 3 == 1 {
            assert!(
                matches!(answer, Err(StoreError::Corrupt { .. })),
                "{answer:?}"
            );
        } else {
            let (row, log) = answer.unwrap().unwrap();
            assert_eq!(log.last().map(Frame::last), Some(row.head));
        }
    }
    let log = stage.store.frames(scope, run.id, Position::START, ALL);
    assert_eq!(block_on(log), Ok(run.frames()));
}
