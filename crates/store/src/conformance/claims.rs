//! Claims: what nobody who lives has goes to one node.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use rewake_core::id::RunId;

use super::children::with_child;
use super::event::{
    run_cancelled, run_completed, run_created, run_not_before, run_of, step_created,
};
use super::nodes::LEASE_MS;
use super::stage::{ALL, Log, Stage};
use crate::nodes::{Beat, Claimed, Lease};
use crate::row::{NodeId, Parked};

impl Stage<'_> {
    async fn claim_until(&self, node: NodeId, ms: u64, limit: usize) -> Vec<Claimed> {
        let claimed = self.store.claim(node, self.at(ms), limit).await;
        claimed.expect("what is to be claimed is claimed")
    }

    /// The runs that the node claims of what is due at the beginning of the case.
    async fn claim(&self, node: NodeId) -> Vec<RunId> {
        let claimed = self.claim_until(node, 0, ALL).await;
        claimed.into_iter().map(|claimed| claimed.run).collect()
    }

    fn parked_by(&self, build: &str) -> Parked {
        Parked {
            build: build.to_owned(),
            code: "DIVERGED".to_owned(),
            reason: "position 3".to_owned(),
            at: self.at(0),
            before: Vec::new(),
        }
    }
}

fn plainly(run: RunId, stage: &Stage<'_>) -> Claimed {
    Claimed {
        run,
        at: stage.at(0),
        crashes: 0,
        orphaned: false,
    }
}

pub(super) async fn what_nobody_has_is_claimed_once(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    let log = stage.started().await;
    let claimed = stage.claim_until(one, 0, ALL).await;
    assert_eq!(claimed, [plainly(log.run, &stage)]);
    assert_eq!(log.row().await.node, Some(one));
    assert_eq!(stage.claim(other).await, []);
    assert_eq!(stage.claim(one).await, [], "it has it already");
}

pub(super) async fn of_many_that_claim_at_once_each_run_goes_to_one(stage: Stage<'_>) {
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(stage.node().await);
    }
    let mut runs = BTreeSet::new();
    for _ in 0..12 {
        runs.insert(stage.started().await.run);
    }
    let claims = nodes.iter().map(|node| stage.claim_until(*node, 0, 5));
    let mut all = Vec::new();
    for (node, claimed) in nodes.iter().zip(join_all(claims).await) {
        for claimed in claimed {
            let row = stage.log(claimed.run).row().await;
            assert_eq!(row.node, Some(*node));
            all.push(claimed.run);
        }
    }
    // Some may have been passed over while another looked at them: the next time they are there.
    for node in nodes {
        all.extend(stage.claim(node).await);
    }
    assert_eq!(all.len(), runs.len(), "each once");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), runs);
}

pub(super) async fn claiming_changes_nothing_else(stage: Stage<'_>) {
    let node = stage.node().await;
    let log = stage.with_hook(1, "approve").await;
    stage.deliver("approve", "yes").ok().await;
    let (mut row, frames, wake_up) = (log.row().await, log.frames().await, log.wake_up().await);
    assert_eq!(stage.claim(node).await, [log.run]);
    row.node = Some(node);
    assert_eq!(log.row().await, row);
    assert_eq!(log.frames().await, frames);
    assert_eq!(log.wake_up().await, wake_up);
}

pub(super) async fn what_a_living_node_has_is_left(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    stage.run_of(one).await;
    stage.clock(LEASE_MS - 1);
    stage.beat(other).await;
    assert_eq!(stage.claim(other).await, []);
    stage.beat(one).await;
    stage.clock(2 * LEASE_MS - 2);
    assert_eq!(stage.claim(other).await, []);
}

pub(super) async fn what_a_dead_node_had_is_claimed(stage: Stage<'_>) {
    let one = stage.node().await;
    let log = stage.run_of(one).await;
    stage.clock(LEASE_MS);
    let other = stage.node().await;
    let orphan = Claimed {
        orphaned: true,
        ..plainly(log.run, &stage)
    };
    assert_eq!(stage.claim_until(other, 0, ALL).await, [orphan]);
    assert_eq!(log.row().await.node, Some(other));
}

