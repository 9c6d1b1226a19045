//! How a payload reaches a hook, and how it does not.

use rewake_core::event::{EventKind, Frame, Position, Writer};

use super::event::{
    hook, hook_dropped, hook_received, payload, run_completed, size, token, webhook_created,
};
use super::stage::Stage;
use crate::request::{DeliverRefusal, Delivered, Door};
use crate::row::TokenRow;

pub(super) async fn a_payload_reaches_the_hook(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.clock(10);
    let delivering = stage.deliver("approve", "yes");
    let id = delivering.request.id;

    let delivered = delivering.ok().await;

    let frame = Frame {
        first: Position(4),
        at: stage.at(10),
        id,
        writer: Writer::Outsider,
        events: vec![hook_received(1, "yes")],
        taken: Vec::new(),
    };
    let expected = Delivered {
        hook: TokenRow {
            scope: stage.scope,
            token: token("approve"),
            run: log.run,
            hook: hook(1),
            created_at: stage.at(0),
            metadata: None,
            is_webhook: false,
            chosen: true,
            expires_at: None,
            received: 1,
            received_bytes: size(&payload("yes")),
            keyed: false,
        },
        position: Position(4),
        event: id,
        frame: Some(frame.clone()),
    };
    assert_eq!(delivered, expected);
    assert_eq!(log.frames().await.last(), Some(&frame));
    assert_eq!(stage.token("approve").await, Some(expected.hook));
}

pub(super) async fn payloads_stand_in_the_log_in_order_of_arrival(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    for text in ["a", "b", "a"] {
        stage.deliver("approve", text).ok().await;
    }
    let expected = ["a", "b", "a"].map(|text| hook_received(1, text));
    assert_eq!(log.events().await[3..], expected);
}

pub(super) async fn key_and_fallback_are_recorded(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let fallback = Box::new(stage.fallback("fulfil"));
    let delivering = stage.deliver("approve", "yes").or_start(fallback.clone());
    delivering.key("delivery-1", 1).ok().await;
    let expected = EventKind::HookReceived {
        hook: hook(1),
        payload: payload("yes"),
        key: Some("delivery-1".to_owned()),
        fallback: Some(fallback),
        kept_until: None,
    };
    assert_eq!(log.events().await.last(), Some(&expected));
}

pub(super) async fn a_token_that_nobody_holds_takes_nothing(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let refusal = stage.deliver("orders", "yes").refused().await;
    assert_eq!(refusal, DeliverRefusal::NoHook);
}

pub(super) async fn a_hook_that_was_given_up_takes_nothing(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    let refusal = stage.deliver("approve", "yes").refused().await;
    assert_eq!(refusal, DeliverRefusal::NoHook);
}

pub(super) async fn a_hook_whose_run_has_ended_takes_nothing(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let ending = log.worker([run_completed()]);
    ending.releasing(&["approve"]).ok().await;
    let refusal = stage.deliver("approve", "yes").refused().await;
    assert_eq!(refusal, DeliverRefusal::NoHook);
}

pub(super) async fn a_hook_is_not_reached_through_the_webhook_door(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let delivering = stage.deliver("approve", "yes").through(Door::Webhook);
    assert_eq!(delivering.refused().await, DeliverRefusal::WrongDoor);
}

pub(super) async fn a_webhook_is_not_reached_through_the_hook_door(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([webhook_created(1, "approve")]).ok().await;
    let delivering = stage.deliver("approve", "yes").through(Door::Hook);
    assert_eq!(delivering.refused().await, DeliverRefusal::WrongDoor);
}

pub(super) async fn a_webhook_is_reached_through_its_door(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([webhook_created(1, "approve")]).ok().await;
    let delivering = stage.deliver("approve", "yes").through(Door::Webhook);
    let row = delivering.ok().await.hook;
    assert!(row.is_webhook);
    assert_eq!(row.metadata, Some(payload("metadata")));
}

pub(super) async fn a_payload_for_one_hook_leaves_the_others_be(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let other = stage.with_hook(2, "orders").await;
    let before = (other.row().await, stage.token("orders").await);
    stage.deliver("approve", "yes").ok().await;
    assert_eq!((other.row().await, stage.token("orders").await), before);
}
