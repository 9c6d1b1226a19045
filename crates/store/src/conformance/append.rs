//! What an append leaves, and the conditions it may name.

use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Frame, Position, Taken, Writer};

use super::event::{
    cancel_requested, hook, hook_dropped, run_completed, run_continued, run_failed, run_terminated,
    step, step_completed, step_created, step_failed, step_started, token, wait, wait_cancelled,
    wait_completed, wait_created,
};
use super::request::Appending;
use super::stage::{Log, Stage};
use crate::request::{AppendRefusal, Appended, Condition};

pub(super) async fn a_frame_comes_back_as_it_was_stored(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    stage.clock(10);
    let appending = log.worker([step_created(1), step_started(1)]);
    let request = appending.taking(1, 2, 30).request().await;

    let answer = stage.store.append(request.clone()).await;

    let frame = Frame {
        first: Position(4),
        at: stage.at(10),
        id: request.id,
        writer: Writer::Worker,
        events: request.events,
        taken: vec![Taken {
            hook: hook(1),
            count: 2,
            bytes: 30,
        }],
    };
    let expected = Appended {
        frames: vec![frame.clone()],
        head: Position(5),
        started: Vec::new(),
        stood: Vec::new(),
    };
    assert_eq!(answer, Ok(expected));
    assert_eq!(log.frames().await.last(), Some(&frame));
}

pub(super) async fn an_unknown_run_is_refused(stage: Stage<'_>) {
    let log = stage.log(stage.run_id());
    let refusal = log.outsider([cancel_requested()]).refused().await;
    assert_eq!(refusal, AppendRefusal::RunUnknown { run: log.run });
}

pub(super) async fn every_end_ends_the_run(stage: Stage<'_>) {
    for (end, status) in [
        (run_completed(), RunStatus::Completed),
        (run_failed(), RunStatus::Failed),
        (run_terminated(), RunStatus::Cancelled),
        (run_continued(stage.run_id()), RunStatus::Completed),
    ] {
        let log = stage.started().await;
        log.worker([end]).ok().await;
        let row = log.row().await;
        assert_eq!((row.status, row.ended_at), (status, Some(stage.at(0))));
        nothing_follows(log, status).await;
    }
}

async fn nothing_follows(log: Log<'_>, status: RunStatus) {
    let run = log.run;
    let expected = AppendRefusal::RunEnded { run, status };
    let outsider = log.outsider([cancel_requested()]);
    assert_eq!(outsider.refused().await, expected);
    assert_eq!(log.worker([step_created(1)]).refused().await, expected);
    assert_eq!(log.worker([]).refused().await, expected);
}

pub(super) async fn that_the_run_is_live_may_be_named(stage: Stage<'_>) {
    let log = stage.started().await;
    let appending = log.outsider([cancel_requested()]);
    appending.when(Condition::RunLive).ok().await;
    assert_eq!(log.events().await.last(), Some(&cancel_requested()));
}

pub(super) async fn a_step_that_is_open_may_be_required(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1), step_started(1)]).ok().await;
    let appending = log.worker([step_completed(1)]);
    appending.when(Condition::StepOpen(step(1))).ok().await;
    assert_eq!(log.events().await.last(), Some(&step_completed(1)));
}

pub(super) async fn a_step_that_has_ended_or_never_was_is_not_open(stage: Stage<'_>) {
    let log = stage.started().await;
    let ended = [step_created(1), step_started(1), step_completed(1)];
    log.worker(ended).ok().await;
    for n in [1, 2] {
        let appending = log.worker([step_completed(n)]);
        let refusal = appending.when(Condition::StepOpen(step(n))).refused().await;
        assert_eq!(refusal, AppendRefusal::StepClosed { step: step(n) });
    }
}

pub(super) async fn a_wait_that_is_open_may_be_required(stage: Stage<'_>) {
    let log = stage.started().await;
    let slept = log.worker([wait_created(1, stage.at(5))]).ok().await;
    log.outsider([cancel_requested()]).ok().await;
    let appending = log.outsider([wait_completed(1)]);
    appending.when(wait_open(1, slept.head)).ok().await;
    assert_eq!(log.events().await.last(), Some(&wait_completed(1)));
}

pub(super) async fn a_wait_that_has_ended_since_is_not_open(stage: Stage<'_>) {
    for end in [wait_completed(1), wait_cancelled(1)] {
        let log = stage.started().await;
        let slept = log.worker([wait_created(1, stage.at(5))]).ok().await;
        log.worker([end]).ok().await;
        let appending = log.outsider([wait_completed(1)]);
        let refusal = appending.when(wait_open(1, slept.head)).refused().await;
        assert_eq!(refusal, AppendRefusal::WaitClosed { wait: wait(1) });
        let appending = log.worker([wait_completed(1)]);
        let refusal = appending.when(wait_open(1, slept.head)).refused().await;
        assert_eq!(refusal, AppendRefusal::WaitClosed { wait: wait(1) });
    }
}

