//! A payload that a live hook takes, or that starts a run.

use std::collections::BTreeMap;

use rewake_core::entity::RunStatus;
use rewake_core::event::{CreatedBy, EventKind, Fallback, Frame, Position, Writer};

use super::event::{
    self, hook, hook_received_or_start, hook_until, payload, run_created, size, webhook_created,
};
use super::stage::Stage;
use crate::admission::{Admit, AdmitRefusal, Admitted};
use crate::row::TokenRow;

/// The events with which the run of a fallback begins, before what it received.
pub(super) fn beginning(fallback: &Fallback, name: &str) -> [EventKind; 2] {
    [
        EventKind::RunCreated {
            workflow: fallback.workflow.clone(),
            input: fallback.input.clone(),
            build: fallback.build.clone(),
            seed: fallback.seed,
            flags: fallback.flags,
            parent: None,
            not_before: None,
            continued_from: None,
            attributes: BTreeMap::new(),
            created_by: CreatedBy::Admission,
        },
        EventKind::HookCreated {
            hook: fallback.hook,
            token: event::token(name),
            chosen: true,
            metadata: None,
            is_webhook: false,
            expires_at: None,
        },
    ]
}

/// A payload that has come to the run it started.
pub(super) fn arrived(fallback: &Fallback, text: &str) -> EventKind {
    EventKind::HookReceived {
        hook: fallback.hook,
        payload: payload(text),
        key: None,
        fallback: None,
        kept_until: None,
    }
}

pub(super) async fn a_token_that_nobody_holds_starts_a_run_that_owns_it(stage: Stage<'_>) {
    stage.clock(10);
    let admitting = stage.admit("approve", "yes");
    let fallback = admitting.request.fallback.clone();

    let admitted = admitting.ok().await;

    let mut events = beginning(&fallback, "approve").to_vec();
    events.extend([arrived(&fallback, "yes"), EventKind::RunStarted]);
    let frame = Frame {
        first: Position(1),
        at: stage.at(10),
        id: fallback.event,
        writer: Writer::Outsider,
        events,
        taken: Vec::new(),
    };
    let expected = Admitted {
        hook: TokenRow {
            scope: stage.scope,
            token: event::token("approve"),
            run: fallback.run,
            hook: fallback.hook,
            created_at: stage.at(10),
            metadata: None,
            is_webhook: false,
            chosen: true,
            expires_at: None,
            received: 1,
            received_bytes: size(&payload("yes")),
            keyed: false,
        },
        started: true,
        position: Position(3),
        event: fallback.event.plus(2),
        frame: Some(frame.clone()),
    };
    assert_eq!(admitted, expected);
    let log = stage.log(fallback.run);
    assert_eq!(log.frames().await, [frame]);
    assert_eq!(stage.token("approve").await, Some(expected.hook));
    assert_eq!(log.wake_up().await, Some(stage.at(10)));
    let row = log.row().await;
    assert_eq!((row.status, row.live_hooks), (RunStatus::Running, 1));
}

pub(super) async fn a_run_that_is_not_at_hand_begins_later(stage: Stage<'_>) {
    let mut admitting = stage.admit("approve", "yes");
    admitting.request.begins = false;
    let run = admitting.run();
    admitting.ok().await;
    let log = stage.log(run);
    assert_eq!(log.row().await.status, RunStatus::Pending);
    assert_eq!(log.events().await.len(), 3);
    assert_eq!(log.wake_up().await, Some(stage.at(0)));
}

pub(super) async fn a_live_hook_takes_the_payload(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let admitting = stage.admit("approve", "yes");
    let fallback = admitting.request.fallback.clone();

    let admitted = admitting.ok().await;

    assert!(!admitted.started);
    assert_eq!(
        (admitted.hook.run, admitted.position),
        (log.run, Position(4))
    );
    let expected = hook_received_or_start(1, "yes", &fallback);
    assert_eq!(log.events().await.last(), Some(&expected));
    let named = stage.store.run(stage.scope, fallback.run).await;
    assert_eq!(named, Ok(None));
}

pub(super) async fn of_two_for_one_token_the_first_starts_the_run(stage: Stage<'_>) {
    let first = stage.admit("approve", "a").ok().await;
    let second = stage.admit("approve", "b").ok().await;
    assert!(first.started && !second.started);
    assert_eq!(second.hook.run, first.hook.run);
    assert_eq!(second.hook.received, 2);
}

pub(super) async fn a_webhook_is_not_admitted_to(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([webhook_created(1, "approve")]).ok().await;
    let refusal = stage.admit("approve", "yes").refused().await;
    assert_eq!(refusal, AdmitRefusal::WrongDoor);
}

