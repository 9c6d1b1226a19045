//! Child runs begin with the append that records them, and a parent's end is told to those that run.

use std::collections::BTreeMap;

use rewake_core::entity::RunStatus;
use rewake_core::event::{Child, CreatedBy, EventKind, Frame, Parent, Position, Writer};
use rewake_core::id::RunId;

use super::event::{
    cancel_requested, child_created, payload, run_cancelled, run_completed, run_failed,
    run_terminated, step, step_created,
};
use super::request::Appending;
use super::stage::{ALL, Log, Stage};
use crate::lineage::ChildBegins;
use crate::request::{Append, AppendRefusal, Condition};
use crate::role::{RunFilter, WakeUp};

fn attributes() -> BTreeMap<String, String> {
    BTreeMap::from([("record".to_owned(), "7".to_owned())])
}

/// How a child begins whose run is minted now.
pub(super) fn begins(stage: &Stage<'_>) -> ChildBegins {
    ChildBegins {
        run: stage.run_id(),
        id: stage.event_id(),
        build: "build-2".to_owned(),
        seed: [5; 16],
        flags: 0,
        attributes: attributes(),
        begins: true,
    }
}

/// An append of the worker that starts children as steps 1, 2, ….
fn starting<'s>(log: Log<'s>, children: &[ChildBegins], detached: bool) -> Appending<'s> {
    let records = children.iter().zip(1..).map(|(begins, n)| {
        let run = begins.run;
        child_created(n, Child { run, detached })
    });
    let append = log.worker(records.collect::<Vec<_>>());
    let add = |append: Appending<'s>, begins: &ChildBegins| append.beginning(begins.clone());
    children.iter().fold(append, add)
}

/// A started run with one attached child as step 1; the child.
pub(super) async fn with_child(parent: Log<'_>) -> Log<'_> {
    let begins = begins(parent.stage);
    let child = parent.stage.log(begins.run);
    starting(parent, &[begins], false).ok().await;
    child
}

/// A started run with one child that was let go of; the child.
pub(super) async fn with_detached_child(parent: Log<'_>) -> Log<'_> {
    let begins = begins(parent.stage);
    let child = parent.stage.log(begins.run);
    starting(parent, &[begins], true).ok().await;
    child
}

fn first_frame(parent: RunId, begins: &ChildBegins, stage: &Stage<'_>) -> Frame {
    let created = EventKind::RunCreated {
        workflow: "fulfil".to_owned(),
        input: payload("args"),
        build: "build-2".to_owned(),
        seed: [5; 16],
        flags: 0,
        parent: Some(Parent {
            run: parent,
            step: step(1),
            detached: false,
        }),
        not_before: None,
        continued_from: None,
        attributes: attributes(),
        created_by: CreatedBy::Start,
    };
    Frame {
        first: Position(1),
        at: stage.at(0),
        id: begins.id,
        writer: Writer::Outsider,
        events: vec![created, EventKind::RunStarted],
        taken: Vec::new(),
    }
}

pub(super) async fn a_child_begins_with_the_append_that_records_it(stage: Stage<'_>) {
    let parent = stage.started().await;
    let begins = begins(&stage);
    let appended = starting(parent, std::slice::from_ref(&begins), false);
    appended.ok().await;
    let child = stage.log(begins.run);
    let expected = first_frame(parent.run, &begins, &stage);
    assert_eq!(child.frames().await, [expected]);
    let row = child.row().await;
    assert_eq!(row.status, RunStatus::Running);
    assert_eq!(row.head, Position(2));
    let parent = Parent {
        run: parent.run,
        step: step(1),
        detached: false,
    };
    assert_eq!(row.parent, Some(parent));
    assert_eq!(row.attributes, attributes());
}

pub(super) async fn a_child_that_is_not_at_hand_begins_later(stage: Stage<'_>) {
    let parent = stage.started().await;
    let begins = ChildBegins {
        begins: false,
        ..begins(&stage)
    };
    let child = stage.log(begins.run);
    starting(parent, &[begins], false).ok().await;
    assert_eq!(child.events().await.len(), 1);
    assert_eq!(child.row().await.status, RunStatus::Pending);
    assert_eq!(child.wake_up().await, Some(stage.at(0)));
}

pub(super) async fn a_child_is_due_at_once(stage: Stage<'_>) {
    let parent = stage.started().await;
    parent.worker([]).ok().await;
    let child = with_child(parent).await;
    let wake_up = WakeUp {
        at: stage.at(0),
        run: child.run,
    };
    assert_eq!(stage.due(0).await, [wake_up]);
}

pub(super) async fn many_children_begin_with_one_append(stage: Stage<'_>) {
    let parent = stage.started().await;
    let children: Vec<_> = (0..40).map(|_| begins(&stage)).collect();
    starting(parent, &children, false).ok().await;
    for begins in &children {
        let frames = stage.log(begins.run).frames().await;
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].id, begins.id);
    }
    assert_eq!(parent.row().await.children, 40);
}

