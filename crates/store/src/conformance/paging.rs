//! Pages: none is longer than asked for, and together they are the whole.

use rewake_core::entity::RunStatus;
use rewake_core::event::Position;
use rewake_core::id::RunId;

use super::event::{
    hook_created, hook_dropped, run_completed, run_of, step_created, token, webhook_created,
};
use super::stage::{ALL, Log, Stage};
use crate::role::{RunFilter, WakeUp};

/// The first positions of the frames of one page.
async fn page(log: Log<'_>, after: u64, max_bytes: usize) -> Vec<u64> {
    let store = &log.stage.store;
    let page = store.frames(log.stage.scope, log.run, Position(after), max_bytes);
    let page = page.await.expect("the page is read");
    page.iter().map(|frame| frame.first.0).collect()
}

/// A run with frames at 1, 3, 4 and 5.
async fn four_frames<'s>(stage: &'s Stage<'_>) -> Log<'s> {
    let log = stage.started().await;
    for n in 1..=3 {
        log.worker([step_created(n)]).ok().await;
    }
    log
}

pub(super) async fn a_page_of_frames_has_at_least_one(stage: Stage<'_>) {
    let log = four_frames(&stage).await;
    assert_eq!(page(log, 0, 0).await, [1]);
    assert_eq!(page(log, 2, 1).await, [3]);
    assert!(page(log, 5, 1).await.is_empty());
}

pub(super) async fn a_page_of_frames_begins_after_a_position(stage: Stage<'_>) {
    let log = four_frames(&stage).await;
    assert_eq!(page(log, 0, ALL).await, [1, 3, 4, 5]);
    assert_eq!(page(log, 3, ALL).await, [4, 5]);
    assert!(page(log, u64::MAX >> 1, ALL).await.is_empty());
}

pub(super) async fn a_page_of_frames_may_begin_in_the_middle_of_one(stage: Stage<'_>) {
    let log = stage.started().await;
    assert!(page(log, 1, ALL).await.is_empty(), "of the only frame");
    let log = four_frames(&stage).await;
    assert_eq!(page(log, 1, ALL).await, [3, 4, 5]);
}

pub(super) async fn a_page_of_frames_ends_near_its_bytes(stage: Stage<'_>) {
    let log = four_frames(&stage).await;
    let (mut after, mut read) = (0, Vec::new());
    while let Some(last) = {
        let next = page(log, after, 100).await;
        assert!(next.len() < 4, "no page of 100 bytes holds the whole log");
        read.extend(next.clone());
        next.last().copied()
    } {
        after = last;
    }
    assert_eq!(read, [1, 3, 4, 5]);
}

pub(super) async fn the_log_of_an_unknown_run_is_empty(stage: Stage<'_>) {
    let log = stage.log(stage.run_id());
    assert!(page(log, 0, ALL).await.is_empty());
    let both = stage.store.run_with_log(stage.scope, log.run, ALL);
    assert_eq!(both.await, Ok(None));
}

pub(super) async fn a_run_comes_with_the_first_page_of_its_log(stage: Stage<'_>) {
    let log = four_frames(&stage).await;
    let (row, frames) = (log.row().await, log.frames().await);
    let both = stage.store.run_with_log(stage.scope, log.run, ALL);
    assert_eq!(both.await, Ok(Some((row.clone(), frames.clone()))));
    let both = stage.store.run_with_log(stage.scope, log.run, 0);
    assert_eq!(both.await, Ok(Some((row, frames[..1].to_vec()))));
}

pub(super) async fn several_runs_come_with_their_logs_as_far_as_there_is_room(stage: Stage<'_>) {
    let logs = [
        four_frames(&stage).await,
        stage.started().await,
        stage.started().await,
    ];
    let mut all = Vec::new();
    for log in logs {
        all.push(Some((log.row().await, log.frames().await)));
    }
    let (store, scope) = (&stage.store, stage.scope);
    let asked = logs.map(|log| log.run).to_vec();
    let found = store.runs_with_logs(scope, asked.clone(), ALL);
    assert_eq!(found.await, Ok(all.clone()));

    // Where there is room for nothing: the first frame, of the first run at least.
    let found = store.runs_with_logs(scope, asked.clone(), 0).await;
    let found = found.expect("they can be read");
    assert!(!found.is_empty());
    let beginnings = all.iter().cloned().map(|one| {
        one.map(|(row, mut log)| {
            log.truncate(1);
            (row, log)
        })
    });
    assert_eq!(found, beginnings.take(found.len()).collect::<Vec<_>>());

    let unknown = [asked[0], stage.run_id(), asked[2]].to_vec();
    let found = store.runs_with_logs(scope, unknown, ALL);
    assert_eq!(found.await, Ok(vec![all[0].clone(), None, all[2].clone()]));
    let found = store.runs_with_logs(stage.elsewhere, asked, ALL);
    assert_eq!(found.await, Ok(vec![None, None, None]));
    let found = store.runs_with_logs(scope, Vec::new(), ALL);
    assert_eq!(found.await, Ok(Vec::new()));
}