pub(super) async fn what_a_dead_node_had_may_be_taken_by_name(stage: Stage<'_>) {
    let one = stage.node().await;
    let log = stage.run_of(one).await;
    stage.clock(LEASE_MS);
    let other = stage.node().await;
    let taken = stage.store.lease(other, log.run).await;
    assert_eq!(taken, Ok(Lease::Own { orphaned: true }));
    let again = stage.store.lease(other, log.run).await;
    assert_eq!(again, Ok(Lease::Own { orphaned: false }));
}

pub(super) async fn a_node_that_lives_again_has_what_nobody_claimed(stage: Stage<'_>) {
    let one = stage.node().await;
    let (taken, left) = (stage.run_of(one).await, stage.run_of(one).await);
    stage.clock(LEASE_MS);
    let other = stage.node().await;
    let claimed = stage.claim_until(other, 0, 1).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].run, taken.run);
    assert_eq!(stage.beat(one).await, Beat::TakenForDead);
    assert_eq!(stage.claim(other).await, [], "the rest is the first one's");
    assert_eq!(left.row().await.node, Some(one));
    assert_eq!(stage.claim(one).await, []);
}

pub(super) async fn a_node_that_is_taken_for_dead_claims_nothing(stage: Stage<'_>) {
    let node = stage.node().await;
    let log = stage.started().await;
    stage.clock(LEASE_MS);
    assert_eq!(stage.claim(node).await, []);
    stage.beat(node).await;
    assert_eq!(stage.claim(node).await, [log.run]);
}

pub(super) async fn what_a_node_leaves_is_claimed_at_once(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    let log = stage.run_of(one).await;
    stage.leave(one, &[]).await;
    let claimed = stage.claim_until(other, 0, ALL).await;
    assert_eq!(claimed, [plainly(log.run, &stage)], "it is no orphan");
}

pub(super) async fn what_a_node_keeps_as_it_leaves_is_not_claimed(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    let logs = [
        stage.run_of(one).await,
        stage.run_of(one).await,
        stage.run_of(one).await,
    ];
    stage.leave(one, &logs[1..]).await;
    assert_eq!(stage.claim(other).await, [logs[0].run]);
    stage.leave(one, &logs[2..]).await;
    assert_eq!(stage.claim(other).await, [logs[1].run]);
    stage.leave(one, &[]).await;
    assert_eq!(stage.claim(other).await, [logs[2].run]);
}

pub(super) async fn what_a_node_keeps_and_dies_with_is_claimed(stage: Stage<'_>) {
    let one = stage.node().await;
    let log = stage.run_of(one).await;
    stage.leave(one, &[log]).await;
    stage.clock(LEASE_MS);
    let other = stage.node().await;
    let orphan = Claimed {
        orphaned: true,
        ..plainly(log.run, &stage)
    };
    assert_eq!(stage.claim_until(other, 0, ALL).await, [orphan]);
}

pub(super) async fn a_node_that_leaves_claims_nothing(stage: Stage<'_>) {
    let node = stage.node().await;
    let kept = stage.run_of(node).await;
    let log = stage.started().await;
    stage.leave(node, &[kept]).await;
    assert_eq!(stage.claim(node).await, []);
    let taken = stage.store.lease(node, log.run).await;
    assert_eq!(taken, Ok(Lease::Elsewhere));
}

pub(super) async fn runs_of_unknown_workflows_are_left(stage: Stage<'_>) {
    let node = stage.node_with(&["order"]).await;
    stage.create([run_of("fulfil")]).ok().await;
    assert_eq!(stage.claim(node).await, []);
    let known = stage.create([run_created()]).ok().await.run;
    assert_eq!(stage.claim(node).await, [known]);
}

pub(super) async fn what_is_not_due_yet_is_left(stage: Stage<'_>) {
    let node = stage.node().await;
    let later = stage.create([run_not_before(stage.at(300))]).ok().await.run;
    assert_eq!(stage.claim_until(node, 299, ALL).await, []);
    let early = Claimed {
        at: stage.at(300),
        ..plainly(later, &stage)
    };
    let claimed = stage.claim_until(node, 300, ALL).await;
    assert_eq!(claimed, [early], "by the time that the node names");
}

