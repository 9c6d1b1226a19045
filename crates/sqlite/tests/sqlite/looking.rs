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
fn of_several_runs_as_many_are_read_as_there_is_room_for() {
    let stage = Stage::relaxed();
    let runs: Vec<_> = (0..3).map(|_| stage.run()).collect();
    let small = payload(1_000);
    for run in &runs {
        block_on(run.deliver(&small)).unwrap();
    }
    let ids: Vec<_> = runs.iter().map(|run| run.id).collect();
    let mut seen = Vec::new();
    for max_bytes in (0..8_000).step_by(100) {
        let found = block_on(
            stage
                .store
                .runs_with_logs(stage.scope, ids.clone(), max_bytes),
        );
        let found: Vec<_> = found.unwrap().into_iter().map(Option::unwrap).collect();
        let (last, others) = found.split_last().unwrap();
        // All but the last are whole.
        for ((row, log), run) in others.iter().zip(&runs) {
            assert_eq!(
                (log, Some(row.head)),
                (&run.frames(), log.last().map(Frame::last))
            );
        }
        seen.push((found.len(), last.1.len()));
    }
    let whole = runs[0].frames().len();
    assert_eq!((seen[0], seen[seen.len() - 1]), ((1, 1), (3, whole)));
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.contains(&(2, 1)), "{seen:?}");
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