/// Three runs, due at 30, 10 and 10.
async fn three_due(stage: &Stage<'_>) -> [WakeUp; 3] {
    let mut due = Vec::new();
    for ms in [30, 10, 10] {
        let log = stage.started().await;
        log.worker([]).waking_at(stage.at(ms)).ok().await;
        due.push(WakeUp {
            at: stage.at(ms),
            run: log.run,
        });
    }
    due.sort();
    due.try_into().expect("there are three")
}

pub(super) async fn wake_ups_come_in_order_of_time_and_then_run(stage: Stage<'_>) {
    let due = three_due(&stage).await;
    assert_eq!(stage.due(1_000).await, due);
    assert_eq!(stage.due(10).await, due[..2]);
    assert_eq!(stage.due(9).await, []);
}

pub(super) async fn wake_ups_come_in_pages(stage: Stage<'_>) {
    let due = three_due(&stage).await;
    let until = stage.at(1_000);
    for (after, limit, expected) in [
        (None, 2, &due[..2]),
        (Some(due[0]), 2, &due[1..]),
        (Some(due[2]), 2, &[]),
        (None, 0, &[]),
    ] {
        let page = stage.store.due(stage.scope, after, until, limit).await;
        assert_eq!(page, Ok(expected.to_vec()));
    }
}

pub(super) async fn a_page_of_wake_ups_may_begin_where_none_is(stage: Stage<'_>) {
    let due = three_due(&stage).await;
    let after = WakeUp {
        at: stage.at(20),
        run: due[0].run,
    };
    let page = stage
        .store
        .due(stage.scope, Some(after), stage.at(1_000), ALL);
    assert_eq!(page.await, Ok(due[2..].to_vec()));
}

/// Four runs, oldest first: `a` (ended), `b`, `a`, `b`.
async fn four_runs(stage: &Stage<'_>) -> Vec<RunId> {
    let mut runs = Vec::new();
    for workflow in ["a", "b", "a", "b"] {
        let events = [run_of(workflow), rewake_core::event::EventKind::RunStarted];
        runs.push(stage.create(events).ok().await.run);
    }
    let log = stage.log(runs[0]);
    log.worker([run_completed()]).ok().await;
    runs
}

async fn listed(
    stage: &Stage<'_>,
    filter: &RunFilter,
    before: Option<RunId>,
    limit: usize,
) -> (Vec<RunId>, Option<RunId>) {
    let page = stage.store.runs(stage.scope, filter.clone(), before, limit);
    let page = page.await.expect("the runs are listed");
    let runs = page.runs.into_iter().map(|(run, _)| run).collect();
    (runs, page.next)
}

fn only(workflow: Option<&str>, status: Option<RunStatus>) -> RunFilter {
    RunFilter {
        workflow: workflow.map(str::to_owned),
        status,
        ..RunFilter::default()
    }
}

pub(super) async fn runs_are_listed_newest_first_with_their_rows(stage: Stage<'_>) {
    let runs = four_runs(&stage).await;
    let page = stage
        .store
        .runs(stage.scope, RunFilter::default(), None, ALL);
    let page = page.await.expect("the runs are listed");
    let mut expected = Vec::new();
    for run in runs.into_iter().rev() {
        expected.push((run, stage.log(run).row().await));
    }
    assert_eq!(page.runs, expected);
    assert_eq!(page.next, None);
}

pub(super) async fn runs_are_listed_in_pages(stage: Stage<'_>) {
    let runs = four_runs(&stage).await;
    let all = RunFilter::default();
    let (first, next) = listed(&stage, &all, None, 3).await;
    assert_eq!(first, [runs[3], runs[2], runs[1]]);
    assert_eq!(listed(&stage, &all, next, 3).await, (vec![runs[0]], None));
}

pub(super) async fn a_last_page_that_is_full_is_the_last(stage: Stage<'_>) {
    let runs = four_runs(&stage).await;
    let (first, next) = listed(&stage, &RunFilter::default(), None, 4).await;
    assert_eq!(first.len(), runs.len());
    assert_eq!(next, None);
}

