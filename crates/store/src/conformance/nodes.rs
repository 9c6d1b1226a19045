//! Nodes: who lives, by the store's clock, and what a node has.

use super::event::{run_created, run_not_before, step_created};
use super::stage::{ALL, Log, Stage};
use crate::nodes::{Beat, Join, LEASE, Lease, Leased};
use crate::role::WakeUp;
use crate::row::NodeId;

/// How long a node lives after its last beat.
pub(super) const LEASE_MS: u64 = 2_000;
const _: () = assert!(LEASE.as_millis() == LEASE_MS as u128);

impl Stage<'_> {
    /// A node of build 2 that knows all workflows of the suite.
    pub(super) async fn node(&self) -> NodeId {
        self.node_with(&["order", "fulfil"]).await
    }

    pub(super) async fn node_with(&self, workflows: &[&str]) -> NodeId {
        let join = Join {
            scope: self.scope,
            name: "node".to_owned(),
            build: "build-2".to_owned(),
            workflows: workflows.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.store.join(join).await.expect("the node joins")
    }

    pub(super) async fn beat(&self, node: NodeId) -> Beat {
        self.store.beat(node).await.expect("the beat is taken")
    }

    pub(super) async fn leave(&self, node: NodeId, keep: &[Log<'_>]) {
        let keep = keep.iter().map(|log| log.run).collect();
        let left = self.store.leave(node, keep).await;
        left.expect("the node leaves");
    }

    /// A started run whose worker belongs to the node, and that is due.
    pub(super) async fn run_of(&self, node: NodeId) -> Log<'_> {
        let log = self.started().await;
        let working = log.worker([step_created(1)]).at(node);
        working.waking_at(self.at(0)).ok().await;
        log
    }

    async fn lease(&self, node: NodeId, log: Log<'_>) -> Lease {
        let lease = self.store.lease(node, log.run).await;
        lease.expect("it is said whose the run is")
    }
}

pub(super) async fn a_node_lives_as_long_as_it_beats(stage: Stage<'_>) {
    let node = stage.node().await;
    for beat in 1..=3 {
        stage.clock(beat * (LEASE_MS - 1));
        assert_eq!(stage.beat(node).await, Beat::Living);
    }
}

pub(super) async fn a_node_that_beats_late_was_taken_for_dead(stage: Stage<'_>) {
    let node = stage.node().await;
    stage.clock(LEASE_MS);
    assert_eq!(stage.beat(node).await, Beat::TakenForDead);
    assert_eq!(stage.beat(node).await, Beat::Living);
}

pub(super) async fn each_node_is_another(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    assert_ne!(one, other, "also where they have one name");
    stage.leave(one, &[]).await;
    let third = stage.node().await;
    assert!(third != one && third != other, "no id is given twice");
}

pub(super) async fn a_node_that_has_left_is_unknown(stage: Stage<'_>) {
    let node = stage.node().await;
    stage.leave(node, &[]).await;
    assert_eq!(stage.beat(node).await, Beat::Unknown);
}

pub(super) async fn a_node_that_leaves_lives_on_for_what_it_keeps(stage: Stage<'_>) {
    let node = stage.node().await;
    let kept = stage.run_of(node).await;
    stage.leave(node, &[kept]).await;
    stage.clock(LEASE_MS - 1);
    assert_eq!(stage.beat(node).await, Beat::Living);
    stage.leave(node, &[]).await;
    assert_eq!(stage.beat(node).await, Beat::Unknown);
}

pub(super) async fn one_run_is_leased_by_name(stage: Stage<'_>) {
    let node = stage.node_with(&[]).await;
    let log = stage.started().await;
    let own = Lease::Own { orphaned: false };
    assert_eq!(stage.lease(node, log).await, own, "whatever its workflow");
    assert_eq!(log.row().await.node, Some(node));
    assert_eq!(stage.lease(node, log).await, own, "it has it already");
}

pub(super) async fn a_run_that_another_has_is_not_leased(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    let log = stage.run_of(one).await;
    assert_eq!(stage.lease(other, log).await, Lease::Elsewhere);
    assert_eq!(log.row().await.node, Some(one));
}

pub(super) async fn a_run_that_is_not_there_is_not_leased(stage: Stage<'_>) {
    let node = stage.node().await;
    let minted = stage.log(stage.run_id());
    assert_eq!(stage.lease(node, minted).await, Lease::Elsewhere);
    let elsewhere = stage.create([run_created()]).within(stage.elsewhere);
    let elsewhere = stage.log(elsewhere.ok().await.run);
    assert_eq!(stage.lease(node, elsewhere).await, Lease::Elsewhere);
}

pub(super) async fn a_node_leases_nothing_once_it_is_taken_for_dead(stage: Stage<'_>) {
    let node = stage.node().await;
    let log = stage.started().await;
    stage.clock(LEASE_MS);
    assert_eq!(stage.lease(node, log).await, Lease::Elsewhere);
    stage.beat(node).await;
    let own = Lease::Own { orphaned: false };
    assert_eq!(stage.lease(node, log).await, own);
}

pub(super) async fn what_a_node_has_comes_in_pages(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    let mut own = Vec::new();
    for ms in [30, 10, 20] {
        let run = stage.create([run_not_before(stage.at(ms))]).at(one);
        let run = run.ok().await.run;
        let at = stage.at(ms);
        let head = stage.log(run).row().await.head;
        own.push(Leased {
            wake_up: WakeUp { at, run },
            head,
        });
        stage.create([run_created()]).at(other).ok().await;
        stage.create([run_created()]).ok().await;
    }
    own.sort();
    for (after, until, limit, expected) in [
        (None, 30, ALL, &own[..]),
        (None, 20, ALL, &own[..2]),
        (None, 30, 1, &own[..1]),
        (Some(own[0].wake_up), 30, ALL, &own[1..]),
    ] {
        let until = stage.at(until);
        let page = stage.store.leased(one, after, until, limit).await;
        assert_eq!(page, Ok(expected.to_vec()));
    }
}
