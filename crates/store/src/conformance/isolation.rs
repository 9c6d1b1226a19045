//! No request sees or changes what belongs to another project or environment.

use rewake_core::event::{EventKind, Position};

use super::event::{cancel_requested, hook_created, payload, run_created, step_created, token};
use super::request::{answer, answer_refused};
use super::stage::{ALL, Log, Stage};
use crate::error::Failed;
use crate::request::{
    Answer, AnswerRefusal, Append, AppendRefusal, CreateRefusal, Deliver, DeliverRefusal,
};
use crate::role::{RunFilter, RunPage};
use crate::row::{ChunkRow, Parked};

pub(super) async fn a_project_and_environment_keep_their_number(stage: Stage<'_>) {
    let name = |text: &str| text.to_owned();
    let again = stage.store.scope(name("shop"), name("production")).await;
    assert_eq!(again, Ok(stage.scope));
    let again = stage.store.scope(name("shop"), name("staging")).await;
    assert_eq!(again, Ok(stage.elsewhere));
    assert_ne!(stage.scope, stage.elsewhere);
    let other = stage.store.scope(name("bank"), name("production")).await;
    assert!(other.is_ok_and(|other| other != stage.scope && other != stage.elsewhere));
}

pub(super) async fn runs_and_their_logs_are_not_seen(stage: Stage<'_>) {
    let log = stage.started().await;
    let (store, elsewhere) = (&stage.store, stage.elsewhere);
    assert_eq!(store.run(elsewhere, log.run).await, Ok(None));
    let frames = store.frames(elsewhere, log.run, Position::START, ALL);
    assert_eq!(frames.await, Ok(Vec::new()));
    let both = store.run_with_log(elsewhere, log.run, ALL);
    assert_eq!(both.await, Ok(None));
    let runs = store.runs(elsewhere, RunFilter::default(), None, ALL);
    assert_eq!(runs.await, Ok(RunPage::default()));
}

pub(super) async fn wake_ups_and_parked_runs_are_not_seen(stage: Stage<'_>) {
    stage.started().await;
    let parked = stage.started().await;
    let parking = parked.worker([]).parking(Parked {
        build: "build-1".to_owned(),
        code: "DIVERGED".to_owned(),
        reason: "reason".to_owned(),
        at: stage.at(0),
        before: Vec::new(),
    });
    parking.ok().await;
    let (store, elsewhere) = (&stage.store, stage.elsewhere);
    let due = store.due(elsewhere, None, stage.at(1_000), ALL).await;
    assert_eq!(due, Ok(Vec::new()));
    assert_eq!(store.parked(elsewhere, None, ALL).await, Ok(Vec::new()));
}

pub(super) async fn nothing_is_appended(stage: Stage<'_>) {
    let log = stage.started().await;
    for appending in [
        log.worker([step_created(1)]),
        log.outsider([cancel_requested()]),
        log.worker([]),
    ] {
        let refusal = appending.within(stage.elsewhere).refused().await;
        assert_eq!(refusal, AppendRefusal::RunUnknown { run: log.run });
    }
}

pub(super) async fn nothing_is_delivered(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let delivering = stage.deliver("approve", "yes").within(stage.elsewhere);
    assert_eq!(delivering.refused().await, DeliverRefusal::NoHook);
    let row = stage.store.token(stage.elsewhere, token("approve")).await;
    assert_eq!(row, Ok(None));
}

pub(super) async fn hooks_are_not_listed(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let (store, elsewhere) = (&stage.store, stage.elsewhere);
    let listed = store.chosen_tokens(elsewhere, String::new(), None, ALL);
    assert_eq!(listed.await, Ok(Vec::new()));
}

pub(super) async fn nothing_is_answered(stage: Stage<'_>) {
    let log = stage.started().await;
    let expected = AnswerRefusal::RunEnded { run: log.run };
    let refusal = answer_refused(&stage, answer_elsewhere(log)).await;
    assert_eq!(refusal, expected);
}

