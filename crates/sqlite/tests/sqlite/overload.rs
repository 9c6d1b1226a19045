//! The bound of the queue.

use futures::executor::block_on;
use rewake_sqlite::{Durability, Options};
use rewake_store::{Failed, StoreError};

use super::clock::Gate;
use super::log::{Stage, payload};

#[test]
fn outsiders_are_turned_away_and_the_worker_has_room() {
    let gate = Gate::new();
    let stage = Stage::with(|path| {
        Options::new(path, gate.now())
            .durability(Durability::Relaxed)
            .queue_bytes(64 << 10)
    });
    let (run, other) = (stage.run(), stage.run());
    let step = run.step(&payload(100 << 10));

    let closed = gate.close();
    let first = other.deliver(&payload(1));
    closed.wait();
    let queued: Vec<_> = (0..6).map(|_| other.deliver(&payload(10_000))).collect();
    assert_eq!(
        block_on(other.deliver(&payload(10_000))),
        Err(Failed::Store(StoreError::Overloaded))
    );
    let worker = run.append(step);
    assert_eq!(
        block_on(other.append(other.cancel_request())),
        Err(Failed::Store(StoreError::Overloaded))
    );
    drop(closed);

    block_on(first).unwrap();
    for delivered in queued {
        block_on(delivered).unwrap();
    }
    block_on(worker).unwrap();
    block_on(other.deliver(&payload(10_000))).unwrap();
    assert_eq!(other.frames().len(), 9);
}

#[test]
fn one_larger_than_the_bound_is_taken_when_nothing_waits() {
    let stage =
        Stage::with(|path| Options::new(path, super::clock::ticking()).queue_bytes(1 << 10));
    let run = stage.run();
    block_on(run.deliver(&payload(1 << 20))).unwrap();
}
