//! How often requests wait for the database.

use futures::executor::block_on;
use futures::future::join_all;
use rewake_store::Log;

use super::stage::{Run, Stage};

/// What an act costs the writer: round trips and commits.
fn cost(stage: &Stage, act: impl FnOnce()) -> (u64, u64) {
    let before = stage.store.counts();
    act();
    let after = stage.store.counts();
    (
        after.round_trips - before.round_trips,
        after.commits - before.commits,
    )
}

#[test]
fn the_first_request_takes_two() {
    let stage = Stage::new();
    let created = cost(&stage, || {
        stage.run();
    });
    assert_eq!(created, (2, 1));
}

#[test]
fn what_the_worker_appends_takes_one() {
    let stage = Stage::new();
    let run = stage.run();
    for n in 0..5_u64 {
        let building_on = if n == 0 { 0 } else { 3 + n };
        let appended = cost(&stage, || {
            let head = run.append(run.record(building_on)).unwrap().head;
            assert_eq!(head.0, 4 + n);
        });
        assert_eq!(appended, (1, 1));
    }
    assert_eq!(run.head(), 8);
}

#[test]
fn what_many_workers_append_at_once_takes_one_for_all() {
    let stage = Stage::new();
    let runs: Vec<_> = (0..50).map(|_| stage.run()).collect();
    let asked = cost(&stage, || {
        let asks = runs.iter().map(|run| stage.store.append(run.record(0)));
        let answers = block_on(join_all(asks));
        assert!(
            answers
                .into_iter()
                .all(|answer| answer.unwrap().head.0 == 4)
        );
    });
    // Those that come while the first is under way wait for it, and go together.
    assert!(asked.0 <= 3, "{asked:?}");
    assert_eq!(asked.0, asked.1);
}

#[test]
fn a_payload_takes_two() {
    let stage = Stage::new();
    let run = stage.run();
    let delivered = cost(&stage, || drop(run.deliver().unwrap()));
    assert_eq!(delivered, (2, 1));
}

#[test]
fn many_payloads_at_once_share_them() {
    let stage = Stage::new();
    let runs: Vec<_> = (0..50).map(|_| stage.run()).collect();
    let asked = cost(&stage, || {
        let asks = runs.iter().map(|run| stage.store.deliver(run.delivery()));
        let answers = block_on(join_all(asks));
        assert!(answers.into_iter().all(|answer| answer.is_ok()));
    });
    assert!(asked.0 <= 6, "{asked:?}");
    assert_eq!(asked.0, 2 * asked.1);
}

#[test]
fn what_another_process_has_written_meanwhile_is_seen() {
    let stage = Stage::new();
    let other = Stage::on_the_same(&stage);
    let run = stage.run();
    run.append(run.record(0)).unwrap();
    let there = Run {
        stage: &other,
        id: run.id,
    };
    assert_eq!(there.append(there.record(4)).unwrap().head.0, 5);
    assert_eq!(there.deliver().unwrap().position.0, 6);

    let refused = cost(&stage, || {
        let refusal = run.append(run.record(4)).unwrap_err();
        assert!(
            refusal.to_string().contains("a worker wrote at 5"),
            "{refusal}"
        );
    });
    assert_eq!(refused, (3, 0), "the short way in vain, then the long one");
    assert_eq!(run.append(run.record(5)).unwrap().head.0, 7);
}
