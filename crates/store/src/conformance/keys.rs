//! Delivery keys: the same key again gets the same answer.

use super::event::{hook, hook_dropped, hook_received, webhook_created};
use super::stage::Stage;
use crate::request::{DeliverRefusal, Delivered, DeliveryKey, Door};

pub(super) async fn the_same_key_and_payload_get_the_same_answer(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let first = stage.deliver("approve", "yes").key("k", 1).ok().await;
    stage.deliver("approve", "no").ok().await;
    let frames = log.frames().await;

    let second = stage.deliver("approve", "yes").key("k", 1).ok().await;

    let expected = Delivered {
        frame: None,
        ..first
    };
    assert_eq!(second, expected);
    assert_eq!(log.frames().await, frames);
}

pub(super) async fn the_answer_stays_after_the_hook_has_gone(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let first = stage.deliver("approve", "yes").key("k", 1).ok().await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    let second = stage.deliver("approve", "yes").key("k", 1).ok().await;
    assert_eq!(second.hook, first.hook);
    assert_eq!(second.position, first.position);
}

pub(super) async fn the_answer_stays_after_another_hook_has_the_token(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    let other = stage.with_hook(2, "approve").await;
    let frames = other.frames().await;

    let second = stage.deliver("approve", "yes").key("k", 1).ok().await;

    assert_eq!(second.hook.hook, hook(1));
    assert_eq!(other.frames().await, frames);
}

pub(super) async fn the_answer_stays_when_the_hook_is_full(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let first = stage.deliver("approve", "yes").key("k", 1);
    let first = first.limit(1, 1_000).ok().await;
    let second = stage.deliver("approve", "yes").key("k", 1);
    let second = second.limit(1, 1_000).ok().await;
    assert_eq!(second.position, first.position);
}

pub(super) async fn the_same_key_with_another_payload_is_refused(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    let other = stage.deliver("approve", "no").key("k", 2);
    assert_eq!(other.refused().await, DeliverRefusal::KeyReused);
}

pub(super) async fn a_key_without_a_digest_does_not_compare_payloads(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let first = stage.deliver("approve", "yes").key_alone("k").ok().await;
    let second = stage.deliver("approve", "no").key_alone("k").ok().await;
    assert_eq!(second.position, first.position);
    assert_eq!(log.events().await[3..].len(), 1);
}

pub(super) async fn a_payload_without_a_key_is_not_remembered(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    stage.deliver("approve", "yes").ok().await;
    let expected = [hook_received(1, "yes"), hook_received(1, "yes")];
    assert_eq!(log.events().await[3..], expected);
}

pub(super) async fn other_keys_are_other_payloads(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    stage.deliver("approve", "yes").key("l", 1).ok().await;
    assert_eq!(log.events().await[3..].len(), 2);
}

pub(super) async fn a_key_belongs_to_its_token(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let log = stage.with_hook(2, "orders").await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    let other = stage.deliver("orders", "no").key("k", 2).ok().await;
    assert_eq!(other.hook.run, log.run);
}

pub(super) async fn a_refusal_is_not_remembered(stage: Stage<'_>) {
    let refused = stage.deliver("approve", "yes").key("k", 1).refused().await;
    assert_eq!(refused, DeliverRefusal::NoHook);
    stage.with_hook(1, "approve").await;
    let full = stage.deliver("approve", "yes").key("k", 1).limit(0, 0);
    assert!(matches!(full.refused().await, DeliverRefusal::Full { .. }));
    let delivered = stage.deliver("approve", "no").key("k", 2).ok().await;
    assert!(delivered.frame.is_some());
}

pub(super) async fn a_key_does_not_open_the_other_door(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([webhook_created(1, "approve")]).ok().await;
    let first = stage.deliver("approve", "yes").key("k", 1);
    first.through(Door::Webhook).ok().await;
    let other = stage.deliver("approve", "yes").key("k", 1);
    assert_eq!(other.refused().await, DeliverRefusal::WrongDoor);
}

pub(super) async fn a_webhook_is_found_by_its_first_key_when_it_has_gone(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([webhook_created(1, "approve")]).ok().await;
    let find = || {
        let finding = stage.deliver("approve", "").key(DeliveryKey::FIRST, 1);
        finding.through(Door::Webhook).limit(0, 0)
    };
    assert!(matches!(
        find().refused().await,
        DeliverRefusal::Full { .. }
    ));
    let first = stage.deliver("approve", "yes").key("k", 1);
    let first = first.through(Door::Webhook).ok().await;
    let second = stage.deliver("approve", "no").key("l", 1);
    second.through(Door::Webhook).ok().await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;

    let found = find().ok().await;

    assert_eq!(found.hook, first.hook);
    assert_eq!(found.frame, None);
}

pub(super) async fn only_a_webhook_is_found_by_its_first_key(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    let finding = stage.deliver("approve", "").key(DeliveryKey::FIRST, 1);
    assert_eq!(finding.refused().await, DeliverRefusal::NoHook);
}
