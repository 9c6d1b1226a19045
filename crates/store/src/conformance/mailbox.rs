//! Payloads that are kept for whoever opens their token.

use rewake_core::event::EventKind;

use super::event::{
    hook_conflict, hook_created, hook_received_until, payload, run_created, size, token,
    webhook_created,
};
use super::stage::{ALL, Stage};
use crate::admission::{Post, PostRefusal, Posted};
use crate::request::DeliverRefusal;
use crate::row::MailRow;

const fn kept(until: rewake_core::time::Timestamp) -> Posted {
    Posted::Kept { until }
}

/// What is kept, as text.
async fn texts(stage: &Stage<'_>) -> Vec<String> {
    let mail = stage.mail().await.into_iter();
    let text = |mail: MailRow| String::from_utf8_lossy(mail.payload.as_bytes()).into_owned();
    mail.map(text).collect()
}

pub(super) async fn a_live_hook_takes_what_is_posted(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.clock(10);
    let Posted::Delivered(delivered) = stage.post("approve", "yes").ok().await else {
        panic!("the hook is live");
    };
    assert_eq!(delivered.hook.run, log.run);
    let expected = hook_received_until(1, "yes", stage.at(1_010));
    assert_eq!(log.events().await.last(), Some(&expected));
    assert_eq!(stage.mail().await, []);
}

pub(super) async fn what_nobody_takes_is_kept(stage: Stage<'_>) {
    stage.clock(10);
    let posting = stage.post("approve", "yes").key("k", 1).keep_for(500);
    let event = posting.request.id;
    assert_eq!(posting.ok().await, kept(stage.at(510)));
    let expected = MailRow {
        scope: stage.scope,
        token: token("approve"),
        event,
        payload: payload("yes"),
        key: Some("k".to_owned()),
        fallback: None,
        posted_at: stage.at(10),
        until: stage.at(510),
    };
    assert_eq!(stage.mail().await, [expected]);
}

pub(super) async fn whoever_opens_the_token_gets_it_oldest_first(stage: Stage<'_>) {
    stage.post("approve", "a").ok().await;
    stage.post("approve", "b").ok().await;
    let log = stage.started().await;
    let opening = [hook_created(1, "approve"), hook_created(2, "orders")];

    let answer = log.worker(opening).ok().await;

    let expected = [
        hook_created(1, "approve"),
        hook_received_until(1, "a", stage.at(1_000)),
        hook_received_until(1, "b", stage.at(1_000)),
        hook_created(2, "orders"),
    ];
    assert_eq!(answer.frames[0].events, expected);
    assert_eq!(log.frames().await[1..], answer.frames);
    let row = stage.token("approve").await.expect("the hook is live");
    let bytes = size(&payload("a")) + size(&payload("b"));
    assert_eq!((row.received, row.received_bytes), (2, bytes));
    assert_eq!(stage.mail().await, []);
}

pub(super) async fn a_log_that_begins_with_the_hook_gets_it(stage: Stage<'_>) {
    stage.post("approve", "a").ok().await;
    let events = [run_created(), hook_created(1, "approve")];
    let run = stage.create(events).ok().await.run;
    let expected = hook_received_until(1, "a", stage.at(1_000));
    assert_eq!(stage.log(run).events().await[2..], [expected]);
    assert_eq!(stage.mail().await, []);
}

pub(super) async fn a_run_that_is_started_for_a_payload_gets_it_first(stage: Stage<'_>) {
    stage.post("approve", "a").ok().await;
    let admitted = stage.admit("approve", "b").ok().await;
    assert_eq!(admitted.position.0, 4);
    let events = stage.log(admitted.hook.run).events().await;
    let received = events.iter().filter_map(|kind| match kind {
        EventKind::HookReceived { payload, .. } => Some(payload.clone()),
        _ => None,
    });
    assert_eq!(received.collect::<Vec<_>>(), [payload("a"), payload("b")]);
    assert_eq!(admitted.hook.received, 2);
    assert_eq!(stage.mail().await, []);
}

pub(super) async fn a_hook_in_conflict_gets_nothing(stage: Stage<'_>) {
    let owner = stage.with_hook(1, "approve").await;
    let log = stage.started().await;
    stage.post("orders", "a").ok().await;
    let answer = log.worker([hook_created(2, "approve")]).ok().await;
    let conflict = hook_conflict(2, "approve", owner.run);
    assert_eq!(answer.frames[0].events, [conflict]);
}

pub(super) async fn another_token_gets_nothing(stage: Stage<'_>) {
    stage.post("approve", "a").ok().await;
    let log = stage.with_hook(1, "orders").await;
    assert_eq!(log.events().await.len(), 3);
    assert_eq!(texts(&stage).await, ["devl[\"a\"]"]);
}

pub(super) async fn another_environment_gets_nothing(stage: Stage<'_>) {
    stage
        .post("approve", "a")
        .within(stage.elsewhere)
        .ok()
        .await;
    let log = stage.with_hook(1, "approve").await;
    assert_eq!(log.events().await.len(), 3);
    assert_eq!(stage.mail().await, []);
    let there = stage.store.mail(stage.elsewhere, None, ALL).await;
    assert!(there.is_ok_and(|mail| mail.len() == 1));
}

pub(super) async fn what_is_kept_no_longer_is_not_delivered(stage: Stage<'_>) {
    stage.post("approve", "late").keep_for(100).ok().await;
    stage.post("approve", "good").keep_for(101).ok().await;
    stage.clock(100);
    assert_eq!(texts(&stage).await, ["devl[\"good\"]"]);
    let log = stage.with_hook(1, "approve").await;
    let expected = hook_received_until(1, "good", stage.at(101));
    assert_eq!(log.events().await[3..], [expected]);
    // It went with the others of its token.
    assert_eq!(stage.store.sweep(stage.scope, ALL).await, Ok(0));
}