pub(super) async fn runs_are_listed_by_workflow_and_state(stage: Stage<'_>) {
    let runs = four_runs(&stage).await;
    for (filter, expected) in [
        (only(Some("a"), None), vec![runs[2], runs[0]]),
        (only(Some("c"), None), vec![]),
        (only(None, Some(RunStatus::Completed)), vec![runs[0]]),
        (only(Some("a"), Some(RunStatus::Running)), vec![runs[2]]),
    ] {
        assert_eq!(listed(&stage, &filter, None, ALL).await, (expected, None));
    }
}

pub(super) async fn pages_of_a_filtered_listing_leave_none_out(stage: Stage<'_>) {
    let runs = four_runs(&stage).await;
    let filter = only(Some("a"), None);
    let (first, next) = listed(&stage, &filter, None, 1).await;
    assert_eq!(first, [runs[2]]);
    let (second, next) = listed(&stage, &filter, next, 1).await;
    assert_eq!((second, next), (vec![runs[0]], None));
}

pub(super) async fn runs_with_live_hooks_are_listed(stage: Stage<'_>) {
    stage.started().await;
    let with = stage.with_hook(1, "approve").await;
    let without = stage.with_hook(2, "review").await;
    let ends = without.worker([hook_dropped(2)]).releasing(&["review"]);
    ends.ok().await;
    let filter = RunFilter {
        with_live_hooks: true,
        ..RunFilter::default()
    };
    let listed = listed(&stage, &filter, None, ALL).await;
    assert_eq!(listed, (vec![with.run], None));
}

/// The tokens on one page.
async fn chosen(stage: &Stage<'_>, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let (prefix, after) = (prefix.to_owned(), after.map(token));
    let page = stage
        .store
        .chosen_tokens(stage.scope, prefix, after, limit)
        .await
        .expect("the hooks are listed");
    page.iter().map(|row| row.token.to_string()).collect()
}

/// Five hooks of one run, with tokens in no order.
async fn five_hooks<'s>(stage: &'s Stage<'_>) -> Log<'s> {
    let log = stage.started().await;
    for (n, token) in (1..).zip(["b:2", "a", "b:1", "c", "b:10"]) {
        log.worker([hook_created(n, token)]).ok().await;
    }
    log
}

pub(super) async fn hooks_with_chosen_tokens_are_listed_in_order_of_the_tokens(stage: Stage<'_>) {
    five_hooks(&stage).await;
    assert_eq!(
        chosen(&stage, "", None, ALL).await,
        ["a", "b:1", "b:10", "b:2", "c"]
    );
    assert_eq!(
        chosen(&stage, "b:", None, ALL).await,
        ["b:1", "b:10", "b:2"]
    );
    assert!(chosen(&stage, "b:3", None, ALL).await.is_empty());
    let listed = stage
        .store
        .chosen_tokens(stage.scope, "c".to_owned(), None, ALL);
    let row = stage.token("c").await.expect("the hook is live");
    assert_eq!(listed.await, Ok(vec![row]));
}

pub(super) async fn hooks_are_listed_in_pages(stage: Stage<'_>) {
    five_hooks(&stage).await;
    for (after, limit, expected) in [
        (None, 2, &["b:1", "b:10"][..]),
        (Some("b:10"), 2, &["b:2"]),
        (Some("b:2"), 2, &[]),
        (Some("a"), 9, &["b:1", "b:10", "b:2"]),
        (Some("b:11"), 9, &["b:2"]),
        (None, 0, &[]),
    ] {
        assert_eq!(chosen(&stage, "b:", after, limit).await, expected);
    }
}

pub(super) async fn hooks_with_random_tokens_are_not_listed(stage: Stage<'_>) {
    let log = five_hooks(&stage).await;
    log.worker([webhook_created(6, "b:0")]).ok().await;
    assert_eq!(chosen(&stage, "b:", None, 1).await, ["b:1"]);
    assert_eq!(chosen(&stage, "b:", None, ALL).await.len(), 3);
}

pub(super) async fn hooks_that_have_gone_are_not_listed(stage: Stage<'_>) {
    let log = five_hooks(&stage).await;
    let given_up = log.worker([hook_dropped(1)]).releasing(&["b:2"]);
    given_up.ok().await;
    assert_eq!(chosen(&stage, "b:", None, ALL).await, ["b:1", "b:10"]);
}
