//! Leases: which node has a run is written by the appends of its worker, and says nothing about who
//! may append.

use rewake_core::event::{Child, EventKind};

use super::children::begins;
use super::event::{
    cancel_requested, child_created, run_completed, run_created, step_completed, step_created,
};
use super::stage::{Log, Stage};
use crate::lineage::ChildBegins;
use crate::row::{NodeId, Parked};

const ONE: NodeId = NodeId(1);
const OTHER: NodeId = NodeId(2);

async fn with_child_that_begins(stage: &Stage<'_>, at_once: bool) -> Option<NodeId> {
    let parent = stage.started().await;
    let begins = ChildBegins {
        begins: at_once,
        ..begins(stage)
    };
    let run = begins.run;
    let record = child_created(
        1,
        Child {
            run,
            detached: false,
        },
    );
    parent.worker([record]).beginning(begins).at(ONE).ok().await;
    stage.log(run).row().await.node
}

async fn parked<'s>(stage: &'s Stage<'_>) -> Log<'s> {
    let log = stage.started().await;
    log.worker([step_created(1)]).at(ONE).ok().await;
    let parked = Parked {
        build: "build-2".to_owned(),
        code: "DIVERGED".to_owned(),
        reason: "position 3".to_owned(),
        at: stage.at(0),
        before: Vec::new(),
    };
    log.worker([]).at(ONE).parking(parked).ok().await;
    log
}

/// The first node has it; or nobody, where a store knows that this node never joined.
async fn is_left_alone(log: Log<'_>) {
    let node = log.row().await.node;
    assert!(matches!(node, Some(ONE) | None), "{node:?}");
}

pub(super) async fn a_run_is_leased_to_the_node_that_begins_it(stage: Stage<'_>) {
    let own = stage.create([run_created()]).at(ONE).ok().await;
    assert_eq!(stage.log(own.run).row().await.node, Some(ONE));
    let nobodys = stage.create([run_created()]).ok().await;
    assert_eq!(stage.log(nobodys.run).row().await.node, None);
}

pub(super) async fn a_run_that_an_admission_starts_is_leased_to_its_node(stage: Stage<'_>) {
    let admitting = stage.admit("approve", "yes").at(ONE);
    let run = admitting.run();
    admitting.ok().await;
    assert_eq!(stage.log(run).row().await.node, Some(ONE));
    // A hook that takes the payload stays with whoever has its run.
    stage.admit("approve", "yes").at(OTHER).ok().await;
    is_left_alone(stage.log(run)).await;
}

pub(super) async fn a_child_that_begins_at_once_is_leased_with_its_parent(stage: Stage<'_>) {
    assert_eq!(with_child_that_begins(&stage, true).await, Some(ONE));
}

pub(super) async fn a_child_that_is_not_at_hand_is_nobodys(stage: Stage<'_>) {
    assert_eq!(with_child_that_begins(&stage, false).await, None);
}

pub(super) async fn the_append_of_a_worker_leases_its_run(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1)]).at(ONE).ok().await;
    assert_eq!(log.row().await.node, Some(ONE));
    log.worker([]).at(OTHER).ok().await;
    assert_eq!(log.row().await.node, Some(OTHER));
    log.worker([step_created(2)]).ok().await;
    assert_eq!(log.row().await.node, None, "one that belongs to no node");
}

pub(super) async fn an_outsider_leaves_the_lease_where_it_is(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1)]).at(ONE).ok().await;
    log.outsider([cancel_requested()]).ok().await;
    is_left_alone(log).await;
}

pub(super) async fn a_worker_without_the_lease_appends_where_its_position_holds(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1)]).at(ONE).ok().await;
    log.worker([step_completed(1)]).at(OTHER).ok().await;
    log.worker([run_completed()]).at(ONE).ok().await;
    let expected = [step_created(1), step_completed(1), run_completed()];
    assert_eq!(log.events().await[2..], expected);
}

pub(super) async fn a_parked_run_is_nobodys(stage: Stage<'_>) {
    let log = parked(&stage).await;
    assert_eq!(log.row().await.node, None);
}

pub(super) async fn a_run_that_goes_on_is_leased_to_whoever_lets_it(stage: Stage<'_>) {
    let log = parked(&stage).await;
    log.worker([]).at(OTHER).ok().await;
    assert_eq!(log.row().await.node, Some(OTHER));
    let last = log.events().await;
    assert!(matches!(last.last(), Some(EventKind::StepCreated { .. })));
}