pub(super) async fn an_overdue_hook_must_be_expired_first(stage: Stage<'_>) {
    let log = stage.started().await;
    let until = hook_until(1, "approve", stage.at(100));
    log.worker([until]).ok().await;
    stage.clock(100);
    let (run, hook) = (log.run, hook(1));
    let expected = AdmitRefusal::HookOverdue { run, hook };
    assert_eq!(stage.admit("approve", "yes").refused().await, expected);
    let expiring = log.outsider([event::hook_expired(1)]);
    expiring.releasing(&["approve"]).ok().await;
    assert!(stage.admit("approve", "yes").ok().await.started);
}

pub(super) async fn a_hook_that_is_full_takes_no_more(stage: Stage<'_>) {
    stage.admit("approve", "a").ok().await;
    let refusal = stage.admit("approve", "b").limit(1, 1_000).refused().await;
    let bytes = size(&payload("a"));
    assert_eq!(refusal, AdmitRefusal::Full { count: 1, bytes });
}

pub(super) async fn the_same_key_gets_the_same_answer(stage: Stage<'_>) {
    let first = stage.admit("approve", "yes").key("k", 1).ok().await;
    stage.admit("approve", "other").key("j", 2).ok().await;
    let again = stage.admit("approve", "yes").key("k", 1).ok().await;
    let expected = Admitted {
        frame: None,
        ..first.clone()
    };
    assert_eq!(again, expected);
    let second = stage.admit("approve", "other").key("j", 2).ok().await;
    assert!(!second.started);

    // Also when the run has ended, and nobody has the token.
    let log = stage.log(first.hook.run);
    log.outsider([event::run_terminated()])
        .releasing(&["approve"])
        .ok()
        .await;
    let again = stage.admit("approve", "yes").key("k", 1).ok().await;
    assert_eq!(again, expected);
}

pub(super) async fn the_same_key_finds_what_a_delivery_took(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").key("k", 1).ok().await;
    let ending = log.worker([event::run_completed()]);
    ending.releasing(&["approve"]).ok().await;
    let admitted = stage.admit("approve", "yes").key("k", 1).ok().await;
    assert_eq!((admitted.started, admitted.hook.run), (false, log.run));
}

pub(super) async fn the_same_key_with_another_payload_is_refused(stage: Stage<'_>) {
    stage.admit("approve", "yes").key("k", 1).ok().await;
    let refusal = stage.admit("approve", "no").key("k", 2).refused().await;
    assert_eq!(refusal, AdmitRefusal::KeyReused);
}

pub(super) async fn a_repeated_admission_gets_the_first_answer(stage: Stage<'_>) {
    for key in [None, Some("k")] {
        let mut admitting = stage.admit("approve", "yes");
        if let Some(key) = key {
            admitting = admitting.key(key, 1);
        }
        let request = admitting.request.clone();
        let first = admitting.ok().await;
        stage
            .log(first.hook.run)
            .outsider([event::run_terminated()])
            .releasing(&["approve"])
            .ok()
            .await;
        let repeat = Admit {
            repeat: true,
            ..request
        };
        assert_eq!(stage.store.admit(repeat).await, Ok(first), "{key:?}");
    }
}

pub(super) async fn a_repeated_admission_is_not_taken_by_the_hook_it_began(stage: Stage<'_>) {
    for key in [None, Some("k")] {
        let mut admitting = stage.admit("approve", "yes");
        if let Some(key) = key {
            admitting = admitting.key(key, 1);
        }
        let request = admitting.request.clone();
        let first = admitting.ok().await;
        let log = stage.log(first.hook.run);
        let before = log.events().await;
        let repeat = Admit {
            repeat: true,
            ..request
        };
        assert_eq!(stage.store.admit(repeat).await, Ok(first), "{key:?}");
        assert_eq!(log.events().await, before, "{key:?}");
        log.outsider([event::run_terminated()])
            .releasing(&["approve"])
            .ok()
            .await;
    }
}

pub(super) async fn a_run_that_another_request_made_is_in_the_way(stage: Stage<'_>) {
    let run = stage.create([run_created()]).ok().await.run;
    let mut admitting = stage.admit("approve", "yes");
    admitting.request.fallback.run = run;
    assert_eq!(admitting.refused().await, AdmitRefusal::RunExists { run });
}

pub(super) async fn each_environment_starts_its_own(stage: Stage<'_>) {
    let here = stage.admit("approve", "yes").ok().await;
    let there = stage.admit("approve", "yes").within(stage.elsewhere);
    let there = there.ok().await;
    assert!(there.started);
    assert_ne!(there.hook.run, here.hook.run);
    let seen = stage.store.run(stage.scope, there.hook.run).await;
    assert_eq!(seen, Ok(None));
}
