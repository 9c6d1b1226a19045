//! What was acknowledged is there when the store is opened again.

use super::event::{hook_created, payload, run_created, step, step_created};
use super::observe;
use super::request::answer;
use super::stage::Stage;
use crate::request::{Answer, CreateRefusal, DeliverRefusal};
use crate::row::ChunkRow;

pub(super) async fn everything_that_can_be_seen_is_there(mut stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    log.worker([step_created(1)]).taking(1, 1, 10).ok().await;
    let events = [run_created(), hook_created(2, "approve")];
    stage.create(events).within(stage.elsewhere).ok().await;
    let request = Answer {
        scope: stage.scope,
        run: log.run,
        stream: "answer".to_owned(),
        chunk: ChunkRow {
            writer: Some(step(1)),
            payload: payload("202"),
        },
    };
    answer(&stage, request).await;
    let before = observe::everything(&stage).await;
    if stage.reopen().await {
        assert_eq!(observe::everything(&stage).await, before);
    }
}

pub(super) async fn scopes_keep_their_numbers(mut stage: Stage<'_>) {
    if stage.reopen().await {
        let again = stage.store.scope("shop".to_owned(), "staging".to_owned());
        assert_eq!(again.await, Ok(stage.elsewhere));
        let again = stage
            .store
            .scope("shop".to_owned(), "production".to_owned());
        assert_eq!(again.await, Ok(stage.scope));
    }
}

pub(super) async fn keys_are_remembered(mut stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let started = stage.create([run_created()]).key("order-7", 1).ok().await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    if stage.reopen().await {
        let refused = stage.create([run_created()]).key("order-7", 2);
        let expected = CreateRefusal::KeyReused { run: started.run };
        assert_eq!(refused.refused().await, expected);
        let refused = stage.deliver("approve", "no").key("k", 2).refused().await;
        assert_eq!(refused, DeliverRefusal::KeyReused);
    }
}

pub(super) async fn the_mailbox_is_remembered(mut stage: Stage<'_>) {
    stage.post("approve", "a").ok().await;
    stage.post("approve", "b").ok().await;
    let kept = stage.mail().await;
    if stage.reopen().await {
        assert_eq!(stage.mail().await, kept);
        stage.post("approve", "c").ok().await;
        let log = stage.with_hook(1, "approve").await;
        assert_eq!(log.events().await.len(), 6);
    }
}

pub(super) async fn logs_go_on_where_they_ended(mut stage: Stage<'_>) {
    let run = stage.with_hook(1, "approve").await.run;
    if stage.reopen().await {
        let log = stage.log(run);
        log.worker([step_created(1)]).ok().await;
        let delivered = stage.deliver("approve", "yes").ok().await;
        assert_eq!(delivered.position.0, 5);
    }
}

pub(super) async fn sessions_that_did_not_end_are_remembered(mut stage: Stage<'_>) {
    stage.store.begin_session().await.expect("it begins");
    if stage.reopen().await {
        assert_eq!(stage.store.begin_session().await, Ok(1));
    }
}
