//! What a child's end leaves for its parent: it is there until an append of the parent's worker
//! records it, and then never again.

use rewake_core::event::EventKind;
use rewake_core::id::RunId;

use super::children::{with_child, with_detached_child};
use super::event::{
    run_cancelled, run_completed, run_continued, run_failed, run_terminated, step, step_completed,
    step_created,
};
use super::stage::{ALL, Log, Stage};
use crate::request::AppendRefusal;
use crate::row::OwedRow;

impl Log<'_> {
    /// What is owed to the run.
    async fn owed(self) -> Vec<OwedRow> {
        let owed = self.stage.store.owed(self.stage.scope, self.run, ALL).await;
        owed.expect("what is owed is listed")
    }
}

async fn owed_runs(stage: &Stage<'_>) -> Vec<RunId> {
    let runs = stage.store.owed_runs(stage.scope, None, ALL).await;
    runs.expect("the runs are listed")
}

fn row(parent: Log<'_>, child: Log<'_>, end: EventKind) -> OwedRow {
    OwedRow {
        scope: parent.stage.scope,
        parent: parent.run,
        step: step(1),
        child: child.run,
        end,
    }
}

/// A parent to which the completion of its one child is owed.
async fn owing<'s>(stage: &'s Stage<'s>) -> (Log<'s>, Log<'s>) {
    let parent = stage.started().await;
    let child = with_child(parent).await;
    child.worker([run_completed()]).ok().await;
    (parent, child)
}

pub(super) async fn every_end_of_a_child_is_owed_to_its_parent(stage: Stage<'_>) {
    let ends = [
        run_completed(),
        run_failed(),
        run_cancelled(),
        run_terminated(),
    ];
    for end in ends {
        let parent = stage.started().await;
        let child = with_child(parent).await;
        assert_eq!(parent.owed().await, []);
        let before = (parent.row().await, parent.frames().await);
        child.worker([end.clone()]).ok().await;
        assert_eq!(parent.owed().await, [row(parent, child, end)]);
        // Two runs that exist are never changed in one transaction.
        assert_eq!((parent.row().await, parent.frames().await), before);
    }
    let parent = stage.started().await;
    let child = with_child(parent).await;
    child.outsider([run_terminated()]).ok().await;
    assert_eq!(parent.owed().await, [row(parent, child, run_terminated())]);
}

pub(super) async fn a_child_let_go_of_owes_nothing(stage: Stage<'_>) {
    let parent = stage.started().await;
    let child = with_detached_child(parent).await;
    child.worker([run_completed()]).ok().await;
    assert_eq!(parent.owed().await, []);
    assert_eq!(owed_runs(&stage).await, []);
}

pub(super) async fn a_run_that_goes_on_in_another_owes_nothing(stage: Stage<'_>) {
    let parent = stage.started().await;
    let child = with_child(parent).await;
    let successor = stage.run_id();
    child.worker([run_continued(successor)]).ok().await;
    assert_eq!(parent.owed().await, []);
}

pub(super) async fn what_is_recorded_is_owed_no_more(stage: Stage<'_>) {
    let (parent, child) = owing(&stage).await;
    let records = parent.worker([step_completed(1)]).settling(&[child.run]);
    records.ok().await;
    assert_eq!(parent.owed().await, []);
    assert_eq!(owed_runs(&stage).await, []);
}

pub(super) async fn what_is_recorded_is_counted_no_more(stage: Stage<'_>) {
    let (parent, child) = owing(&stage).await;
    assert_eq!(parent.row().await.children, 1);
    let records = parent.worker([step_completed(1)]).settling(&[child.run]);
    records.ok().await;
    assert_eq!(parent.row().await.children, 0);
    parent.worker([run_completed()]).ok().await;
    assert_eq!(parent.wake_up().await, None);
}

pub(super) async fn a_refused_worker_leaves_what_is_owed(stage: Stage<'_>) {
    let (parent, child) = owing(&stage).await;
    let late = parent.worker([step_completed(1)]).settling(&[child.run]);
    let refused = late.building_on(1).refused().await;
    assert!(matches!(refused, AppendRefusal::WorkerMoved { .. }));
    assert_eq!(parent.owed().await.len(), 1);
}

