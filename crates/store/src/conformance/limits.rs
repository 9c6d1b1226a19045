//! How much a hook may hold that its workflow has not read.

use rewake_core::event::EventKind;

use super::event::{hook_created, hook_received, payload, run_created, size};
use super::stage::Stage;
use crate::request::DeliverRefusal;

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
