//! What becomes of payloads that nobody read.

use rewake_core::event::{EventKind, Fallback, Taken};

use super::admit::{arrived, beginning};
use super::event::{
    hook, hook_closed, hook_conflict, hook_created, hook_dropped, hook_expired,
    hook_received_or_start, hook_received_until, hook_until, payload, run_completed, run_continued,
    run_failed, run_terminated, size, step_created,
};
use super::stage::{Log, Stage};
use crate::request::Append;

/// How many payloads were left unread and stay.
async fn unread(log: Log<'_>) -> u64 {
    log.row().await.unread
}

/// Admits a payload to a live hook; the run that it names.
async fn admit(stage: &Stage<'_>, text: &str) -> Fallback {
    let admitting = stage.admit("approve", text);
    let fallback = admitting.request.fallback.clone();
    assert!(!admitting.ok().await.started, "the hook is live");
    fallback
}

/// A payload in a run that it did not start.
fn followed(into: &Fallback, text: &str, fallback: &Fallback) -> EventKind {
    EventKind::HookReceived {
        hook: into.hook,
        payload: payload(text),
        key: None,
        fallback: Some(Box::new(fallback.clone())),
        kept_until: None,
    }
}

async fn exists(stage: &Stage<'_>, fallback: &Fallback) -> bool {
    let row = stage.store.run(stage.scope, fallback.run).await;
    row.expect("the run is looked up").is_some()
}

pub(super) async fn what_was_taken_is_not_unread(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let ending = log.worker([hook_dropped(1), run_completed()]);
    let taken = size(&payload("a"));
    let ending = ending.releasing(&["approve"]).taking(1, 1, taken);
    assert_eq!(ending.ok().await.started, []);
    assert!(!exists(&stage, &a).await);
    assert_eq!(unread(log).await, 0);
    assert_eq!(stage.token("approve").await, None);
}

pub(super) async fn what_nobody_read_stays_and_is_counted(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    for text in ["a", "b", "c"] {
        stage.deliver("approve", text).ok().await;
    }
    log.worker([]).taking(1, 1, size(&payload("a"))).ok().await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    assert_eq!(unread(log).await, 2);
    // Beside one that does not stay, too.
    log.worker([hook_created(2, "approve")]).ok().await;
    stage.deliver("approve", "d").ok().await;
    let e = admit(&stage, "e").await;
    log.worker([run_completed()])
        .releasing(&["approve"])
        .ok()
        .await;
    assert_eq!(unread(log).await, 3);
    let expected = [arrived(&e, "e")];
    assert_eq!(stage.log(e.run).events().await[2..], expected);
}

pub(super) async fn what_a_dropped_receiver_left_starts_the_run_it_names(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    stage.clock(10);

    let dropping = log.worker([hook_dropped(1)]).releasing(&["approve"]);
    let answer = dropping.ok().await;

    assert_eq!(answer.started, [a.run]);
    let next = stage.log(a.run);
    let mut events = beginning(&a, "approve").to_vec();
    events.push(arrived(&a, "a"));
    assert_eq!(next.events().await, events);
    let frame = &next.frames().await[0];
    assert_eq!((frame.id, frame.at), (a.event, stage.at(10)));
    assert_eq!(next.wake_up().await, Some(stage.at(10)));
    let held = stage
        .token("approve")
        .await
        .expect("the run owns the token");
    assert_eq!((held.run, held.hook, held.received), (a.run, a.hook, 1));
    assert_eq!((unread(log).await, log.row().await.live_hooks), (0, 0));
    assert_eq!(next.row().await.live_hooks, 1);
}

pub(super) async fn the_end_of_a_run_starts_the_run_that_a_payload_names(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    log.worker([hook_created(2, "orders")]).ok().await;
    let a = admit(&stage, "a").await;
    let ending = log.worker([run_completed()]);
    let answer = ending.releasing(&["approve", "orders"]).ok().await;
    assert_eq!(answer.started, [a.run]);
    let held = stage.token("approve").await.map(|held| held.run);
    assert_eq!(held, Some(a.run));
    assert_eq!(stage.token("orders").await, None);
}