pub(super) async fn an_answer_is_not_seen(stage: Stage<'_>) {
    let log = stage.started().await;
    let here = Answer {
        scope: stage.scope,
        ..answer_elsewhere(log)
    };
    answer(&stage, here).await;
    let refusal = answer_refused(&stage, answer_elsewhere(log)).await;
    assert_eq!(refusal, AnswerRefusal::RunEnded { run: log.run });
    let stream = "answer".to_owned();
    let chunk = stage.store.first_chunk(stage.elsewhere, log.run, stream);
    assert_eq!(chunk.await, Ok(None));
}

fn answer_elsewhere(log: Log<'_>) -> Answer {
    Answer {
        scope: log.stage.elsewhere,
        run: log.run,
        stream: "answer".to_owned(),
        chunk: ChunkRow {
            writer: Some(super::event::step(1)),
            payload: payload("202"),
        },
    }
}

pub(super) async fn no_unclean_end_is_counted(stage: Stage<'_>) {
    let log = stage.started().await;
    let counted = stage.store.count_crashes(stage.elsewhere, vec![log.run]);
    assert_eq!(counted.await, Ok(vec![0]));
    assert_eq!(log.row().await.crashes, 0);
}

pub(super) async fn one_token_may_be_live_in_both(stage: Stage<'_>) {
    let here = stage.with_hook(1, "approve").await;
    let events = [
        run_created(),
        EventKind::RunStarted,
        hook_created(2, "approve"),
    ];
    let there = stage.create(events).within(stage.elsewhere).ok().await;
    let to_here = stage.deliver("approve", "yes").ok().await;
    let to_there = stage.deliver("approve", "yes").within(stage.elsewhere);
    let to_there = to_there.ok().await;
    assert_eq!(to_here.hook.run, here.run);
    assert_eq!(to_there.hook.run, there.run);
}

pub(super) async fn the_end_of_a_run_leaves_the_other_token_be(stage: Stage<'_>) {
    let here = stage.with_hook(1, "approve").await;
    let events = [run_created(), hook_created(2, "approve")];
    stage.create(events).within(stage.elsewhere).ok().await;
    let ending = here.worker([super::event::run_completed()]);
    ending.releasing(&["approve"]).ok().await;
    let left = stage.store.token(stage.elsewhere, token("approve")).await;
    assert!(left.is_ok_and(|row| row.is_some()));
}

pub(super) async fn delivery_keys_are_apart(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let events = [run_created(), hook_created(2, "approve")];
    let there = stage.create(events).within(stage.elsewhere).ok().await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    let other = stage.deliver("approve", "no").key("k", 2);
    let delivered = other.within(stage.elsewhere).ok().await;
    assert_eq!(delivered.hook.run, there.run);
}

pub(super) async fn a_repeat_is_not_answered(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let append = log.worker([step_created(1)]).request().await;
    let deliver = stage.deliver("approve", "yes").key("k", 1).request;
    let first = stage.store.append(append.clone()).await;
    first.expect("the append succeeds");
    let first = stage.store.deliver(deliver.clone()).await;
    first.expect("the payload is taken");
    let (scope, repeat) = (stage.elsewhere, true);
    let answer = stage.store.append(Append {
        scope,
        repeat,
        ..append
    });
    let unknown = AppendRefusal::RunUnknown { run: log.run };
    assert_eq!(answer.await, Err(Failed::Refused(unknown)));
    let answer = stage.store.deliver(Deliver {
        scope,
        repeat,
        ..deliver
    });
    assert_eq!(answer.await, Err(Failed::Refused(DeliverRefusal::NoHook)));
}

pub(super) async fn start_keys_are_apart(stage: Stage<'_>) {
    let here = stage.create([run_created()]).key("order-7", 1).ok().await;
    let there = stage.create([run_created()]).key("order-7", 2);
    let there = there.within(stage.elsewhere).ok().await;
    assert_ne!(there.run, here.run);
}

pub(super) async fn a_run_of_another_environment_is_not_handed_out(stage: Stage<'_>) {
    let creating = stage.create([run_created()]);
    let request = creating.request.clone();
    creating.ok().await;
    let mut again = stage.create([run_created()]).within(stage.elsewhere);
    (again.request.run, again.request.id) = (request.run, request.id);
    let expected = CreateRefusal::RunExists { run: request.run };
    assert_eq!(again.refused().await, expected);
}
