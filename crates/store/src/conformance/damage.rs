//! What is stored is not what was written: it is reported, nothing is built on it, and what has
//! nothing to do with it is served.

use std::fmt::Debug;

use rewake_core::event::Position;

use super::event::{cancel_requested, token};
use super::harness::Injury;
use super::stage::{ALL, Log, Stage};
use crate::error::{Failed, StoreError};

fn is_corrupt<A: Debug>(answer: &Result<A, StoreError>) {
    let corrupt = matches!(answer, Err(StoreError::Corrupt { .. }));
    assert!(corrupt, "{answer:?}");
}

fn refuses<A: Debug, R: std::error::Error + 'static>(answer: Result<A, Failed<R>>) {
    is_corrupt(&answer.map_err(|failed| match failed {
        Failed::Store(error) => error,
        Failed::Refused(refusal) => panic!("{refusal}"),
    }));
}

/// Two runs, each with a hook: one is to be damaged, the other not.
async fn two<'s>(stage: &'s Stage<'_>) -> (Log<'s>, Log<'s>) {
    let damaged = stage.with_hook(1, "approve").await;
    (damaged, stage.with_hook(2, "orders").await)
}

async fn is_served(stage: &Stage<'_>, other: Log<'_>) {
    stage.deliver("orders", "yes").ok().await;
    other.outsider([cancel_requested()]).ok().await;
    assert_eq!(other.events().await.len(), 5);
}

pub(super) async fn a_log_is_not_read(stage: Stage<'_>) {
    let (damaged, other) = two(&stage).await;
    stage.injure(&Injury::Log(damaged.run));
    let frames = stage
        .store
        .frames(stage.scope, damaged.run, Position::START, ALL);
    is_corrupt(&frames.await);
    is_served(&stage, other).await;
}

pub(super) async fn a_run_takes_nothing(stage: Stage<'_>) {
    let (damaged, other) = two(&stage).await;
    let request = damaged.outsider([cancel_requested()]).request().await;
    stage.injure(&Injury::Run(damaged.run));
    is_corrupt(&stage.store.run(stage.scope, damaged.run).await);
    refuses(stage.store.append(request).await);
    let delivering = stage.deliver("approve", "yes").request;
    refuses(stage.store.deliver(delivering).await);
    is_served(&stage, other).await;
}

pub(super) async fn a_hook_takes_nothing(stage: Stage<'_>) {
    let (_, other) = two(&stage).await;
    stage.injure(&Injury::Hook(token("approve")));
    is_corrupt(&stage.store.token(stage.scope, token("approve")).await);
    let delivering = stage.deliver("approve", "yes").request;
    refuses(stage.store.deliver(delivering).await);
    is_served(&stage, other).await;
}
