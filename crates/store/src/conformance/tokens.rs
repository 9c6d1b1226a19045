//! One live hook per token.

use super::event::{
    hook, hook_closed, hook_conflict, hook_created, hook_dropped, run_completed, run_terminated,
    step_created,
};
use super::stage::{Log, Stage};
use crate::request::AppendRefusal;
use rewake_core::id::{HookId, RunId};

/// Who holds `approve`.
async fn holder(stage: &Stage<'_>) -> Option<(RunId, HookId)> {
    let row = stage.token("approve").await?;
    Some((row.run, row.hook))
}

async fn live_hooks(log: Log<'_>) -> u32 {
    log.row().await.live_hooks
}

pub(super) async fn a_hook_that_is_registered_holds_its_token(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    assert_eq!(holder(&stage).await, Some((log.run, hook(1))));
    assert_eq!(live_hooks(log).await, 1);
}

pub(super) async fn a_held_token_makes_a_conflict_that_names_the_owner(stage: Stage<'_>) {
    let owner = stage.with_hook(1, "approve").await;
    let log = stage.started().await;

    let answer = log.worker([hook_created(2, "approve")]).ok().await;

    let conflict = hook_conflict(2, "approve", owner.run);
    assert_eq!(answer.frames[0].events, [conflict]);
    assert_eq!(log.frames().await[1..], answer.frames);
    assert_eq!(holder(&stage).await, Some((owner.run, hook(1))));
    assert_eq!((live_hooks(log).await, live_hooks(owner).await), (0, 1));
}

pub(super) async fn a_run_is_in_conflict_with_itself_too(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let answer = log.worker([hook_created(2, "approve")]).ok().await;
    let conflict = hook_conflict(2, "approve", log.run);
    assert_eq!(answer.frames[0].events, [conflict]);
    assert_eq!(holder(&stage).await, Some((log.run, hook(1))));
}

pub(super) async fn of_two_hooks_in_one_append_the_first_holds_the_token(stage: Stage<'_>) {
    let log = stage.started().await;
    let both = [hook_created(1, "approve"), hook_created(2, "approve")];
    let answer = log.worker(both).ok().await;
    let expected = [
        hook_created(1, "approve"),
        hook_conflict(2, "approve", log.run),
    ];
    assert_eq!(answer.frames[0].events, expected);
    assert_eq!(holder(&stage).await, Some((log.run, hook(1))));
    assert_eq!(live_hooks(log).await, 1);
}

pub(super) async fn two_tokens_in_one_append_are_both_held(stage: Stage<'_>) {
    let log = stage.started().await;
    let both = [hook_created(1, "approve"), hook_created(2, "orders")];
    log.worker(both).ok().await;
    let orders = stage.token("orders").await.map(|row| row.hook);
    assert_eq!(holder(&stage).await, Some((log.run, hook(1))));
    assert_eq!(orders, Some(hook(2)));
    assert_eq!(live_hooks(log).await, 2);
}

pub(super) async fn a_hook_that_is_given_up_frees_its_token(stage: Stage<'_>) {
    let log = stage.started().await;
    for (n, given_up) in [(1, hook_dropped(1)), (2, hook_closed(2))] {
        log.worker([hook_created(n, "approve")]).ok().await;
        log.worker([given_up]).releasing(&["approve"]).ok().await;
        assert_eq!(holder(&stage).await, None);
        assert_eq!(live_hooks(log).await, 0);
    }
}

pub(super) async fn a_free_token_may_be_taken_by_another_run(stage: Stage<'_>) {
    let first = stage.with_hook(1, "approve").await;
    let dropping = first.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    let second = stage.with_hook(2, "approve").await;
    assert_eq!(holder(&stage).await, Some((second.run, hook(2))));
}

pub(super) async fn a_token_passes_from_hook_to_hook_in_one_append(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let passing = [hook_dropped(1), hook_created(2, "approve")];
    let answer = log.worker(passing).releasing(&["approve"]).ok().await;
    let expected = [hook_dropped(1), hook_created(2, "approve")];
    assert_eq!(answer.frames[0].events, expected);
    assert_eq!(holder(&stage).await, Some((log.run, hook(2))));
    assert_eq!(live_hooks(log).await, 1);
}

pub(super) async fn a_token_that_passed_on_has_nothing_unread(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    let passing = [hook_dropped(1), hook_created(2, "approve")];
    log.worker(passing).releasing(&["approve"]).ok().await;
    let row = stage.token("approve").await.expect("the hook is live");
    assert_eq!((row.received, row.received_bytes), (0, 0));
}

pub(super) async fn a_hook_made_before_the_old_one_is_given_up_is_in_conflict(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let crossing = [hook_created(2, "approve"), hook_dropped(1)];
    let answer = log.worker(crossing).releasing(&["approve"]).ok().await;
    let expected = [hook_conflict(2, "approve", log.run), hook_dropped(1)];
    assert_eq!(answer.frames[0].events, expected);
    assert_eq!(holder(&stage).await, None);
    assert_eq!(live_hooks(log).await, 0);
}