pub(super) async fn the_oldest_come_first_and_no_more_than_asked_for(stage: Stage<'_>) {
    let node = stage.node().await;
    let mut runs = Vec::new();
    for ms in [30, 10, 20] {
        let created = stage.create([run_not_before(stage.at(ms))]).ok().await;
        runs.push((ms, created.run));
    }
    runs.sort_unstable();
    let runs: Vec<_> = runs.into_iter().map(|(_, run)| run).collect();
    for (limit, expected) in [(0, &[][..]), (2, &runs[..2]), (2, &runs[2..])] {
        let claimed = stage.claim_until(node, 30, limit).await.into_iter();
        let claimed: Vec<_> = claimed.map(|claimed| claimed.run).collect();
        assert_eq!(claimed, expected);
    }
}

async fn parked<'s>(stage: &'s Stage<'_>, builds: &[&str]) -> Log<'s> {
    let log = stage.started().await;
    for build in builds {
        log.worker([]).parking(stage.parked_by(build)).ok().await;
    }
    log
}

pub(super) async fn what_another_build_has_parked_is_claimed(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    let log = parked(&stage, &["build-3"]).await;
    assert_eq!(stage.claim(one).await, [log.run]);
    assert_eq!(stage.claim(other).await, [], "somebody tries");
    let row = log.row().await;
    assert!(row.parked.is_some(), "until its worker lets it go on");
    let unknown = stage.create([run_of("other")]).ok().await.run;
    let unknown = stage.log(unknown);
    let parking = unknown.worker([]).parking(stage.parked_by("build-3"));
    parking.ok().await;
    assert_eq!(stage.claim(one).await, [], "of a workflow that it knows");
}

pub(super) async fn what_the_own_build_has_parked_is_left(stage: Stage<'_>) {
    let node = stage.node().await;
    parked(&stage, &["build-2"]).await;
    assert_eq!(stage.claim(node).await, []);
    parked(&stage, &["build-2", "build-3"]).await;
    assert_eq!(stage.claim(node).await, [], "nor what it parked before");
}

/// A parent that waits for a child which has ended.
async fn owed<'s>(stage: &'s Stage<'_>) -> Log<'s> {
    let parent = stage.started().await;
    let child = with_child(parent).await;
    child.worker([run_completed()]).ok().await;
    parent.worker([]).ok().await;
    assert_eq!(parent.wake_up().await, None);
    parent
}

pub(super) async fn what_is_owed_something_is_claimed(stage: Stage<'_>) {
    let (one, other) = (stage.node().await, stage.node().await);
    let parent = owed(&stage).await;
    assert_eq!(stage.claim(one).await, [parent.run]);
    assert_eq!(parent.row().await.node, Some(one));
    assert_eq!(stage.claim(other).await, []);
    let parked = owed(&stage).await;
    let parking = parked.worker([]).parking(stage.parked_by("build-2"));
    parking.ok().await;
    assert_eq!(stage.claim(other).await, [], "not while it is parked");
}

pub(super) async fn what_is_owed_something_is_found_again(stage: Stage<'_>) {
    let node = stage.node().await;
    let parent = owed(&stage).await;
    assert_eq!(stage.claim(node).await, [parent.run]);
    assert_eq!(stage.claim(node).await, [parent.run]);
}

pub(super) async fn children_to_be_told_are_claimed_whatever_the_workflow(stage: Stage<'_>) {
    let node = stage.node_with(&[]).await;
    let parent = stage.started().await;
    with_child(parent).await;
    parent.worker([run_cancelled()]).ok().await;
    assert_eq!(stage.claim(node).await, [parent.run]);
}

pub(super) async fn a_run_that_was_counted_says_so(stage: Stage<'_>) {
    let node = stage.node().await;
    let log = stage.started().await;
    let counted = stage.store.count_crashes(stage.scope, vec![log.run]).await;
    assert_eq!(counted, Ok(vec![1]));
    let claimed = stage.claim_until(node, 0, ALL).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].crashes, 1);
}

pub(super) async fn another_environment_is_left(stage: Stage<'_>) {
    let node = stage.node().await;
    let create = stage.create([run_created()]).within(stage.elsewhere);
    create.ok().await;
    let own = stage.started().await;
    own.worker([step_created(1)])
        .waking_at(stage.at(0))
        .ok()
        .await;
    assert_eq!(stage.claim(node).await, [own.run]);
}
