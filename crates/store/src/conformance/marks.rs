//! The worker's mark: how far its reactions are recorded, and what it has taken.

use rewake_core::event::{Position, Taken};

use super::event::{hook, hook_closed, hook_created, payload, run_completed, size, step_created};
use super::stage::{Log, Stage};

async fn reacted(log: Log<'_>) -> u64 {
    log.row().await.reacted.0
}

async fn taken(log: Log<'_>) -> Vec<Taken> {
    log.row().await.taken
}

fn one_taken() -> Taken {
    Taken {
        hook: hook(1),
        count: 1,
        bytes: size(&payload("yes")),
    }
}

pub(super) async fn records_need_no_reaction(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1)]).reacted(2).ok().await;
    assert_eq!(reacted(log).await, 3);
}

pub(super) async fn an_awaited_record_leaves_the_mark_before_it(stage: Stage<'_>) {
    let log = stage.started().await;
    let registering = log.worker([hook_created(1, "approve")]);
    registering.reacted(2).ok().await;
    assert_eq!(reacted(log).await, 2);
}

pub(super) async fn events_of_others_leave_the_mark_where_the_worker_says(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    log.worker([step_created(1)]).reacted(3).ok().await;
    assert_eq!(reacted(log).await, 3);
    log.worker([]).reacted(5).ok().await;
    assert_eq!(reacted(log).await, 5);
}

pub(super) async fn outsiders_do_not_move_the_mark(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    log.worker([]).ok().await;
    stage.deliver("approve", "yes").ok().await;
    assert_eq!(reacted(log).await, 3);
    assert_eq!(log.row().await.head, Position(4));
}

pub(super) async fn the_end_of_a_run_is_reacted_to(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let ending = log.worker([run_completed()]).reacted(2);
    ending.releasing(&["approve"]).ok().await;
    assert_eq!(reacted(log).await, 4);
}

pub(super) async fn payloads_taken_are_kept_for_live_hooks(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    let Taken { count, bytes, .. } = one_taken();
    log.worker([]).taking(1, count, bytes).ok().await;
    assert_eq!(taken(log).await, [one_taken()]);
}

pub(super) async fn payloads_taken_are_forgotten_with_their_hook(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    let closing = log.worker([hook_closed(1)]).releasing(&["approve"]);
    closing.taking(1, 1, one_taken().bytes).ok().await;
    assert_eq!(taken(log).await, []);
}

pub(super) async fn payloads_taken_after_the_hook_has_gone_are_not_kept(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    let closing = log.worker([hook_closed(1)]);
    closing.releasing(&["approve"]).ok().await;

    let reading = log.worker([step_created(1)]);
    reading.taking(1, 1, one_taken().bytes).ok().await;

    assert_eq!(taken(log).await, []);
    let frames = log.frames().await;
    let last = frames.last().expect("the log is not empty");
    assert_eq!(last.taken, [one_taken()]);
}
