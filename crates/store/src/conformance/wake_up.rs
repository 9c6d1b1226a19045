//! The wake-up index: when a worker must look at a run.

use super::event::{
    cancel_requested, hook_created, hook_dropped, hook_expired, run_completed, run_created,
    run_not_before, run_terminated, step_completed, step_created, step_started, wait_created,
};
use super::stage::{Log, Stage};

/// A run with a hook whose worker has seen everything and wants to be woken at 500.
async fn at_rest_until_500<'s>(stage: &'s Stage<'_>) -> Log<'s> {
    let log = stage.with_hook(1, "approve").await;
    log.worker([]).waking_at(stage.at(500)).ok().await;
    log
}

pub(super) async fn a_new_run_is_due_at_once(stage: Stage<'_>) {
    stage.clock(7);
    let log = stage.started().await;
    assert_eq!(log.wake_up().await, Some(stage.at(7)));
}

pub(super) async fn a_run_that_must_not_begin_yet_is_due_when_it_may(stage: Stage<'_>) {
    let created = stage.create([run_not_before(stage.at(300))]).ok().await;
    let log = stage.log(created.run);
    assert_eq!(log.wake_up().await, Some(stage.at(300)));
    assert_eq!(stage.due(299).await, []);
    assert_eq!(stage.due(300).await.len(), 1);
}

pub(super) async fn a_time_that_has_passed_does_not_make_a_run_due_earlier(stage: Stage<'_>) {
    stage.clock(400);
    let created = stage.create([run_not_before(stage.at(300))]).ok().await;
    let log = stage.log(created.run);
    assert_eq!(log.wake_up().await, Some(stage.at(400)));
}

pub(super) async fn a_worker_that_has_seen_everything_sets_the_time(stage: Stage<'_>) {
    let log = at_rest_until_500(&stage).await;
    assert_eq!(log.wake_up().await, Some(stage.at(500)));
    assert!(!log.row().await.is_ready());
    log.worker([]).ok().await;
    assert_eq!(log.wake_up().await, None);
}

pub(super) async fn records_of_a_worker_leave_the_time_it_says(stage: Stage<'_>) {
    let log = stage.started().await;
    let sleeping = log.worker([wait_created(1, stage.at(90)), step_created(1)]);
    sleeping.waking_at(stage.at(90)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(90)));
    assert!(!log.row().await.is_ready());
}

pub(super) async fn a_payload_makes_a_run_due_at_once(stage: Stage<'_>) {
    let log = at_rest_until_500(&stage).await;
    stage.clock(20);
    stage.deliver("approve", "yes").ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(20)));
    assert!(log.row().await.is_ready());
}

pub(super) async fn a_second_payload_does_not_make_it_due_later(stage: Stage<'_>) {
    let log = at_rest_until_500(&stage).await;
    stage.clock(20);
    stage.deliver("approve", "yes").ok().await;
    stage.clock(30);
    stage.deliver("approve", "yes").ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(20)));
}

pub(super) async fn the_fact_of_an_outsider_makes_a_run_due_at_once(stage: Stage<'_>) {
    for fact in [cancel_requested(), hook_expired(9)] {
        let log = stage.started().await;
        log.worker([]).waking_at(stage.at(500)).ok().await;
        stage.clock(20);
        log.outsider([fact]).ok().await;
        assert_eq!(log.wake_up().await, Some(stage.at(20)));
        assert!(log.row().await.is_ready());
        stage.clock(0);
    }
}

pub(super) async fn the_fact_of_a_worker_makes_a_run_due_at_once(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1), step_started(1)]).ok().await;
    stage.clock(20);
    let completing = log.worker([step_completed(1)]);
    completing.waking_at(stage.at(500)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(20)));
    assert!(log.row().await.is_ready());
}

pub(super) async fn an_awaited_record_makes_a_run_due_at_once(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([]).waking_at(stage.at(500)).ok().await;
    stage.clock(20);
    let registering = log.worker([hook_created(1, "approve")]);
    registering.waking_at(stage.at(500)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(20)));
    assert!(log.row().await.is_ready());
}

pub(super) async fn a_run_that_stays_due_keeps_its_place(stage: Stage<'_>) {
    let log = stage.started().await;
    stage.clock(20);
    let working = log.worker([step_created(1), step_started(1)]);
    working.waking_at(stage.at(20)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(0)));
    stage.clock(40);
    let completing = log.worker([step_completed(1)]);
    completing.waking_at(stage.at(40)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(0)));
    stage.clock(60);
    log.worker([]).waking_at(stage.at(61)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(61)));
}

pub(super) async fn a_record_that_nobody_awaits_does_not(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let dropping = log.worker([hook_dropped(1)]).releasing(&["approve"]);
    dropping.waking_at(stage.at(500)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(500)));
}

pub(super) async fn what_the_worker_has_not_seen_keeps_a_run_due(stage: Stage<'_>) {
    let log = at_rest_until_500(&stage).await;
    stage.clock(20);
    stage.deliver("approve", "yes").ok().await;
    stage.clock(30);
    let unaware = log.worker([step_created(1)]).reacted(3);
    unaware.waking_at(stage.at(500)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(20)));
    assert!(log.row().await.is_ready());
}

pub(super) async fn a_worker_that_has_caught_up_sets_the_time_again(stage: Stage<'_>) {
    let log = at_rest_until_500(&stage).await;
    stage.deliver("approve", "yes").ok().await;
    let unaware = log.worker([step_created(1)]).reacted(3);
    unaware.waking_at(stage.at(500)).ok().await;
    log.worker([]).waking_at(stage.at(600)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(600)));
    assert!(!log.row().await.is_ready());
}

pub(super) async fn a_run_that_has_ended_is_never_due(stage: Stage<'_>) {
    let completed = stage.started().await;
    let ending = completed.worker([run_completed()]);
    ending.waking_at(stage.at(500)).ok().await;
    let terminated = stage.started().await;
    terminated.outsider([run_terminated()]).ok().await;
    for log in [completed, terminated] {
        assert_eq!(log.wake_up().await, None);
        assert!(!log.row().await.is_ready());
    }
}

pub(super) async fn each_run_is_due_on_its_own(stage: Stage<'_>) {
    let first = stage.started().await;
    let second = stage.create([run_created()]).ok().await.run;
    first.worker([]).waking_at(stage.at(500)).ok().await;
    assert_eq!(stage.log(second).wake_up().await, Some(stage.at(0)));
    assert_eq!(first.wake_up().await, Some(stage.at(500)));
}
