//! A request that is repeated with the same ids after an unknown outcome gets the first answer.

use rewake_core::event::{EventKind, Frame};

use super::event::{
    cancel_requested, hook_created, hook_dropped, hook_expired, hook_until, run_completed,
    run_created, run_terminated, step_created, step_started,
};
use super::stage::{Log, Stage};
use crate::error::Failed;
use crate::request::{Append, Appended, Deliver, DeliverRefusal, Delivered};

async fn repeated(log: Log<'_>, request: Append) -> Appended {
    let request = Append {
        repeat: true,
        ..request
    };
    let answer = log.stage.store.append(request).await;
    answer.expect("the repeat is answered")
}

async fn sent(log: Log<'_>, request: &Append) -> (Appended, Vec<Frame>) {
    let answer = log.stage.store.append(request.clone()).await;
    let answer = answer.expect("the append succeeds");
    (answer, log.frames().await)
}

pub(super) async fn a_repeated_create_gets_the_first_answer(stage: Stage<'_>) {
    let request = stage.create([run_created()]).request;
    let first = stage.store.create(request.clone()).await;
    let again = stage.store.create(request).await;
    assert_eq!(again, first);
    let run = first.expect("the run is created").run;
    assert_eq!(stage.log(run).events().await, [run_created()]);
}

pub(super) async fn a_repeated_create_with_a_key_gets_the_first_answer(stage: Stage<'_>) {
    let request = stage.create([run_created()]).key("order-7", 1).request;
    let first = stage.store.create(request.clone()).await;
    assert_eq!(stage.store.create(request).await, first);
}

pub(super) async fn a_repeated_create_that_held_a_token_gets_the_first_answer(stage: Stage<'_>) {
    let events = [run_created(), hook_created(1, "approve")];
    let request = stage.create(events).request;
    let first = stage.store.create(request.clone()).await;
    assert_eq!(stage.store.create(request).await, first);
}

pub(super) async fn a_create_that_was_not_committed_is_done_on_repeat(stage: Stage<'_>) {
    let request = stage.create([run_created(), EventKind::RunStarted]).request;
    let answer = stage.store.create(request.clone()).await;
    let answer = answer.expect("the run is created");
    assert_eq!(answer.frame.map(|frame| frame.id), Some(request.id));
}

pub(super) async fn a_repeated_append_of_a_worker_gets_the_first_answer(stage: Stage<'_>) {
    let log = stage.started().await;
    let request = log.worker([step_created(1)]).request().await;
    let (first, frames) = sent(log, &request).await;
    assert_eq!(repeated(log, request).await, first);
    assert_eq!(log.frames().await, frames);
}

pub(super) async fn a_repeated_append_of_an_outsider_gets_the_first_answer(stage: Stage<'_>) {
    let log = stage.started().await;
    let request = log.outsider([cancel_requested()]).request().await;
    let (first, frames) = sent(log, &request).await;
    assert_eq!(repeated(log, request).await, first);
    assert_eq!(log.frames().await, frames);
}

pub(super) async fn what_came_after_the_first_try_does_not_change_the_answer(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    let request = log.worker([step_created(1)]).since(3).request().await;
    let (first, _) = sent(log, &request).await;
    stage.deliver("approve", "no").ok().await;
    log.worker([step_started(1)]).ok().await;
    let frames = log.frames().await;

    assert_eq!(repeated(log, request).await, first);
    assert_eq!(log.frames().await, frames);
}

pub(super) async fn a_conflict_stays_a_conflict_on_repeat(stage: Stage<'_>) {
    let owner = stage.with_hook(1, "approve").await;
    let log = stage.started().await;
    let request = log.worker([hook_created(2, "approve")]).request().await;
    let (first, _) = sent(log, &request).await;
    let ending = owner.worker([run_completed()]);
    ending.releasing(&["approve"]).ok().await;

    assert_eq!(repeated(log, request).await, first);
    assert_eq!(stage.token("approve").await, None);
}

pub(super) async fn an_append_is_found_after_the_end_of_its_run(stage: Stage<'_>) {
    let log = stage.started().await;
    let request = log.worker([step_created(1)]).request().await;
    let (first, _) = sent(log, &request).await;
    log.outsider([run_terminated()]).ok().await;
    assert_eq!(repeated(log, request).await, first);
}

pub(super) async fn a_mark_alone_may_be_repeated(stage: Stage<'_>) {
    let log = stage.started().await;
    let marking = log.worker([]).waking_at(stage.at(500));
    let request = marking.request().await;
    let (first, frames) = sent(log, &request).await;
    let row = log.row().await;
    assert_eq!(repeated(log, request).await, first);
    assert_eq!((log.row().await, log.frames().await), (row, frames));
}

pub(super) async fn a_create_is_found_after_its_token_has_passed_on(stage: Stage<'_>) {
    let events = [run_created(), hook_created(1, "approve")];
    let request = stage.create(events).request;
    let first = stage.store.create(request.clone()).await;
    let ending = stage.log(request.run).outsider([run_terminated()]);
    ending.releasing(&["approve"]).ok().await;
    let holder = stage.with_hook(2, "approve").await;

    assert_eq!(stage.store.create(request).await, first);

    let row = stage.token("approve").await.expect("the hook is live");
    assert_eq!(row.run, holder.run);
}

