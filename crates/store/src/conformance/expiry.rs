//! Hooks past their time: the clock decides when, the log decides whether.

use rewake_core::event::Position;

use super::event::{
    hook, hook_conflict, hook_created, hook_dropped, hook_expired, hook_until, token,
};
use super::stage::{Log, Stage};
use crate::request::{AppendRefusal, Condition, DeliverRefusal};

/// A run whose hook 1 holds `approve` until 100.
async fn with_hook_until_100<'s>(stage: &'s Stage<'_>) -> Log<'s> {
    let log = stage.started().await;
    let until = hook_until(1, "approve", stage.at(100));
    log.worker([until]).ok().await;
    log
}

/// What whoever finds the hook overdue does.
async fn expire(log: Log<'_>) {
    let hook_live = Condition::HookLive {
        hook: hook(1),
        token: token("approve"),
    };
    let expiry = log.outsider([hook_expired(1)]).when(hook_live);
    expiry.releasing(&["approve"]).ok().await;
}

pub(super) async fn until_its_time_a_hook_takes_payloads(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(99);
    let delivered = stage.deliver("approve", "yes").ok().await;
    assert_eq!(delivered.hook.run, log.run);
}

pub(super) async fn an_overdue_hook_takes_no_payload(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(100);
    let expected = DeliverRefusal::HookOverdue {
        run: log.run,
        hook: hook(1),
    };
    assert_eq!(stage.deliver("approve", "yes").refused().await, expected);
}

pub(super) async fn a_hook_is_overdue_by_the_time_of_its_log(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(100);
    log.outsider([super::event::cancel_requested()]).ok().await;
    stage.clock(50);
    let expected = DeliverRefusal::HookOverdue {
        run: log.run,
        hook: hook(1),
    };
    assert_eq!(stage.deliver("approve", "yes").refused().await, expected);
}

pub(super) async fn an_overdue_hook_is_live_until_the_log_says_otherwise(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(100);
    let row = stage.token("approve").await.expect("the hook is live");
    assert_eq!(row.expires_at, Some(stage.at(100)));
    expire(log).await;
    assert_eq!(stage.token("approve").await, None);
    assert_eq!(log.row().await.live_hooks, 0);
}

pub(super) async fn an_expired_hook_takes_no_payload(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(100);
    expire(log).await;
    let refusal = stage.deliver("approve", "yes").refused().await;
    assert_eq!(refusal, DeliverRefusal::NoHook);
}

pub(super) async fn of_two_that_expire_a_hook_the_second_is_refused(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(100);
    expire(log).await;
    let hook_live = Condition::HookLive {
        hook: hook(1),
        token: token("approve"),
    };
    let again = log.outsider([hook_expired(1)]).when(hook_live);
    let refusal = again.releasing(&["approve"]).refused().await;
    assert_eq!(refusal, AppendRefusal::HookGone { hook: hook(1) });
}

pub(super) async fn until_its_time_a_hook_keeps_its_token_from_others(stage: Stage<'_>) {
    let owner = with_hook_until_100(&stage).await;
    let log = stage.started().await;
    stage.clock(99);
    let answer = log.worker([hook_created(2, "approve")]).ok().await;
    let conflict = hook_conflict(2, "approve", owner.run);
    assert_eq!(answer.frames[0].events, [conflict]);
}

pub(super) async fn a_token_held_past_its_time_must_be_expired_first(stage: Stage<'_>) {
    let owner = with_hook_until_100(&stage).await;
    let log = stage.started().await;
    stage.clock(100);
    let wanting = log.worker([hook_created(2, "approve")]);
    let expected = AppendRefusal::HookOverdue {
        run: owner.run,
        hook: hook(1),
        token: token("approve"),
    };
    assert_eq!(wanting.refused().await, expected);

    expire(owner).await;

    log.worker([hook_created(2, "approve")]).ok().await;
    let row = stage.token("approve").await.expect("the hook is live");
    assert_eq!((row.run, row.hook), (log.run, hook(2)));
}

pub(super) async fn a_run_must_expire_its_own_overdue_hook_first(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(100);
    let refusal = log.worker([hook_created(2, "approve")]).refused().await;
    assert!(matches!(refusal, AppendRefusal::HookOverdue { .. }));
}

pub(super) async fn an_overdue_hook_may_still_be_given_up(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(100);
    let passing = [hook_dropped(1), hook_created(2, "approve")];
    log.worker(passing).releasing(&["approve"]).ok().await;
    let row = stage.token("approve").await.expect("the hook is live");
    assert_eq!(row.hook, hook(2));
}

pub(super) async fn a_hook_that_was_due_when_it_was_made_is_in_the_way(stage: Stage<'_>) {
    let log = stage.started().await;
    let both = [
        hook_until(1, "approve", stage.at(0)),
        hook_created(2, "approve"),
    ];
    let answer = log.worker(both).ok().await;
    let expected = [
        hook_until(1, "approve", stage.at(0)),
        hook_conflict(2, "approve", log.run),
    ];
    assert_eq!(answer.frames[0].events, expected);
}

pub(super) async fn giving_up_a_hook_that_has_expired_leaves_its_successor_be(stage: Stage<'_>) {
    let log = with_hook_until_100(&stage).await;
    stage.clock(100);
    expire(log).await;
    log.worker([hook_created(2, "approve")]).ok().await;

    let late = log.worker([hook_dropped(1)]);
    let answer = late.releasing(&["approve"]).ok().await;

    assert_eq!(answer.head, Position(6));
    let row = stage.token("approve").await.expect("the hook is live");
    assert_eq!(row.hook, hook(2));
    assert_eq!(log.row().await.live_hooks, 1);
}
