//! Of two workers on one run, the one that lost is refused.

use rewake_core::event::Position;

use super::event::{cancel_requested, step_created};
use super::stage::{ALL, Stage};
use crate::request::AppendRefusal;

pub(super) async fn of_two_workers_that_race_the_second_is_refused(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1)]).building_on(0).ok().await;
    let refusal = log.worker([step_created(2)]).building_on(0).refused().await;
    let expected = AppendRefusal::WorkerMoved {
        run: log.run,
        expected: Position(0),
        actual: Position(3),
    };
    assert_eq!(refusal, expected);
}

pub(super) async fn the_refused_worker_reads_the_tail_and_goes_on(stage: Stage<'_>) {
    let log = stage.started().await;
    let won = log.worker([step_created(1)]).building_on(0).ok().await;
    log.worker([step_created(2)]).building_on(0).refused().await;

    let tail = stage
        .store
        .frames(stage.scope, log.run, Position(2), ALL)
        .await;

    assert_eq!(tail, Ok(won.frames));
    let answer = log.worker([step_created(2)]).building_on(3).ok().await;
    assert_eq!(answer.head, Position(4));
}

pub(super) async fn a_position_no_worker_has_reached_is_refused(stage: Stage<'_>) {
    let log = stage.started().await;
    let refusal = log.worker([step_created(1)]).building_on(2).refused().await;
    let expected = AppendRefusal::WorkerMoved {
        run: log.run,
        expected: Position(2),
        actual: Position(0),
    };
    assert_eq!(refusal, expected);
}

pub(super) async fn outsiders_do_not_move_the_worker_position(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    log.outsider([cancel_requested()]).ok().await;
    assert_eq!(log.row().await.worker, Position(3));
    let answer = log.worker([step_created(1)]).building_on(3).ok().await;
    assert_eq!(answer.head, Position(6));
    assert_eq!(log.row().await.worker, Position(6));
}

pub(super) async fn an_append_without_events_does_not_move_it(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([]).building_on(0).ok().await;
    assert_eq!(log.row().await.worker, Position(0));
}

pub(super) async fn an_append_without_events_is_fenced_too(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1)]).ok().await;
    let refusal = log.worker([]).building_on(0).refused().await;
    assert!(matches!(refusal, AppendRefusal::WorkerMoved { .. }));
}
