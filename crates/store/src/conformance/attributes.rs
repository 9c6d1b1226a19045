//! What a run can be looked up by.

use std::collections::BTreeMap;

use rewake_core::event::EventKind;
use rewake_core::id::{Place, RunId, StepId};

use super::event::run_created;
use super::stage::{ALL, Log, Stage};
use crate::role::RunFilter;

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    BTreeMap::from(pairs)
}

/// A started run that began with these.
async fn started_with<'s, const N: usize>(
    stage: &'s Stage<'_>,
    pairs: [(&str, &str); N],
) -> Log<'s> {
    let mut first = run_created();
    if let EventKind::RunCreated {
        attributes: set, ..
    } = &mut first
    {
        *set = attributes(pairs);
    }
    let created = stage.create([first, EventKind::RunStarted]).ok().await;
    stage.log(created.run)
}

async fn set<const N: usize>(log: Log<'_>, place: u64, pairs: [(&str, &str); N]) {
    let call = StepId::derive(log.run, Place(place), "attributes");
    let changes = attributes(pairs);
    let setting = log.worker([EventKind::AttrSet { changes, call }]);
    setting.ok().await;
}

pub(super) async fn the_attributes_of_a_run_are_those_that_were_set_last(stage: Stage<'_>) {
    let log = started_with(&stage, [("customer", "7"), ("stage", "new")]).await;
    assert_eq!(
        log.row().await.attributes,
        attributes([("customer", "7"), ("stage", "new")])
    );
    set(log, 0, [("stage", "paid"), ("plan", "b")]).await;
    set(log, 1, [("stage", "sent")]).await;
    assert_eq!(
        log.row().await.attributes,
        attributes([("customer", "7"), ("plan", "b"), ("stage", "sent")])
    );
}

async fn listed<const N: usize>(stage: &Stage<'_>, pairs: [(&str, &str); N]) -> Vec<RunId> {
    let filter = RunFilter {
        attributes: attributes(pairs),
        ..RunFilter::default()
    };
    let page = stage.store.runs(stage.scope, filter, None, ALL).await;
    let page = page.expect("the runs are listed");
    page.runs.into_iter().map(|(run, _)| run).collect()
}

pub(super) async fn runs_are_listed_by_all_attributes_that_are_asked_for(stage: Stage<'_>) {
    let first = started_with(&stage, [("customer", "7"), ("stage", "new")]).await;
    let second = started_with(&stage, [("customer", "7")]).await;
    let _bare = stage.started().await;
    set(second, 0, [("stage", "sent")]).await;

    let mut both = listed(&stage, [("customer", "7")]).await;
    both.sort();
    let mut expected = [first.run, second.run];
    expected.sort();
    assert_eq!(both, expected);
    let sent = listed(&stage, [("customer", "7"), ("stage", "sent")]).await;
    assert_eq!(sent, [second.run]);
    assert!(listed(&stage, [("stage", "lost")]).await.is_empty());
    assert!(listed(&stage, [("7", "customer")]).await.is_empty());
    set(first, 0, [("customer", "8")]).await;
    assert_eq!(listed(&stage, [("customer", "7")]).await, [second.run]);
}
