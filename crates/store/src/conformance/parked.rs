//! Parked runs: nothing is appended on their behalf, and nothing that comes for them is lost.

use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::event::{cancel_requested, hook_received, run_terminated, step_created};
use super::stage::{ALL, Log, Stage};
use crate::request::AppendRefusal;
use crate::row::Parked;

fn diverged(at: Timestamp) -> Parked {
    Parked {
        build: "build-2".to_owned(),
        code: "DIVERGED".to_owned(),
        reason: "position 3: the log holds a step, the code calls a hook".to_owned(),
        at,
        before: Vec::new(),
    }
}

/// A run with a hook that its worker has parked.
async fn parked<'s>(stage: &'s Stage<'_>) -> Log<'s> {
    let log = stage.with_hook(1, "approve").await;
    let parking = log.worker([]).parking(diverged(stage.at(0)));
    parking.waking_at(stage.at(500)).ok().await;
    log
}

pub(super) async fn a_parked_run_is_listed_and_never_due(stage: Stage<'_>) {
    let log = parked(&stage).await;
    let expected = [(log.run, diverged(stage.at(0)))];
    let listed = stage.store.parked(stage.scope, None, ALL).await;
    assert_eq!(listed, Ok(expected.to_vec()));
    assert_eq!(log.wake_up().await, None);
    assert!(!log.row().await.is_ready());
}

pub(super) async fn facts_are_taken_and_wake_nobody(stage: Stage<'_>) {
    let log = parked(&stage).await;
    stage.deliver("approve", "yes").ok().await;
    log.outsider([cancel_requested()]).ok().await;
    let expected = [hook_received(1, "yes"), cancel_requested()];
    assert_eq!(log.events().await[3..], expected);
    assert_eq!(log.wake_up().await, None);
}

pub(super) async fn the_events_of_a_worker_are_refused(stage: Stage<'_>) {
    let log = parked(&stage).await;
    let refusal = log.worker([step_created(1)]).refused().await;
    assert_eq!(refusal, AppendRefusal::RunParked { run: log.run });
}

pub(super) async fn a_run_that_goes_on_is_due_for_what_came_meanwhile(stage: Stage<'_>) {
    let log = parked(&stage).await;
    stage.deliver("approve", "yes").ok().await;
    stage.clock(40);
    log.worker([]).reacted(3).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(40)));
    assert_eq!(log.row().await.parked, None);
    assert!(log.row().await.is_ready());
}

pub(super) async fn a_run_that_goes_on_is_due_when_its_worker_says(stage: Stage<'_>) {
    let log = parked(&stage).await;
    log.worker([]).waking_at(stage.at(60)).ok().await;
    assert_eq!(log.wake_up().await, Some(stage.at(60)));
    assert_eq!(listed(&stage).await, []);
}

pub(super) async fn a_run_that_goes_on_takes_the_events_of_its_worker(stage: Stage<'_>) {
    let log = parked(&stage).await;
    log.worker([]).ok().await;
    log.worker([step_created(1)]).ok().await;
    assert_eq!(log.events().await.last(), Some(&step_created(1)));
}

pub(super) async fn a_parked_run_may_be_parked_for_another_reason(stage: Stage<'_>) {
    let log = parked(&stage).await;
    log.worker([]).parking(diverged(stage.at(9))).ok().await;
    assert_eq!(log.row().await.parked, Some(diverged(stage.at(9))));
}

pub(super) async fn builds_that_could_not_follow_are_remembered(stage: Stage<'_>) {
    let log = parked(&stage).await;
    for build in ["build-3", "build-2", "build-3"] {
        let mut again = diverged(stage.at(9));
        build.clone_into(&mut again.build);
        log.worker([]).parking(again).ok().await;
    }
    let row = log.row().await.parked.expect("it is parked");
    assert_eq!(row.build, "build-3");
    let builds = ["build-1", "build-2", "build-3"].map(|build| row.is_by(build));
    assert_eq!(builds, [false, true, true]);
    let names: std::collections::BTreeSet<_> = row.before.iter().collect();
    assert_eq!(names.len(), row.before.len(), "each is named once");
}

pub(super) async fn a_run_that_goes_on_is_parked_by_nobody(stage: Stage<'_>) {
    let log = parked(&stage).await;
    log.worker([]).ok().await;
    let mut again = diverged(stage.at(9));
    "build-3".clone_into(&mut again.build);
    log.worker([]).parking(again).ok().await;
    let row = log.row().await.parked.expect("it is parked");
    assert!(!row.is_by("build-2"), "it has followed since");
}

pub(super) async fn the_end_of_a_parked_run_clears_the_mark(stage: Stage<'_>) {
    let log = parked(&stage).await;
    let ending = log.outsider([run_terminated()]);
    ending.releasing(&["approve"]).ok().await;
    assert_eq!(log.row().await.parked, None);
    assert_eq!(listed(&stage).await, []);
}

async fn listed(stage: &Stage<'_>) -> Vec<RunId> {
    let listed = stage.store.parked(stage.scope, None, ALL).await;
    let listed = listed.expect("the parked runs are listed").into_iter();
    listed.map(|(run, _)| run).collect()
}

pub(super) async fn parked_runs_come_in_pages_in_order_of_id(stage: Stage<'_>) {
    let mut runs = Vec::new();
    for _ in 0..3 {
        let log = stage.started().await;
        log.worker([]).parking(diverged(stage.at(0))).ok().await;
        runs.push(log.run);
    }
    let not_parked = stage.started().await;
    let mut pages = Vec::new();
    for (after, limit) in [(None, 2), (Some(runs[1]), 2), (Some(runs[2]), 2), (None, 0)] {
        let page = stage.store.parked(stage.scope, after, limit).await;
        let page = page.expect("the page is read").into_iter();
        pages.push(page.map(|(run, _)| run).collect::<Vec<_>>());
    }
    assert_eq!(pages, [&runs[..2], &runs[2..], &[], &[]]);
    assert!(!listed(&stage).await.contains(&not_parked.run));
}