pub(super) async fn the_end_of_a_run_may_be_repeated(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let ending = log.worker([run_completed()]).releasing(&["approve"]);
    let request = ending.request().await;
    let (first, _) = sent(log, &request).await;
    assert_eq!(repeated(log, request).await, first);
}

pub(super) async fn an_append_that_was_not_committed_is_done_on_repeat(stage: Stage<'_>) {
    let log = stage.started().await;
    let request = log.worker([step_created(1)]).request().await;
    let answer = repeated(log, request.clone()).await;
    assert_eq!(answer.frames[0].id, request.id);
    assert_eq!(log.events().await.last(), Some(&step_created(1)));
}

async fn delivered(stage: &Stage<'_>, request: &Deliver) -> Delivered {
    let answer = stage.store.deliver(request.clone()).await;
    answer.expect("the payload is taken")
}

fn again(request: Deliver) -> Deliver {
    Deliver {
        repeat: true,
        ..request
    }
}

pub(super) async fn a_repeated_delivery_gets_the_first_answer(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let request = stage.deliver("approve", "yes").request;
    let first = delivered(&stage, &request).await;
    let frames = log.frames().await;
    assert_eq!(delivered(&stage, &again(request)).await, first);
    assert_eq!(log.frames().await, frames);
}

pub(super) async fn a_repeated_delivery_gets_the_first_answer_after_later_ones(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    stage.deliver("approve", "before").ok().await;
    let request = stage.deliver("approve", "yes").request;
    let first = delivered(&stage, &request).await;
    stage.deliver("approve", "later").ok().await;
    assert_eq!(delivered(&stage, &again(request)).await, first);
}

pub(super) async fn a_delivery_is_found_when_another_hook_of_its_run_has_the_token(
    stage: Stage<'_>,
) {
    let log = stage.with_hook(1, "approve").await;
    let request = stage.deliver("approve", "yes").request;
    let first = delivered(&stage, &request).await;
    let passing = [hook_dropped(1), hook_created(2, "approve")];
    log.worker(passing).releasing(&["approve"]).ok().await;
    assert_eq!(delivered(&stage, &again(request)).await, first);
}

pub(super) async fn a_repeated_delivery_with_a_key_gets_the_first_answer(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let request = stage.deliver("approve", "yes").key("k", 1).request;
    let first = delivered(&stage, &request).await;
    assert_eq!(delivered(&stage, &again(request)).await, first);
}

pub(super) async fn a_repeated_delivery_is_found_when_the_hook_is_full(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let request = stage.deliver("approve", "yes").limit(1, 1_000).request;
    let first = delivered(&stage, &request).await;
    assert_eq!(delivered(&stage, &again(request)).await, first);
}

pub(super) async fn a_repeated_delivery_is_found_when_the_hook_is_overdue(stage: Stage<'_>) {
    let log = stage.started().await;
    let until = hook_until(1, "approve", stage.at(100));
    log.worker([until]).ok().await;
    let request = stage.deliver("approve", "yes").request;
    let first = delivered(&stage, &request).await;
    stage.clock(100);
    assert_eq!(delivered(&stage, &again(request)).await, first);
}

pub(super) async fn a_keyed_delivery_is_found_when_the_hook_has_expired(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let request = stage.deliver("approve", "yes").key("k", 1).request;
    let first = delivered(&stage, &request).await;
    let expiring = log.outsider([hook_expired(1)]);
    expiring.releasing(&["approve"]).ok().await;
    assert_eq!(delivered(&stage, &again(request)).await, first);
}

pub(super) async fn a_delivery_that_was_not_committed_is_done_on_repeat(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let request = stage.deliver("approve", "yes").request;
    let answer = delivered(&stage, &again(request.clone())).await;
    assert_eq!(answer.frame.map(|frame| frame.id), Some(request.id));
}

/// What is wrong with this: the first try was committed, and the repeat is told that nothing was.
/// Nothing leads from a token whose hook has gone to its log; a key does, so retries need one.
pub(super) async fn a_keyless_delivery_is_not_found_once_the_hook_has_gone(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let request = stage.deliver("approve", "yes").request;
    delivered(&stage, &request).await;
    let expiring = log.outsider([hook_expired(1)]);
    expiring.releasing(&["approve"]).ok().await;
    let answer = stage.store.deliver(again(request)).await;
    assert_eq!(answer, Err(Failed::Refused(DeliverRefusal::NoHook)));
}

/// What is wrong with this: the payload is in two logs. The same reason, and the same remedy.
pub(super) async fn a_keyless_delivery_is_taken_anew_once_another_run_has_the_token(
    stage: Stage<'_>,
) {
    let log = stage.with_hook(1, "approve").await;
    let request = stage.deliver("approve", "yes").request;
    delivered(&stage, &request).await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    let other = stage.with_hook(2, "approve").await;
    assert_eq!(delivered(&stage, &again(request)).await.hook.run, other.run);
}
