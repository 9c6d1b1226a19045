//! How long delivery keys are remembered.

use super::event::{hook_created, hook_dropped, hook_expired, hook_until, run_completed};
use super::stage::{Log, Stage};
use crate::admission::{AdmitRefusal, PostRefusal, Posted};
use crate::request::DeliverRefusal;

/// A day, in milliseconds.
const DAY: u64 = 86_400_000;

/// Sweeps until nothing is left that is due.
async fn sweep(stage: &Stage<'_>) {
    while stage.store.sweep(stage.scope, 4).await.expect("it sweeps") > 0 {}
}

/// A run whose hook 1 took a payload under key `k`, and has gone at 1,000.
async fn gone<'s>(stage: &'s Stage<'_>) -> Log<'s> {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    stage.clock(1_000);
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    log
}

async fn is_known(stage: &Stage<'_>, key: &str) -> bool {
    let again = stage.deliver("approve", "other").key(key, 9);
    match again.refused().await {
        DeliverRefusal::KeyReused => true,
        DeliverRefusal::NoHook => false,
        other => panic!("neither known nor forgotten: {other}"),
    }
}

pub(super) async fn a_key_is_known_for_a_day_after_its_hook_has_gone(stage: Stage<'_>) {
    gone(&stage).await;
    stage.clock(1_000 + DAY - 1);
    sweep(&stage).await;
    assert!(is_known(&stage, "k").await);
    stage.clock(1_000 + DAY);
    sweep(&stage).await;
    assert!(!is_known(&stage, "k").await);
}

pub(super) async fn a_key_is_known_as_long_as_its_hook_is_live(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    stage.clock(100 * DAY);
    sweep(&stage).await;
    assert!(is_known(&stage, "k").await);
}

pub(super) async fn an_expiry_and_the_end_of_the_run_count_too(stage: Stage<'_>) {
    let log = stage.started().await;
    let opening = [
        hook_until(1, "approve", stage.at(500)),
        hook_created(2, "orders"),
    ];
    log.worker(opening).ok().await;
    for token in ["approve", "orders"] {
        stage.deliver(token, "yes").key("k", 1).ok().await;
    }
    stage.clock(1_000);
    let expiring = log.outsider([hook_expired(1)]).releasing(&["approve"]);
    expiring.ok().await;
    log.worker([run_completed()])
        .releasing(&["orders"])
        .ok()
        .await;
    stage.clock(1_000 + DAY);
    sweep(&stage).await;
    assert!(!is_known(&stage, "k").await);
    let other = stage.deliver("orders", "yes").key("k", 1);
    assert_eq!(other.refused().await, DeliverRefusal::NoHook);
}

pub(super) async fn keys_of_the_next_hook_stay(stage: Stage<'_>) {
    gone(&stage).await;
    stage.with_hook(2, "approve").await;
    stage.deliver("approve", "yes").key("next", 1).ok().await;
    stage.clock(1_000 + DAY);
    sweep(&stage).await;
    assert!(is_known(&stage, "next").await);
    // What is forgotten is delivered as if it had never come.
    let again = stage.deliver("approve", "yes").key("k", 1).ok().await;
    assert!(again.frame.is_some());
}

pub(super) async fn many_keys_are_forgotten_little_by_little(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let keys: Vec<String> = (0..40).map(|n| format!("k{n}")).collect();
    for key in &keys {
        stage.deliver("approve", "yes").key(key, 1).ok().await;
    }
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    stage.clock(DAY);
    let first = stage.store.sweep(stage.scope, 10).await;
    assert!(first.is_ok_and(|removed| (10..=11).contains(&removed)));
    sweep(&stage).await;
    for key in &keys {
        assert!(!is_known(&stage, key).await, "{key}");
    }
    assert_eq!(stage.store.sweep(stage.scope, 10).await, Ok(0));
}

pub(super) async fn each_key_that_comes_takes_some_along(stage: Stage<'_>) {
    gone(&stage).await;
    stage.with_hook(2, "orders").await;
    stage.clock(1_000 + DAY);
    stage.deliver("orders", "yes").ok().await;
    assert!(is_known(&stage, "k").await, "no key came");
    stage.deliver("orders", "yes").key("other", 1).ok().await;
    assert!(!is_known(&stage, "k").await);
}

pub(super) async fn a_key_of_the_mailbox_is_known_a_day_longer_than_its_payload(stage: Stage<'_>) {
    stage.post("approve", "a").key("k", 1).ok().await;
    stage.clock(1_000 + DAY - 1);
    sweep(&stage).await;
    let again = stage.post("approve", "a").key("k", 2).refused().await;
    assert_eq!(again, PostRefusal::KeyReused);
    stage.clock(1_000 + DAY);
    sweep(&stage).await;
    let again = stage.post("approve", "a").key("k", 2).ok().await;
    let until = stage.at(2_000 + DAY);
    assert_eq!(again, Posted::Kept { until });
}

pub(super) async fn a_key_of_the_mailbox_goes_with_the_hook_that_took_the_payload(
    stage: Stage<'_>,
) {
    stage.post("approve", "a").key("k", 1).ok().await;
    let log = stage.with_hook(1, "approve").await;
    stage.clock(10 * DAY);
    sweep(&stage).await;
    let again = stage.post("approve", "a").key("k", 1).ok().await;
    let until = stage.at(1_000);
    assert_eq!(again, Posted::Kept { until }, "the hook is live");
    let dropping = log.worker([hook_dropped(1)]).taking(1, 1, 9);
    dropping.releasing(&["approve"]).ok().await;
    stage.clock(11 * DAY);
    sweep(&stage).await;
    assert!(!is_known(&stage, "k").await);
}

pub(super) async fn a_key_of_a_payload_that_returned_to_the_mailbox_stays_with_it(
    stage: Stage<'_>,
) {
    let posting = stage.post("approve", "a").key("k", 1).keep_for(10 * DAY);
    posting.ok().await;
    let log = stage.with_hook(1, "approve").await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    stage.clock(11 * DAY - 1);
    sweep(&stage).await;
    assert!(is_known(&stage, "k").await);
    stage.clock(11 * DAY);
    sweep(&stage).await;
    assert!(!is_known(&stage, "k").await);
}

pub(super) async fn the_key_of_an_admission_is_forgotten_too(stage: Stage<'_>) {
    let admitting = stage.admit("approve", "yes").key("k", 1);
    let run = admitting.run();
    admitting.ok().await;
    let ending = stage.log(run).worker([run_completed()]);
    ending.releasing(&["approve"]).ok().await;
    stage.clock(DAY - 1);
    sweep(&stage).await;
    let again = stage.admit("approve", "no").key("k", 2).refused().await;
    assert_eq!(again, AdmitRefusal::KeyReused);
    stage.clock(DAY);
    sweep(&stage).await;
    assert!(stage.admit("approve", "no").key("k", 2).ok().await.started);
}

pub(super) async fn another_environment_forgets_its_own(stage: Stage<'_>) {
    gone(&stage).await;
    stage.clock(1_000 + DAY);
    assert_eq!(stage.store.sweep(stage.elsewhere, 10).await, Ok(0));
    assert!(is_known(&stage, "k").await);
}