pub(super) async fn a_hook_made_and_given_up_in_one_append_never_holds_it(stage: Stage<'_>) {
    let log = stage.started().await;
    let brief = [hook_created(1, "approve"), hook_dropped(1)];
    let answer = log.worker(brief.clone()).releasing(&["approve"]).ok().await;
    assert_eq!(answer.frames[0].events, brief);
    assert_eq!(holder(&stage).await, None);
    assert_eq!(live_hooks(log).await, 0);
}

pub(super) async fn until_it_is_given_up_it_is_in_the_way_of_the_next(stage: Stage<'_>) {
    let log = stage.started().await;
    let crossing = [
        hook_created(1, "approve"),
        hook_created(2, "approve"),
        hook_dropped(1),
        hook_created(3, "approve"),
    ];
    let answer = log.worker(crossing).releasing(&["approve"]).ok().await;
    let expected = [
        hook_created(1, "approve"),
        hook_conflict(2, "approve", log.run),
        hook_dropped(1),
        hook_created(3, "approve"),
    ];
    assert_eq!(answer.frames[0].events, expected);
    assert_eq!(holder(&stage).await, Some((log.run, hook(3))));
    assert_eq!(live_hooks(log).await, 1);
}

pub(super) async fn giving_up_a_hook_in_conflict_leaves_the_owner_be(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let brief = [hook_created(2, "approve"), hook_dropped(2)];
    let answer = log.worker(brief).releasing(&["approve"]).ok().await;
    let expected = [hook_conflict(2, "approve", log.run), hook_dropped(2)];
    assert_eq!(answer.frames[0].events, expected);
    assert_eq!(holder(&stage).await, Some((log.run, hook(1))));
    assert_eq!(live_hooks(log).await, 1);
}

pub(super) async fn the_token_of_another_run_is_not_released(stage: Stage<'_>) {
    let owner = stage.with_hook(1, "approve").await;
    let log = stage.started().await;
    log.worker([hook_created(2, "approve")]).ok().await;
    let dropping = log.worker([hook_dropped(2)]);
    dropping.releasing(&["approve"]).ok().await;
    assert_eq!(holder(&stage).await, Some((owner.run, hook(1))));
    assert_eq!(live_hooks(owner).await, 1);
}

pub(super) async fn a_token_that_is_named_without_cause_is_not_released(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let unrelated = log.worker([step_created(1)]);
    unrelated.releasing(&["approve"]).ok().await;
    assert_eq!(holder(&stage).await, Some((log.run, hook(1))));
    assert_eq!(live_hooks(log).await, 1);
}

pub(super) async fn a_token_that_is_named_twice_is_released_once(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    log.worker([hook_created(2, "orders")]).ok().await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve", "approve"]).ok().await;
    assert_eq!(live_hooks(log).await, 1);
}

pub(super) async fn the_end_of_a_run_frees_its_tokens(stage: Stage<'_>) {
    for outsider in [false, true] {
        let log = stage.with_hook(1, "approve").await;
        log.worker([hook_created(2, "orders")]).ok().await;
        let ending = if outsider {
            log.outsider([run_terminated()])
        } else {
            log.worker([run_completed()])
        };
        ending.releasing(&["approve", "orders"]).ok().await;
        assert_eq!(holder(&stage).await, None);
        assert_eq!(stage.token("orders").await, None);
        assert_eq!(live_hooks(log).await, 0);
    }
}

pub(super) async fn an_end_that_leaves_tokens_behind_is_refused(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    log.worker([hook_created(2, "orders")]).ok().await;
    let ending = log.worker([run_completed()]).releasing(&["orders"]);
    let (run, left) = (log.run, 1);
    let expected = AppendRefusal::TokensLeft { run, left };
    assert_eq!(ending.refused().await, expected);
}

pub(super) async fn a_hook_made_by_the_append_that_ends_the_run_never_holds_it(stage: Stage<'_>) {
    let log = stage.started().await;
    let last = [hook_created(1, "approve"), run_completed()];
    let answer = log.worker(last.clone()).releasing(&["approve"]).ok().await;
    assert_eq!(answer.frames[0].events, last);
    assert_eq!(holder(&stage).await, None);
    assert_eq!(live_hooks(log).await, 0);
}

pub(super) async fn a_run_may_end_after_its_hook_was_in_conflict(stage: Stage<'_>) {
    let owner = stage.with_hook(1, "approve").await;
    let log = stage.started().await;
    log.worker([hook_created(2, "approve")]).ok().await;
    let ending = log.worker([run_completed()]);
    ending.releasing(&["approve"]).ok().await;
    assert_eq!(holder(&stage).await, Some((owner.run, hook(1))));
}