pub(super) async fn a_child_that_the_append_does_not_bring_is_refused(stage: Stage<'_>) {
    let parent = stage.started().await;
    let run = stage.run_id();
    let record = child_created(
        1,
        Child {
            run,
            detached: false,
        },
    );
    let refused = parent.worker([record]).beginning(begins(&stage)).refused();
    assert_eq!(refused.await, AppendRefusal::ChildMissing { child: run });
}

pub(super) async fn a_child_whose_run_exists_is_refused(stage: Stage<'_>) {
    let parent = stage.started().await;
    let other = stage.started().await;
    let begins = ChildBegins {
        run: other.run,
        ..begins(&stage)
    };
    let refused = starting(parent, &[begins], false).refused().await;
    assert_eq!(refused, AppendRefusal::ChildExists { child: other.run });
}

pub(super) async fn one_run_is_not_two_children(stage: Stage<'_>) {
    let parent = stage.started().await;
    let begins = begins(&stage);
    let refused = starting(parent, &[begins.clone(), begins.clone()], false);
    let expected = AppendRefusal::ChildMissing { child: begins.run };
    assert_eq!(refused.refused().await, expected);
}

pub(super) async fn a_refused_worker_begins_no_child(stage: Stage<'_>) {
    let parent = stage.started().await;
    parent.worker([step_created(9)]).ok().await;
    let begins = begins(&stage);
    let late = starting(parent, std::slice::from_ref(&begins), false).building_on(0);
    let refused = late.refused().await;
    assert!(matches!(refused, AppendRefusal::WorkerMoved { .. }));
    let there = stage.store.run(stage.scope, begins.run).await;
    assert_eq!(there, Ok(None));
}

pub(super) async fn a_repeated_append_begins_no_child_twice(stage: Stage<'_>) {
    let parent = stage.started().await;
    let begins = begins(&stage);
    let child = stage.log(begins.run);
    let append = starting(parent, &[begins], false).request().await;
    let repeat = Append {
        repeat: true,
        ..append.clone()
    };
    let first = stage.store.append(append).await.expect("the child begins");
    child.worker([step_created(2)]).ok().await;
    let before = child.frames().await;
    let again = stage.store.append(repeat).await.expect("it has begun");
    assert_eq!(again.frames, first.frames);
    assert_eq!(child.frames().await, before);
    assert_eq!(parent.row().await.children, 1);
}

pub(super) async fn attached_children_are_counted(stage: Stage<'_>) {
    let parent = stage.started().await;
    assert_eq!(parent.row().await.children, 0);
    let children = [begins(&stage), begins(&stage)];
    starting(parent, &children, false).ok().await;
    assert_eq!(parent.row().await.children, 2);
    let other = stage.started().await;
    with_detached_child(other).await;
    assert_eq!(other.row().await.children, 0);
    assert_eq!(parent.row().await.children, 2);
}