pub(super) async fn every_end_deals_with_what_is_unread(stage: Stage<'_>) {
    let successor = stage.run_id();
    let ends = [
        run_completed(),
        run_failed(),
        run_continued(successor),
        run_terminated(),
    ];
    let mut log = stage.with_hook(1, "approve").await;
    for end in ends {
        let next = admit(&stage, "a").await;
        let ending = log.outsider([end]).releasing(&["approve"]);
        let answer = ending.ok().await;
        assert_eq!(answer.started, [next.run]);
        log = stage.log(next.run);
        log.worker([EventKind::RunStarted]).ok().await;
    }
}

pub(super) async fn the_first_starts_the_run_and_the_others_follow(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let b = admit(&stage, "b").await;
    let c = admit(&stage, "c").await;
    let ending = log.worker([run_completed()]).releasing(&["approve"]);
    assert_eq!(ending.ok().await.started, [a.run]);
    let next = stage.log(a.run);
    let expected = [
        arrived(&a, "a"),
        followed(&a, "b", &b),
        followed(&a, "c", &c),
    ];
    assert_eq!(next.events().await[2..], expected);
    assert!(!exists(&stage, &b).await && !exists(&stage, &c).await);

    // The run that they follow into may leave them too.
    next.worker([EventKind::RunStarted]).ok().await;
    let row = stage
        .token("approve")
        .await
        .expect("the run owns the token");
    let taken = Taken {
        hook: a.hook,
        count: 1,
        bytes: row.received_bytes / 3,
    };
    let mut ending = next
        .worker([run_completed()])
        .releasing(&["approve"])
        .request()
        .await;
    ending.mark.as_mut().expect("a worker ends it").taken = vec![taken];
    let answer = stage.store.append(ending).await.expect("the run ends");
    assert_eq!(answer.started, [b.run]);
    let expected = [arrived(&b, "b"), followed(&b, "c", &c)];
    assert_eq!(stage.log(b.run).events().await[2..], expected);
}

pub(super) async fn what_was_taken_does_not_follow(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let b = admit(&stage, "b").await;
    let ending = log
        .worker([run_completed()])
        .taking(1, 1, size(&payload("a")));
    let answer = ending.releasing(&["approve"]).ok().await;
    assert_eq!(answer.started, [b.run]);
    assert!(!exists(&stage, &a).await);
    let expected = [arrived(&b, "b")];
    assert_eq!(stage.log(b.run).events().await[2..], expected);
}

pub(super) async fn what_the_worker_did_not_know_of_is_dealt_with_too(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let ending = log.worker([hook_dropped(1), run_completed()]);
    let ending = ending.releasing(&["approve"]).request().await;
    let a = admit(&stage, "a").await;
    let answer = stage.store.append(ending).await.expect("the run ends");
    assert_eq!(answer.started, [a.run]);
}

pub(super) async fn a_payload_that_has_started_its_run_stays_there(stage: Stage<'_>) {
    let admitted = stage.admit("approve", "a").ok().await;
    let log = stage.log(admitted.hook.run);
    let ending = log.worker([run_failed()]).releasing(&["approve"]);
    assert_eq!(ending.ok().await.started, []);
    assert_eq!(unread(log).await, 1);
    assert_eq!(stage.token("approve").await, None);
}

pub(super) async fn a_token_made_anew_after_the_drop_is_in_conflict_with_the_run(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let passing = log.worker([hook_dropped(1), hook_created(2, "approve")]);
    let answer = passing.releasing(&["approve"]).ok().await;
    let expected = [hook_dropped(1), hook_conflict(2, "approve", a.run)];
    assert_eq!(answer.frames[0].events, expected);
    assert_eq!(answer.started, [a.run]);
    let held = stage.token("approve").await.map(|held| held.run);
    assert_eq!(held, Some(a.run));
}

