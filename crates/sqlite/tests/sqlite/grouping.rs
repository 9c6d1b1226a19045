//! Group commit: what waits together is committed together, and nothing in it disturbs the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futures::executor::block_on;
use rewake_sqlite::{Durability, Options};
use rewake_store::core::time::Timestamp;
use rewake_store::{AppendRefusal, Failed, StoreError};

use super::clock::Gate;
use super::log::{Stage, payload};

#[test]
fn what_waits_goes_into_one_commit() {
    let gate = Gate::new();
    let stage = Stage::with(|path| Options::new(path, gate.now()));
    let run = stage.run();
    let before = stage.store.counts();

    let closed = gate.close();
    let first = run.deliver(&payload(10));
    closed.wait();
    let rest: Vec<_> = (0..200).map(|_| run.deliver(&payload(10))).collect();
    drop(closed);

    block_on(first).unwrap();
    let positions: Vec<u64> = rest
        .into_iter()
        .map(|delivered| block_on(delivered).unwrap().position.0)
        .collect();
    assert_eq!(positions, (4..204).collect::<Vec<_>>());
    let after = stage.store.counts();
    assert_eq!(after.requests - before.requests, 201);
    assert_eq!(after.commits - before.commits, 2);
}

#[test]
fn one_that_is_refused_leaves_nothing_and_the_others_be() {
    let gate = Gate::new();
    let stage = Stage::with(|path| Options::new(path, gate.now()));
    let (run, other) = (stage.run(), stage.run());
    let step = run.step(&payload(10));
    let mut late = step.clone();
    late.id = super::log::event_id();

    let closed = gate.close();
    let first = other.deliver(&payload(10));
    closed.wait();
    let wins = run.append(step);
    let loses = run.append(late);
    let after = other.deliver(&payload(10));
    drop(closed);

    block_on(first).unwrap();
    let head = block_on(wins).unwrap().head;
    let refusal = block_on(loses).unwrap_err();
    assert!(
        matches!(
            refusal,
            Failed::Refused(AppendRefusal::WorkerMoved { actual, .. }) if actual == head
        ),
        "{refusal:?}"
    );
    block_on(after).unwrap();
    assert_eq!(run.row().head, head);
    assert_eq!(run.frames().len(), 2);
    assert_eq!(other.frames().len(), 3);
}

#[test]
fn one_that_breaks_the_batch_is_left_out_and_the_others_are_written() {
    // The clock panics once: in the middle of the batch.
    let gate = Gate::new();
    let (time, looks) = (gate.now(), Arc::new(AtomicU64::new(0)));
    let fuse = Arc::clone(&looks);
    let now = move || {
        let at: Timestamp = time();
        assert!(fuse.fetch_sub(1, Ordering::Relaxed) != 1, "the clock broke");
        at
    };
    let stage = Stage::with(|path| Options::new(path, Arc::new(now)));
    let run = stage.run();

    let closed = gate.close();
    let first = run.deliver(&payload(1));
    closed.wait();
    let rest: Vec<_> = (0..5).map(|_| run.deliver(&payload(1))).collect();
    // The first look is behind it; the third of the next batch breaks, and of those tried alone
    // the one that makes the sixth.
    looks.store(4, Ordering::Relaxed);
    drop(closed);

    block_on(first).unwrap();
    let answers: Vec<_> = rest.into_iter().map(block_on).collect();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(run.frames().len(), 7);
}

#[test]
fn one_that_breaks_every_time_gets_an_error() {
    let gate = Gate::new();
    let stage = Stage::with(|path| {
        Options::new(path, gate.now())
            .durability(Durability::Relaxed)
            .file_bytes(1 << 20)
    });
    let run = stage.run();

    let closed = gate.close();
    let first = run.deliver(&payload(1));
    closed.wait();
    let before = run.deliver(&payload(2));
    let large = run.deliver(&payload(2 << 20));
    let after = run.deliver(&payload(3));
    drop(closed);

    block_on(first).unwrap();
    assert_eq!(block_on(before).unwrap().position.0, 4);
    assert_eq!(
        block_on(large).unwrap_err(),
        Failed::Store(StoreError::DiskFull)
    );
    assert_eq!(block_on(after).unwrap().position.0, 5);
    assert_eq!(run.frames().len(), 4);
}

#[test]
fn a_hundred_threads_deliver_to_one_hook() {
    let stage = Stage::with(|path| Options::new(path, super::clock::ticking()));
    let run = stage.run();
    let before = stage.store.counts();

    let mut positions: Vec<u64> = thread::scope(|threads| {
        let deliver = || {
            let delivered = (0..5).map(|_| block_on(run.deliver(&payload(100))).unwrap());
            delivered.map(|delivered| delivered.position.0).collect()
        };
        let threads: Vec<_> = (0..100).map(|_| threads.spawn(deliver)).collect();
        let positions = threads.into_iter().map(|thread| thread.join().unwrap());
        positions.collect::<Vec<Vec<u64>>>().concat()
    });

    positions.sort_unstable();
    assert_eq!(positions, (3..503).collect::<Vec<_>>());
    let stored: Vec<u64> = run.frames().iter().map(|frame| frame.first.0).collect();
    assert_eq!(stored[1..], positions);
    let commits = stage.store.counts().commits - before.commits;
    assert!(commits < 500, "{commits} commits");
}
