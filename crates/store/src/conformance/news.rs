//! News: what a node is told that others did. Only what is told can be asserted; what is not told is
//! found by claims.

use super::children::with_child;
use super::event::{cancel_requested, run_completed, run_created, run_terminated, step_created};
use super::nodes::LEASE_MS;
use super::stage::{Log, Stage};
use crate::error::StoreError;
use crate::nodes::News;
use crate::row::{NodeId, Parked};

impl Stage<'_> {
    /// What the node hears until it has heard this.
    async fn hears(&self, node: NodeId, awaited: News) -> Vec<News> {
        let mut heard = Vec::new();
        while !heard.contains(&awaited) {
            let news = self.store.heard(node).await.expect("the node hears");
            assert!(!news.is_empty(), "it resolves when there is something");
            heard.extend(news);
        }
        heard
    }
}

async fn log_of(log: Log<'_>) -> News {
    News::Log {
        run: log.run,
        head: log.row().await.head,
    }
}

pub(super) async fn a_node_hears_what_others_add_to_its_runs(stage: Stage<'_>) {
    let node = stage.node().await;
    let log = stage.run_of(node).await;
    log.outsider([cancel_requested()]).ok().await;
    stage.hears(node, log_of(log).await).await;
}

pub(super) async fn a_node_hears_that_its_run_was_ended(stage: Stage<'_>) {
    let node = stage.node().await;
    let log = stage.run_of(node).await;
    log.outsider([run_terminated()]).ok().await;
    stage.hears(node, log_of(log).await).await;
}

pub(super) async fn a_node_hears_that_a_child_has_ended(stage: Stage<'_>) {
    let node = stage.node().await;
    let parent = stage.started().await;
    let child = with_child(parent).await;
    parent.worker([]).at(node).ok().await;
    child.worker([run_completed()]).ok().await;
    let run = parent.run;
    stage.hears(node, News::Owed { run }).await;
}

pub(super) async fn a_node_does_not_hear_what_it_did_itself(stage: Stage<'_>) {
    let node = stage.node().await;
    let (own, other) = (stage.run_of(node).await, stage.run_of(node).await);
    own.worker([step_created(2)]).at(node).ok().await;
    other.outsider([cancel_requested()]).ok().await;
    let heard = stage.hears(node, log_of(other).await).await;
    let is_own = |news: &News| matches!(news, News::Log { run, .. } if *run == own.run);
    assert!(!heard.iter().any(is_own), "{heard:?}");
}

pub(super) async fn every_node_hears_of_what_nobody_has(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    stage.create([run_created()]).ok().await;
    stage.hears(one, News::Cold).await;
    stage.hears(other, News::Cold).await;
}

pub(super) async fn every_node_hears_of_what_a_dead_node_had(stage: Stage<'_>) {
    let dead = stage.node().await;
    let log = stage.run_of(dead).await;
    stage.clock(LEASE_MS);
    let (one, other) = (stage.node().await, stage.node().await);
    log.outsider([cancel_requested()]).ok().await;
    stage.hears(one, News::Cold).await;
    stage.hears(other, News::Cold).await;
}

pub(super) async fn every_node_hears_of_a_run_that_was_parked(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    let log = stage.run_of(one).await;
    let parked = Parked {
        build: "build-3".to_owned(),
        code: "DIVERGED".to_owned(),
        reason: "position 3".to_owned(),
        at: stage.at(0),
        before: Vec::new(),
    };
    log.worker([]).at(one).parking(parked).ok().await;
    stage.hears(other, News::Cold).await;
}

pub(super) async fn every_node_hears_of_what_another_has_left(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    stage.leave(one, &[]).await;
    stage.hears(other, News::Cold).await;
}

pub(super) async fn what_was_not_heard_is_kept(stage: Stage<'_>) {
    let node = stage.node().await;
    let log = stage.run_of(node).await;
    drop(stage.store.heard(node));
    log.outsider([cancel_requested()]).ok().await;
    drop(stage.store.heard(node));
    stage.hears(node, log_of(log).await).await;
}

pub(super) async fn a_node_that_has_left_hears_nothing_more(stage: Stage<'_>) {
    let node = stage.node().await;
    let heard = stage.store.heard(node);
    stage.leave(node, &[]).await;
    for heard in [heard, stage.store.heard(node)] {
        let heard = heard.await;
        assert!(matches!(heard, Err(StoreError::Closed { .. })), "{heard:?}");
    }
}