pub(super) async fn what_was_posted_returns_for_its_remaining_time(stage: Stage<'_>) {
    stage.post("approve", "a").ok().await;
    let log = stage.with_hook(1, "approve").await;
    stage.clock(10);
    stage.post("approve", "b").ok().await;
    stage.clock(20);
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    let mail = stage.mail().await;
    let found: Vec<_> = mail
        .iter()
        .map(|mail| (mail.payload.clone(), mail.posted_at, mail.until))
        .collect();
    let expected = [
        (payload("a"), stage.at(0), stage.at(1_000)),
        (payload("b"), stage.at(10), stage.at(1_010)),
    ];
    assert_eq!(found, expected);
    assert_eq!(unread(log).await, 0);
    // Whoever opens the token next gets them.
    let next = stage.with_hook(2, "approve").await;
    let expected = [
        hook_received_until(2, "a", stage.at(1_000)),
        hook_received_until(2, "b", stage.at(1_010)),
    ];
    assert_eq!(next.events().await[3..], expected);
}

pub(super) async fn what_was_posted_stays_when_its_time_is_over(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.post("approve", "a").keep_for(100).ok().await;
    stage.clock(100);
    log.worker([run_completed()])
        .releasing(&["approve"])
        .ok()
        .await;
    assert_eq!(stage.mail().await, []);
    assert_eq!(unread(log).await, 1);
}

pub(super) async fn what_was_posted_follows_into_a_run(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.post("approve", "a").ok().await;
    let b = admit(&stage, "b").await;
    log.worker([run_completed()])
        .releasing(&["approve"])
        .ok()
        .await;
    let until = Some(stage.at(1_000));
    let mut first = arrived(&b, "a");
    if let EventKind::HookReceived { kept_until, .. } = &mut first {
        *kept_until = until;
    }
    let expected = [first, arrived(&b, "b")];
    assert_eq!(stage.log(b.run).events().await[2..], expected);
    assert_eq!(stage.mail().await, []);
}

pub(super) async fn a_hook_made_anew_gets_what_returned(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.post("approve", "a").ok().await;
    let passing = log.worker([hook_dropped(1), hook_created(2, "approve")]);
    let answer = passing.releasing(&["approve"]).ok().await;
    let expected = [
        hook_dropped(1),
        hook_created(2, "approve"),
        hook_received_until(2, "a", stage.at(1_000)),
    ];
    assert_eq!(answer.frames[0].events, expected);
    assert_eq!(stage.mail().await, []);
}

pub(super) async fn a_closed_hook_keeps_what_it_holds_until_the_run_ends(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let closing = log.worker([hook_closed(1)]).releasing(&["approve"]);
    assert_eq!(closing.ok().await.started, []);
    assert_eq!(stage.token("approve").await, None);
    let ending = log.worker([run_completed()]);
    assert_eq!(ending.ok().await.started, [a.run]);
}

pub(super) async fn a_closed_hook_keeps_what_it_holds_until_it_is_dropped(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    stage.deliver("approve", "b").ok().await;
    stage.post("approve", "c").ok().await;
    log.worker([hook_closed(1)])
        .releasing(&["approve"])
        .ok()
        .await;
    assert_eq!((unread(log).await, stage.mail().await.len()), (0, 0));
    let dropping = log.worker([hook_dropped(1)]).releasing(&["approve"]);
    assert_eq!(dropping.ok().await.started, [a.run]);
    assert_eq!(unread(log).await, 1);
    // What was posted follows into the run that begins.
    assert_eq!(stage.log(a.run).events().await.len(), 4);
    let ending = log.worker([run_completed()]);
    assert_eq!(ending.ok().await.started, [], "and it is dealt with once");
    assert_eq!(unread(log).await, 1);
}

pub(super) async fn what_was_read_of_a_closed_hook_does_not_go_with_its_drop(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let b = admit(&stage, "b").await;
    log.worker([hook_closed(1)])
        .releasing(&["approve"])
        .ok()
        .await;
    let dropping = log.worker([hook_dropped(1)]);
    let dropping = dropping.taking(1, 1, size(&payload("a")));
    assert_eq!(dropping.ok().await.started, [b.run]);
    assert!(!exists(&stage, &a).await);
}