pub(super) async fn children_are_listed_by_their_parent_in_pages(stage: Stage<'_>) {
    let parent = stage.started().await;
    let children = [begins(&stage), begins(&stage), begins(&stage)];
    starting(parent, &children, false).ok().await;
    let other = stage.started().await;
    with_detached_child(other).await;
    stage
        .log(children[0].run)
        .worker([run_completed()])
        .ok()
        .await;
    let filter = RunFilter {
        parent: Some(parent.run),
        ..RunFilter::default()
    };
    let list = async |filter: &RunFilter, before, limit| {
        let page = stage.store.runs(stage.scope, filter.clone(), before, limit);
        let page = page.await.expect("the children are listed");
        let runs: Vec<_> = page.runs.into_iter().map(|(run, _)| run).collect();
        (runs, page.next)
    };
    let (first, next) = list(&filter, None, 2).await;
    assert_eq!(first, [children[2].run, children[1].run]);
    let rest = (vec![children[0].run], None);
    assert_eq!(list(&filter, next, 2).await, rest);
    let ended = RunFilter {
        status: Some(RunStatus::Completed),
        ..filter.clone()
    };
    assert_eq!(list(&ended, None, ALL).await, rest);
    let elsewhere = stage.store.runs(stage.elsewhere, filter, None, ALL).await;
    assert_eq!(elsewhere.map(|page| page.runs), Ok(Vec::new()));
}

pub(super) async fn every_end_of_a_parent_leaves_it_due_for_its_running_children(stage: Stage<'_>) {
    for end in [
        run_completed(),
        run_failed(),
        run_cancelled(),
        run_terminated(),
    ] {
        let parent = stage.started().await;
        let child = with_child(parent).await;
        let before = child.frames().await;
        parent.worker([end]).ok().await;
        assert_eq!(parent.wake_up().await, Some(stage.at(0)));
        assert_eq!(parent.row().await.children, 1);
        assert!(!parent.row().await.is_ready());
        // Two runs that exist are never changed in one transaction.
        assert_eq!(child.frames().await, before);
    }
}

pub(super) async fn a_parent_without_running_children_is_never_due(stage: Stage<'_>) {
    let parent = stage.started().await;
    with_detached_child(parent).await;
    let child = with_child(stage.started().await).await;
    child.worker([run_completed()]).ok().await;
    parent.outsider([run_terminated()]).ok().await;
    assert_eq!(parent.wake_up().await, None);
    assert_eq!(child.wake_up().await, None);
}

pub(super) async fn a_parent_whose_children_were_told_is_due_no_more(stage: Stage<'_>) {
    let parent = stage.started().await;
    with_child(parent).await;
    parent.outsider([run_terminated()]).ok().await;
    for _ in 0..2 {
        let told = stage.store.children_told(stage.scope, parent.run).await;
        assert_eq!(told, Ok(()));
        assert_eq!(parent.wake_up().await, None);
        assert_eq!(parent.row().await.children, 0);
        assert_eq!(parent.row().await.status, RunStatus::Cancelled);
    }
}

pub(super) async fn children_of_a_run_that_lives_are_not_told(stage: Stage<'_>) {
    let parent = stage.started().await;
    with_child(parent).await;
    let before = parent.row().await;
    let told = stage.store.children_told(stage.scope, parent.run).await;
    assert_eq!(told, Ok(()));
    let nobody = stage.store.children_told(stage.scope, stage.run_id()).await;
    assert_eq!(nobody, Ok(()));
    assert_eq!(parent.row().await, before);
}

pub(super) async fn another_environment_tells_no_children(stage: Stage<'_>) {
    let parent = stage.started().await;
    let child = with_child(parent).await;
    child.outsider([cancel_requested()]).ok().await;
    let ends = parent.outsider([run_terminated()]);
    ends.when(Condition::RunLive).ok().await;
    let before = parent.row().await;
    let told = stage.store.children_told(stage.elsewhere, parent.run).await;
    assert_eq!(told, Ok(()));
    assert_eq!(parent.row().await, before);
}
