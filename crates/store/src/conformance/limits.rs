//! How much a hook may hold that its workflow has not read, and how many hooks a run may have.

use rewake_core::event::EventKind;

use super::event::{
    hook_closed, hook_created, hook_received, payload, run_completed, run_created, size,
    step_created,
};
use super::stage::Stage;
use crate::request::{AppendRefusal, Condition, DeliverRefusal};

const PLENTY: u64 = 1_000_000;

pub(super) async fn the_count_holds_at_its_edge(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    for _ in 0..2 {
        let delivering = stage.deliver("approve", "yes");
        delivering.limit(2, PLENTY).ok().await;
    }
    let third = stage.deliver("approve", "yes").limit(2, PLENTY);
    let expected = DeliverRefusal::Full {
        count: 2,
        bytes: 2 * size(&payload("yes")),
    };
    assert_eq!(third.refused().await, expected);
}

pub(super) async fn the_bytes_hold_at_their_edge(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let room = 2 * size(&payload("yes"));
    for _ in 0..2 {
        let delivering = stage.deliver("approve", "yes");
        delivering.limit(PLENTY, room).ok().await;
    }
    let third = stage.deliver("approve", "").limit(PLENTY, room);
    let expected = DeliverRefusal::Full {
        count: 2,
        bytes: room,
    };
    assert_eq!(third.refused().await, expected);
}

pub(super) async fn what_the_worker_has_taken_makes_room(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let bytes = size(&payload("yes"));
    for _ in 0..2 {
        stage.deliver("approve", "yes").ok().await;
    }
    log.worker([]).taking(1, 1, bytes).ok().await;

    let third = stage.deliver("approve", "yes");
    third.limit(2, 2 * bytes).ok().await;

    let fourth = stage.deliver("approve", "yes").limit(2, 2 * bytes);
    let count = 2;
    let bytes = 2 * bytes;
    let expected = DeliverRefusal::Full { count, bytes };
    assert_eq!(fourth.refused().await, expected);
}

pub(super) async fn the_latest_count_of_the_worker_holds(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let bytes = size(&payload("yes"));
    for _ in 0..3 {
        stage.deliver("approve", "yes").ok().await;
    }
    log.worker([]).taking(1, 1, bytes).ok().await;
    log.worker([]).taking(1, 3, 3 * bytes).ok().await;
    let full = stage.deliver("approve", "yes").limit(0, 0);
    let expected = DeliverRefusal::Full { count: 0, bytes: 0 };
    assert_eq!(full.refused().await, expected);
}

pub(super) async fn a_hook_without_room_takes_nothing(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let delivering = stage.deliver("approve", "yes").limit(0, PLENTY);
    let expected = DeliverRefusal::Full { count: 0, bytes: 0 };
    assert_eq!(delivering.refused().await, expected);
}

pub(super) async fn a_payload_that_came_with_the_hook_takes_room(stage: Stage<'_>) {
    let events = [
        run_created(),
        hook_created(1, "approve"),
        hook_received(1, "yes"),
        EventKind::RunStarted,
    ];
    stage.create(events).ok().await;
    let second = stage.deliver("approve", "yes").limit(1, PLENTY);
    let expected = DeliverRefusal::Full {
        count: 1,
        bytes: size(&payload("yes")),
    };
    assert_eq!(second.refused().await, expected);
}

pub(super) async fn every_hook_has_room_of_its_own(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    log.worker([hook_created(2, "orders")]).ok().await;
    let bytes = size(&payload("yes"));
    stage.deliver("approve", "yes").ok().await;
    stage.deliver("orders", "yes").ok().await;
    log.worker([]).taking(1, 1, bytes).ok().await;
    let refused = stage.deliver("orders", "yes").limit(1, PLENTY);
    let expected = DeliverRefusal::Full { count: 1, bytes };
    assert_eq!(refused.refused().await, expected);
}

pub(super) async fn the_hooks_of_a_run_hold_at_their_edge(stage: Stage<'_>) {
    let log = stage.with_hook(1, "a").await;
    let second = log.worker([hook_created(2, "b:1")]);
    second.when(Condition::HooksAtMost(2)).ok().await;
    let more = log.worker([
        step_created(1),
        hook_created(3, "c"),
        hook_created(4, "b:2"),
    ]);
    let (run, live, limit) = (log.run, 4, 2);
    let expected = AppendRefusal::TooManyHooks { run, live, limit };
    let refused = more.when(Condition::HooksAtMost(2)).refused();
    assert_eq!(refused.await, expected);
    let raised = log.worker([hook_created(3, "c")]);
    raised.when(Condition::HooksAtMost(3)).ok().await;
}

pub(super) async fn a_hook_that_ends_with_the_append_makes_room(stage: Stage<'_>) {
    let log = stage.with_hook(1, "a").await;
    for events in [
        [hook_closed(1), hook_created(2, "b:1")],
        [hook_created(3, "c"), hook_closed(2)],
    ] {
        let passing = log.worker(events).releasing(&["a", "b:1"]);
        passing.when(Condition::HooksAtMost(1)).ok().await;
        assert_eq!(log.row().await.live_hooks, 1);
    }
    let ending = log.worker([hook_created(4, "b:2"), run_completed()]);
    let ending = ending.releasing(&["c", "b:2"]);
    ending.when(Condition::HooksAtMost(0)).ok().await;
}

pub(super) async fn a_hook_in_conflict_takes_no_room(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let log = stage.with_hook(2, "orders").await;
    let wanting = log.worker([hook_created(3, "approve")]);
    wanting.when(Condition::HooksAtMost(1)).ok().await;
    assert_eq!(log.row().await.live_hooks, 1);
}

pub(super) async fn hooks_beyond_a_lowered_limit_stay(stage: Stage<'_>) {
    let log = stage.with_hook(1, "a").await;
    log.worker([hook_created(2, "b:1")]).ok().await;
    // Who registers nothing names no limit.
    log.worker([step_created(1)]).ok().await;
    assert_eq!(log.row().await.live_hooks, 2);
    let third = log.worker([hook_created(3, "c")]);
    third.when(Condition::HooksAtMost(1)).refused().await;
    let passing = log.worker([hook_closed(1), hook_closed(2), hook_created(3, "c")]);
    let passing = passing.releasing(&["a", "b:1"]);
    passing.when(Condition::HooksAtMost(1)).ok().await;
}