pub(super) async fn an_expired_hook_keeps_what_it_holds_until_it_is_dropped(stage: Stage<'_>) {
    let log = stage.started().await;
    let until = hook_until(1, "approve", stage.at(100));
    log.worker([until]).ok().await;
    let a = admit(&stage, "a").await;
    stage.clock(100);
    let expiring = log.outsider([hook_expired(1)]).releasing(&["approve"]);
    assert_eq!(expiring.ok().await.started, []);
    let dropping = log.worker([hook_dropped(1)]);
    assert_eq!(dropping.ok().await.started, [a.run]);
}

pub(super) async fn what_is_read_after_the_close_is_not_unread(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    log.worker([hook_closed(1)])
        .releasing(&["approve"])
        .ok()
        .await;
    let reading = log.worker([step_created(1)]);
    reading.taking(1, 1, size(&payload("a"))).ok().await;
    let ending = log.worker([run_completed()]);
    assert_eq!(ending.ok().await.started, []);
    assert!(!exists(&stage, &a).await);
    assert_eq!(unread(log).await, 0);
}

pub(super) async fn what_an_outsider_ends_says_what_was_taken(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let b = admit(&stage, "b").await;
    let taken = Taken {
        hook: hook(1),
        count: 1,
        bytes: size(&payload("a")),
    };
    // The row knows it, and the log does not yet.
    log.worker([])
        .taking(1, taken.count, taken.bytes)
        .ok()
        .await;
    let ending = log.outsider([run_terminated()]).releasing(&["approve"]);
    let answer = ending.ok().await;
    assert_eq!(answer.started, [b.run]);
    assert!(!exists(&stage, &a).await);
    assert_eq!(answer.frames[0].taken, [taken]);
}

pub(super) async fn a_token_that_somebody_else_holds_leaves_the_payload_in_the_mailbox(
    stage: Stage<'_>,
) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    log.worker([hook_closed(1)])
        .releasing(&["approve"])
        .ok()
        .await;
    let other = stage.with_hook(2, "approve").await;
    let ending = log.worker([run_completed()]);
    assert_eq!(ending.ok().await.started, []);
    let kept = stage.mail().await;
    assert_eq!(kept[0].fallback.as_deref(), Some(&a));
    // Whoever opens the token next has it, and may leave it in turn.
    other
        .worker([run_completed()])
        .releasing(&["approve"])
        .ok()
        .await;
    let third = stage.with_hook(3, "approve").await;
    let expected = hook_received_or_start(3, "a", &a);
    assert_eq!(third.events().await[3..], [expected]);
    let ending = third.worker([run_completed()]).releasing(&["approve"]);
    assert_eq!(ending.ok().await.started, [a.run]);
}

pub(super) async fn one_token_of_two_hooks_starts_one_run(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let passing = log.worker([hook_closed(1), hook_created(2, "approve")]);
    passing.releasing(&["approve"]).ok().await;
    let b = admit(&stage, "b").await;
    let ending = log.worker([run_completed()]).releasing(&["approve"]);
    assert_eq!(ending.ok().await.started, [a.run]);
    let expected = [arrived(&a, "a"), followed(&a, "b", &b)];
    assert_eq!(stage.log(a.run).events().await[2..], expected);
}

pub(super) async fn a_repeated_end_starts_nothing_twice(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let a = admit(&stage, "a").await;
    let ending = log.worker([run_completed()]).releasing(&["approve"]);
    let ending = ending.request().await;
    let repeat = Append {
        repeat: true,
        ..ending.clone()
    };
    let first = stage.store.append(ending).await.expect("the run ends");
    let again = stage.store.append(repeat).await.expect("it has ended");
    assert_eq!(again.frames, first.frames);
    assert_eq!(stage.log(a.run).frames().await.len(), 1);
}