pub(super) async fn what_is_kept_no_longer_is_swept(stage: Stage<'_>) {
    for (name, ms) in [("approve", 100), ("orders", 300), ("payment", 200)] {
        stage.post(name, "a").keep_for(ms).ok().await;
    }
    stage
        .post("approve", "a")
        .within(stage.elsewhere)
        .keep_for(1)
        .ok()
        .await;
    stage.clock(200);
    assert_eq!(stage.store.sweep(stage.scope, 1).await, Ok(1));
    assert_eq!(stage.store.sweep(stage.scope, ALL).await, Ok(1));
    assert_eq!(stage.store.sweep(stage.scope, ALL).await, Ok(0));
    assert_eq!(stage.mail().await.len(), 1);
    assert_eq!(stage.store.sweep(stage.elsewhere, ALL).await, Ok(1));
}

pub(super) async fn posting_sweeps(stage: Stage<'_>) {
    stage.post("approve", "a").keep_for(100).most(1).ok().await;
    let refusal = stage.post("approve", "b").most(1).refused().await;
    assert_eq!(refusal, PostRefusal::MailboxFull { count: 1 });
    stage.clock(100);
    stage.post("approve", "b").most(1).ok().await;
    assert_eq!(stage.store.sweep(stage.scope, ALL).await, Ok(0));
    assert_eq!(texts(&stage).await, ["devl[\"b\"]"]);
}

pub(super) async fn a_mailbox_that_is_full_keeps_no_more(stage: Stage<'_>) {
    stage.post("approve", "a").most(2).ok().await;
    stage.post("orders", "b").most(2).ok().await;
    let refusal = stage.post("payment", "c").most(2).refused().await;
    assert_eq!(refusal, PostRefusal::MailboxFull { count: 2 });
    stage.with_hook(1, "approve").await;
    stage.post("payment", "c").most(2).ok().await;
}

pub(super) async fn a_token_for_which_enough_is_kept_keeps_no_more(stage: Stage<'_>) {
    let bytes = size(&payload("a"));
    stage.post("approve", "a").limit(2, bytes).ok().await;
    let refusal = stage.post("approve", "b").limit(2, bytes).refused().await;
    assert_eq!(refusal, PostRefusal::Full { count: 1, bytes });
    let refusal = stage.post("approve", "b").limit(1, ALL as u64);
    let expected = PostRefusal::Full { count: 1, bytes };
    assert_eq!(refusal.refused().await, expected);
    stage.post("orders", "b").limit(1, bytes).ok().await;
}

pub(super) async fn the_same_key_gets_the_same_answer(stage: Stage<'_>) {
    let first = stage.post("approve", "yes").key("k", 1).ok().await;
    stage.clock(10);
    assert_eq!(stage.post("approve", "yes").key("k", 1).ok().await, first);
    assert_eq!(stage.mail().await.len(), 1);
    // Also when somebody has got it.
    let log = stage.with_hook(1, "approve").await;
    assert_eq!(stage.post("approve", "yes").key("k", 1).ok().await, first);
    assert_eq!(log.events().await.len(), 4);
}

pub(super) async fn the_same_key_finds_what_a_hook_took(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.post("approve", "yes").key("k", 1).ok().await;
    let again = stage.post("approve", "yes").key("k", 1).ok().await;
    assert!(matches!(again, Posted::Delivered(again) if again.hook.run == log.run));
    assert_eq!(log.events().await.len(), 4);
}

pub(super) async fn the_same_key_with_another_payload_is_refused(stage: Stage<'_>) {
    stage.post("approve", "yes").key("k", 1).ok().await;
    let refusal = stage.post("approve", "no").key("k", 2).refused().await;
    assert_eq!(refusal, PostRefusal::KeyReused);
}

pub(super) async fn a_key_that_the_mailbox_answered_is_used_up(stage: Stage<'_>) {
    stage.post("approve", "yes").key("k", 1).ok().await;
    stage.with_hook(1, "approve").await;
    let refusal = stage.deliver("approve", "yes").key("k", 1).refused().await;
    assert_eq!(refusal, DeliverRefusal::KeyReused);
}

pub(super) async fn a_repeated_post_is_kept_once(stage: Stage<'_>) {
    let posting = stage.post("approve", "yes");
    let repeat = Post {
        repeat: true,
        ..posting.request.clone()
    };
    let first = posting.ok().await;
    stage.clock(10);
    assert_eq!(stage.store.post(repeat).await, Ok(first));
    assert_eq!(stage.mail().await.len(), 1);
}

pub(super) async fn a_webhook_is_not_posted_to(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([webhook_created(1, "approve")]).ok().await;
    let refusal = stage.post("approve", "yes").refused().await;
    assert_eq!(refusal, PostRefusal::WrongDoor);
}

pub(super) async fn the_mailbox_is_listed_in_pages(stage: Stage<'_>) {
    for text in ["a", "b", "c"] {
        stage.post("approve", text).ok().await;
    }
    let store = &stage.store;
    let first = store.mail(stage.scope, None, 2).await;
    let first = first.expect("the mailbox is listed");
    assert_eq!(first.len(), 2);
    let second = store.mail(stage.scope, Some(first[1].0), 2).await;
    let second = second.expect("the mailbox is listed");
    let all: Vec<_> = first
        .into_iter()
        .chain(second)
        .map(|(_, mail)| mail)
        .collect();
    assert_eq!(all, stage.mail().await);
}