pub(super) async fn a_wait_is_not_ended_by_what_ends_another(stage: Stage<'_>) {
    let log = stage.started().await;
    let both = [wait_created(1, stage.at(5)), wait_created(2, stage.at(5))];
    let slept = log.worker(both).ok().await;
    log.worker([wait_completed(2)]).ok().await;
    let appending = log.outsider([wait_completed(1)]);
    appending.when(wait_open(1, slept.head)).ok().await;
    assert_eq!(log.events().await.last(), Some(&wait_completed(1)));
}

fn wait_open(n: u8, since: Position) -> Condition {
    Condition::WaitOpen {
        wait: wait(n),
        since,
    }
}

pub(super) async fn a_hook_that_is_live_may_be_required(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let appending = log.outsider([cancel_requested()]);
    appending.when(hook_live(1)).ok().await;
    assert_eq!(log.events().await.last(), Some(&cancel_requested()));
}

pub(super) async fn a_hook_that_has_gone_is_not_live(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    let dropping = log.worker([hook_dropped(1)]);
    dropping.releasing(&["approve"]).ok().await;
    hook_is_gone(log, 1).await;
}

pub(super) async fn a_hook_whose_token_another_holds_is_not_live(stage: Stage<'_>) {
    let log = stage.with_hook(1, "approve").await;
    hook_is_gone(log, 2).await;
}

pub(super) async fn the_hook_of_another_run_is_not_live_here(stage: Stage<'_>) {
    stage.with_hook(1, "approve").await;
    hook_is_gone(stage.started().await, 1).await;
}

async fn hook_is_gone(log: Log<'_>, n: u8) {
    let appending = log.outsider([cancel_requested()]);
    let refusal = appending.when(hook_live(n)).refused().await;
    assert_eq!(refusal, AppendRefusal::HookGone { hook: hook(n) });
}

fn hook_live(n: u8) -> Condition {
    Condition::HookLive {
        hook: hook(n),
        token: token("approve"),
    }
}

pub(super) async fn one_condition_that_fails_refuses_all(stage: Stage<'_>) {
    let log = stage.started().await;
    log.worker([step_created(1)]).ok().await;
    let appending = log.worker([step_started(1)]);
    let appending = appending.when(Condition::StepOpen(step(1)));
    let refusal = appending.when(hook_live(1)).refused().await;
    assert_eq!(refusal, AppendRefusal::HookGone { hook: hook(1) });
}

/// A run with a live hook and an open step, and all that its worker may require.
async fn three_conditions<'s>(stage: &'s Stage<'_>) -> (Log<'s>, [Condition; 3]) {
    let log = stage.with_hook(1, "approve").await;
    log.worker([step_created(1)]).ok().await;
    let step_open = Condition::StepOpen(step(1));
    (log, [Condition::RunLive, hook_live(1), step_open])
}

pub(super) async fn several_conditions_that_hold_let_it_pass(stage: Stage<'_>) {
    let (log, conditions) = three_conditions(&stage).await;
    let appending = log.worker([step_started(1)]);
    let appending = conditions.into_iter().fold(appending, Appending::when);
    assert_eq!(appending.ok().await.head, Position(5));
}

pub(super) async fn each_of_several_conditions_counts(stage: Stage<'_>) {
    let (log, conditions) = three_conditions(&stage).await;
    let moved = AppendRefusal::WorkerMoved {
        run: log.run,
        expected: Position(3),
        actual: Position(4),
    };
    for (fails, expected) in [
        (hook_live(2), AppendRefusal::HookGone { hook: hook(2) }),
        (
            Condition::StepOpen(step(2)),
            AppendRefusal::StepClosed { step: step(2) },
        ),
        (Condition::WorkerPosition(Position(3)), moved),
    ] {
        for before in 0..=conditions.len() {
            let mut all = conditions.to_vec();
            all.insert(before, fails.clone());
            let appending = log.worker([step_started(1)]);
            let appending = all.into_iter().fold(appending, Appending::when);
            assert_eq!(appending.refused().await, expected);
        }
    }
}

pub(super) async fn the_step_of_another_run_is_not_open_here(stage: Stage<'_>) {
    stage.started().await.worker([step_created(1)]).ok().await;
    let appending = stage.started().await.outsider([cancel_requested()]);
    let refusal = appending.when(Condition::StepOpen(step(1))).refused().await;
    assert_eq!(refusal, AppendRefusal::StepClosed { step: step(1) });
}

pub(super) async fn a_step_that_has_failed_is_not_open(stage: Stage<'_>) {
    let log = stage.started().await;
    let failed = [step_created(1), step_started(1), step_failed(1)];
    log.worker(failed).ok().await;
    let appending = log.worker([step_completed(1)]);
    let refusal = appending.when(Condition::StepOpen(step(1))).refused().await;
    assert_eq!(refusal, AppendRefusal::StepClosed { step: step(1) });
}

pub(super) async fn an_append_without_events_writes_no_frame(stage: Stage<'_>) {
    let log = stage.started().await;
    let before = log.frames().await;
    let answer = log.worker(Vec::<EventKind>::new()).ok().await;
    let expected = Appended {
        frames: Vec::new(),
        head: Position(2),
        started: Vec::new(),
        stood: Vec::new(),
    };
    assert_eq!(answer, expected);
    assert_eq!(log.frames().await, before);
}
