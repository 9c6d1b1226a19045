//! What one request costs.
//!
//! Syncs cannot be counted from inside a process without unsafe code. With full durability each COMMIT
//! of a lone caller is one sync of the write-ahead log (two where it begins anew at its start, once in
//! some megabytes), so commits are counted; `strace -f -e fsync,fdatasync` shows the rest.

use futures::executor::block_on;
use rewake_sqlite::{Counts, Options};
use rewake_store::core::time::Timestamp;
use rewake_store::{DeliveryKey, Log, Sessions};

use super::clock;
use super::log::{Stage, payload};

fn cost(stage: &Stage, act: impl FnOnce()) -> (u64, u64) {
    let before = stage.store.counts();
    act();
    let Counts { commits, rows, .. } = stage.store.counts();
    (commits - before.commits, rows - before.rows)
}

fn stage() -> Stage {
    Stage::with(|path| Options::new(path, clock::ticking()))
}

#[test]
fn a_step_is_one_commit_of_two_rows() {
    let stage = stage();
    let run = stage.run();
    let step = run.step(&payload(100));
    let cost = cost(&stage, || drop(block_on(run.append(step)).unwrap()));
    assert_eq!(cost, (1, 2));
}

#[test]
fn a_resume_is_one_commit_of_three_rows() {
    let stage = stage();
    let run = stage.run();
    let resume = run.delivery(&payload(100));
    let cost = cost(&stage, || {
        drop(block_on(stage.store.deliver(resume)).unwrap());
    });
    assert_eq!(cost, (1, 3));
}

#[test]
fn a_key_is_one_row_more_and_its_repeat_nothing() {
    let stage = stage();
    let run = stage.run();
    let mut resume = run.delivery(&payload(100));
    resume.key = Some(DeliveryKey {
        key: "payment-1".to_owned(),
        digest: None,
    });
    let again = resume.clone();
    let first = cost(&stage, || {
        drop(block_on(stage.store.deliver(resume)).unwrap());
    });
    let second = cost(&stage, || {
        drop(block_on(stage.store.deliver(again)).unwrap());
    });
    assert_eq!((first, second), ((1, 4), (0, 0)));
}

#[test]
fn a_refusal_costs_no_commit() {
    let stage = stage();
    let run = stage.run();
    let step = run.step(&payload(100));
    block_on(run.append(step.clone())).unwrap();
    let cost = cost(&stage, || drop(block_on(run.append(step)).unwrap_err()));
    assert_eq!(cost, (0, 0));
}

#[test]
fn crashes_of_many_runs_are_counted_in_one_commit() {
    let stage = stage();
    let runs: Vec<_> = (0..10).map(|_| stage.run().id).collect();
    let cost = cost(&stage, || {
        let counts = block_on(stage.store.count_crashes(stage.scope, runs)).unwrap();
        assert_eq!(counts, [1; 10]);
    });
    assert_eq!(cost, (1, 10));
}

#[test]
fn times_that_no_clock_reaches_are_kept() {
    use rewake_store::WakeUps;

    let stage = stage();
    let run = stage.run();
    let mut step = run.step(&payload(1));
    step.events.clear();
    let mark = step.mark.as_mut().unwrap();
    mark.wake_at = Some(Timestamp::MAX);
    block_on(run.append(step)).unwrap();

    assert_eq!(run.row().wake_at, Some(Timestamp::MAX));
    let due = |until| block_on(stage.store.due(stage.scope, None, until, 10)).unwrap();
    assert_eq!(due(Timestamp::MAX)[0].at, Timestamp::MAX);
    assert_eq!(due(Timestamp::from_millis(u64::MAX - 1)), []);
    assert_eq!(due(Timestamp::from_millis(u64::MAX >> 2)), []);
}
