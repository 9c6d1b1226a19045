//! Outsiders and workers in one queue: who asks from outside does not wait for a backlog.

use futures::FutureExt;
use futures::executor::block_on;
use rewake_sqlite::{Durability, Options};
use rewake_store::Queries;
use rewake_store::core::time::Timestamp;

use super::clock::Gate;
use super::log::{Run, Stage, payload, scope};

const MANY: usize = 100;

fn last_frame_at(run: Run<'_>) -> Timestamp {
    run.frames().last().unwrap().at
}

#[test]
fn one_from_outside_joins_the_open_transaction_and_workers_do_not_keep_it() {
    let gate = Gate::new();
    let stage = Stage::with(|path| Options::new(path, gate.now()).durability(Durability::Relaxed));
    let outside = stage.run();
    let runs: Vec<_> = (0..MANY).map(|_| stage.run()).collect();
    let steps: Vec<_> = runs.iter().map(|run| run.step(&payload(10))).collect();

    // The writer stands at the first of many workers, which all are in one transaction.
    let closed = gate.close();
    let first = outside.deliver(&payload(1));
    closed.wait();
    let workers = runs.iter().zip(steps).map(|(run, step)| run.append(step));
    let workers: Vec<_> = workers.collect();
    let at_first = gate.close();
    drop(closed);
    at_first.wait();
    block_on(first).unwrap();
    let before = stage.store.counts();
    let lone = outside.deliver(&payload(1));
    drop(at_first);

    block_on(lone).unwrap();
    for worker in workers {
        block_on(worker).unwrap();
    }
    let lone_at = last_frame_at(outside);
    let sooner = runs.iter().filter(|run| last_frame_at(**run) < lone_at);
    assert_eq!(
        sooner.count(),
        1,
        "it went before all that could still wait"
    );
    let after = stage.store.counts();
    assert_eq!(
        after.commits - before.commits,
        2,
        "the rest of the workers came after its commit"
    );
}

#[test]
fn a_question_in_memory_is_not_answered_from_an_open_transaction() {
    let gate = Gate::new();
    let stage = Stage::with(|_| Options::memory(gate.now()));
    let scope = scope(&stage.store);
    let run = stage.run();

    let closed = gate.close();
    let first = run.deliver(&payload(1));
    closed.wait();
    let second = run.deliver(&payload(1));
    let question = stage.store.run(scope, run.id);
    let third = run.deliver(&payload(1));
    let at_second = gate.close();
    drop(closed);
    at_second.wait();
    let at_third = gate.close();
    drop(at_second);
    at_third.wait();
    let mut question = Box::pin(question);
    assert!(question.as_mut().now_or_never().is_none());
    drop(at_third);

    block_on(first).unwrap();
    block_on(second).unwrap();
    let head = block_on(third).unwrap().position;
    let row = block_on(question).unwrap().unwrap();
    assert_eq!(row.head, head);
}