pub(super) async fn what_is_not_owed_cannot_be_recorded(stage: Stage<'_>) {
    let parent = stage.started().await;
    let child = with_child(parent).await;
    let expected = AppendRefusal::NotOwed { child: child.run };
    let early = parent.worker([step_completed(1)]).settling(&[child.run]);
    assert_eq!(early.refused().await, expected);
    child.worker([run_completed()]).ok().await;
    let records = parent.worker([step_completed(1)]).settling(&[child.run]);
    records.ok().await;
    let again = parent.worker([step_created(2)]).settling(&[child.run]);
    assert_eq!(again.refused().await, expected);
}

pub(super) async fn a_child_settles_with_its_own_parent_only(stage: Stage<'_>) {
    let (parent, child) = owing(&stage).await;
    let other = stage.started().await;
    let refused = other.worker([step_created(2)]).settling(&[child.run]);
    let expected = AppendRefusal::NotOwed { child: child.run };
    assert_eq!(refused.refused().await, expected);
    assert_eq!(parent.owed().await.len(), 1);
}

pub(super) async fn a_parent_that_has_ended_is_owed_nothing(stage: Stage<'_>) {
    let parent = stage.started().await;
    let child = with_child(parent).await;
    parent.worker([run_failed()]).ok().await;
    child.worker([run_cancelled()]).ok().await;
    assert_eq!(parent.owed().await, []);
    assert_eq!(owed_runs(&stage).await, []);
}

pub(super) async fn the_end_of_a_parent_takes_what_is_owed_to_it(stage: Stage<'_>) {
    let (parent, _) = owing(&stage).await;
    let (other, _) = owing(&stage).await;
    parent.outsider([run_terminated()]).ok().await;
    assert_eq!(parent.owed().await, []);
    assert_eq!(owed_runs(&stage).await, [other.run]);
}

pub(super) async fn what_is_owed_comes_in_pages_in_order_of_the_children(stage: Stage<'_>) {
    let parent = stage.started().await;
    let mut children = Vec::new();
    for _ in 0..3 {
        let parents = stage.started().await;
        children.push(with_child(parents).await);
        let sibling = super::children::begins(&stage);
        let child = rewake_core::event::Child {
            run: sibling.run,
            detached: false,
        };
        let n = u8::try_from(children.len()).expect("a few");
        let record = super::event::child_created(n, child);
        parent
            .worker([record])
            .beginning(sibling.clone())
            .ok()
            .await;
        children.push(stage.log(sibling.run));
    }
    for child in children.iter().rev() {
        child.worker([run_completed()]).ok().await;
    }
    let own: Vec<_> = children.iter().skip(1).step_by(2).collect();
    let owed: Vec<_> = parent.owed().await.iter().map(|row| row.child).collect();
    assert_eq!(owed, own.iter().map(|child| child.run).collect::<Vec<_>>());
    let first = stage.store.owed(stage.scope, parent.run, 1).await;
    let first = first.expect("the page is read");
    assert_eq!(first.len(), 1, "at least one, and no more than fits");
    assert_eq!(first[0].child, own[0].run);
}

pub(super) async fn runs_that_are_owed_something_come_in_pages_in_order_of_id(stage: Stage<'_>) {
    let mut parents = Vec::new();
    for _ in 0..3 {
        parents.push(owing(&stage).await.0.run);
    }
    for (after, limit, expected) in [
        (None, 2, &parents[..2]),
        (Some(parents[1]), 2, &parents[2..]),
        (Some(parents[2]), 2, &[]),
        (None, 0, &[]),
    ] {
        let page = stage.store.owed_runs(stage.scope, after, limit).await;
        assert_eq!(page, Ok(expected.to_vec()));
    }
}

pub(super) async fn another_environment_sees_nothing(stage: Stage<'_>) {
    let (parent, _) = owing(&stage).await;
    let owed = stage.store.owed(stage.elsewhere, parent.run, ALL).await;
    assert_eq!(owed, Ok(Vec::new()));
    let runs = stage.store.owed_runs(stage.elsewhere, None, ALL).await;
    assert_eq!(runs, Ok(Vec::new()));
}

pub(super) async fn what_is_owed_is_remembered(mut stage: Stage<'_>) {
    let (parent, owed) = {
        let (parent, _) = owing(&stage).await;
        (parent.run, parent.owed().await)
    };
    if stage.reopen().await {
        assert_eq!(stage.log(parent).owed().await, owed);
        assert_eq!(owed_runs(&stage).await, [parent]);
    }
}
