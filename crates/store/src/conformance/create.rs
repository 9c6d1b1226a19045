//! How a log begins.

use std::collections::BTreeMap;

use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Frame, Position, Writer};

use super::event::{
    hook, hook_created, hook_received, hook_until, payload, run_created, size, token,
};
use super::stage::Stage;
use crate::request::{CreateRefusal, Created};
use crate::row::{RunRow, TokenRow};

pub(super) async fn a_log_begins_at_position_one(stage: Stage<'_>) {
    let creating = stage.create([run_created(), EventKind::RunStarted]);
    let (run, id) = (creating.request.run, creating.request.id);

    let created = creating.ok().await;

    let frame = Frame {
        first: Position(1),
        at: stage.at(0),
        id,
        writer: Writer::Outsider,
        events: vec![run_created(), EventKind::RunStarted],
        taken: Vec::new(),
    };
    let expected = Created {
        run,
        frame: Some(frame.clone()),
    };
    assert_eq!(created, expected);
    assert_eq!(stage.log(run).frames().await, [frame]);
}

pub(super) async fn the_row_of_a_new_run_says_what_the_log_says(stage: Stage<'_>) {
    let log = stage.started().await;
    let expected = RunRow {
        scope: stage.scope,
        workflow: "order".to_owned(),
        build: "build-1".to_owned(),
        status: RunStatus::Running,
        head: Position(2),
        worker: Position::START,
        reacted: Position::START,
        last_at: stage.at(0),
        wake_at: Some(stage.at(0)),
        crashes: 0,
        parked: None,
        live_hooks: 0,
        taken: Vec::new(),
        created_at: stage.at(0),
        ended_at: None,
        tail: Position(1),
        left: Vec::new(),
        fated: 0,
        unread: 0,
        parent: None,
        children: 0,
        attributes: BTreeMap::new(),
        node: None,
    };
    assert_eq!(log.row().await, expected);
}

pub(super) async fn a_run_that_has_not_begun_is_pending(stage: Stage<'_>) {
    let created = stage.create([run_created()]).ok().await;
    let row = stage.log(created.run).row().await;
    assert_eq!(row.status, RunStatus::Pending);
    assert_eq!(row.head, Position(1));
}

pub(super) async fn a_run_is_created_once(stage: Stage<'_>) {
    let log = stage.started().await;
    let mut again = stage.create([run_created()]);
    again.request.run = log.run;
    let expected = CreateRefusal::RunExists { run: log.run };
    assert_eq!(again.refused().await, expected);
}

pub(super) async fn the_same_key_finds_the_first_run(stage: Stage<'_>) {
    let first = stage.create([run_created()]).key("order-7", 1).ok().await;
    let second = stage.create([run_created()]);
    let never = second.request.run;

    let answer = second.key("order-7", 1).ok().await;

    let expected = Created {
        run: first.run,
        frame: None,
    };
    assert_eq!(answer, expected);
    assert_eq!(stage.store.run(stage.scope, never).await, Ok(None));
}

pub(super) async fn the_same_key_finds_a_run_that_has_ended(stage: Stage<'_>) {
    let first = stage.create([run_created()]).key("order-7", 1).ok().await;
    let log = stage.log(first.run);
    log.outsider([super::event::run_terminated()]).ok().await;
    let second = stage.create([run_created()]).key("order-7", 1).ok().await;
    assert_eq!(second.run, first.run);
}

pub(super) async fn the_same_key_with_other_arguments_is_refused(stage: Stage<'_>) {
    let first = stage.create([run_created()]).key("order-7", 1).ok().await;
    let second = stage.create([run_created()]).key("order-7", 2);
    let expected = CreateRefusal::KeyReused { run: first.run };
    assert_eq!(second.refused().await, expected);
}

pub(super) async fn a_refused_create_does_not_use_up_its_key(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    let refused = stage.create([run_created(), hook_created(2, "approve")]);
    refused.key("order-7", 1).refused().await;

    let second = stage.create([run_created()]);
    let run = second.request.run;
    assert_eq!(second.key("order-7", 2).ok().await.run, run);
}

pub(super) async fn a_log_may_begin_with_a_hook(stage: Stage<'_>) {
    let events = [run_created(), hook_created(1, "approve")];
    let created = stage.create(events).ok().await;
    let expected = TokenRow {
        scope: stage.scope,
        token: token("approve"),
        run: created.run,
        hook: hook(1),
        created_at: stage.at(0),
        metadata: None,
        is_webhook: false,
        chosen: true,
        expires_at: None,
        received: 0,
        received_bytes: 0,
        keyed: false,
    };
    assert_eq!(stage.token("approve").await, Some(expected));
    assert_eq!(stage.log(created.run).row().await.live_hooks, 1);
}

pub(super) async fn a_payload_that_comes_with_the_hook_counts_as_received(stage: Stage<'_>) {
    let events = [
        run_created(),
        hook_created(1, "approve"),
        hook_received(1, "yes"),
    ];
    stage.create(events).ok().await;
    let row = stage.token("approve").await.expect("the hook is live");
    assert_eq!(row.received, 1);
    assert_eq!(row.received_bytes, size(&payload("yes")));
}

pub(super) async fn a_held_token_refuses_the_log(stage: Stage<'_>) {
    let owner = stage.with_hook(1, "approve").await.run;
    let creating = stage.create([run_created(), hook_created(2, "approve")]);
    let expected = CreateRefusal::TokenTaken { owner };
    assert_eq!(creating.refused().await, expected);
}

pub(super) async fn one_token_twice_refuses_the_log(stage: Stage<'_>) {
    let creating = stage.create([
        run_created(),
        hook_created(1, "approve"),
        hook_created(2, "approve"),
    ]);
    let expected = CreateRefusal::TokenTaken {
        owner: creating.request.run,
    };
    assert_eq!(creating.refused().await, expected);
}

pub(super) async fn a_token_held_past_its_time_must_be_expired_first(stage: Stage<'_>) {
    let log = stage.started().await;
    let until = hook_until(1, "approve", stage.at(100));
    log.worker([until]).ok().await;
    stage.clock(100);
    let creating = stage.create([run_created(), hook_created(2, "approve")]);
    let expected = CreateRefusal::HookOverdue {
        run: log.run,
        hook: hook(1),
        token: token("approve"),
    };
    assert_eq!(creating.refused().await, expected);
}
