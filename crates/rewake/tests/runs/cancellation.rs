//! Cancelled runs: what their shields and undo calls still do, and what everything else lets go of. How
//! long they may take is in `testing::cancellation`, on a clock that skips.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rewake::prelude::*;
use rewake::{Posted, Reason, RunStatus};
use rewake_core::event::{Event, EventKind};

use crate::probe::Probe;
use crate::stage::{Stage, count, events, hook, log, logged, on_every_stage, parked, resume};

on_every_stage!(
    a_shield_in_progress_is_finished_before_the_body_is_dropped,
    nothing_else_makes_a_move_while_a_shield_goes_on,
    a_shield_waits_for_hooks_and_sleeps_too,
    a_shield_that_nobody_polls_at_the_moment_is_finished_all_the_same,
    shields_inside_shields_and_joins_are_all_finished,
    a_shield_that_was_never_polled_is_not_in_progress,
    a_shield_that_fails_gives_its_error_to_nobody_and_the_run_is_cancelled,
    a_shield_that_is_not_cancelled_gives_its_output,
    a_shield_that_lost_a_race_is_dropped_as_any_future,
    a_shield_goes_on_in_the_next_process,
    undo_calls_run_newest_first_when_the_workflow_fails,
    undo_calls_run_once_the_shields_are_done,
    undo_calls_do_not_run_when_the_workflow_returns_or_is_terminated,
    an_undo_call_that_fails_for_good_is_recorded_and_the_others_run,
    undo_calls_go_on_in_the_next_process,
    cancelling_a_failed_run_does_not_stop_its_undo_calls,
    an_undo_call_that_was_awaited_parks_with_what_to_write,
    each_call_is_dropped_where_it_waits,
    a_guard_in_the_workflow_is_dropped,
    what_a_cancelled_run_left_unread_goes_where_it_belongs,
    a_parked_run_keeps_the_request_until_it_may_go_on,
    a_parked_run_is_terminated_at_once,
    why_tells_what_a_cancelled_run_still_does,
);

/// Notes, waits until it is let through, and notes again.
#[step]
async fn works(what: String, #[provided] probe: Probe) -> anyhow::Result<String> {
    probe.note(format!("{what} begins"));
    probe.pass().await;
    probe.note(what.clone());
    Ok(what)
}

/// Notes, and fails where the name says so.
#[step(max_retries = 1, backoff = "1ms")]
async fn acts(what: String, #[provided] probe: Probe) -> anyhow::Result<String> {
    probe.note(what.clone());
    if what.starts_with("fails") {
        anyhow::bail!("{what}");
    }
    Ok(what)
}

async fn cancelled<T: serde::de::DeserializeOwned + std::fmt::Debug>(run: &Run<T>) -> String {
    match run.result().await {
        Err(RunError::Cancelled { reason, .. }) => reason.unwrap_or_default(),
        other => panic!("the run is not cancelled: {other:?}"),
    }
}

/// The names of the steps that were called, in order.
async fn called<T>(rewake: &Rewake, run: &Run<T>) -> Vec<String> {
    let log: Vec<Event> = log(rewake, run).await;
    let input = |kind: &EventKind| match kind {
        EventKind::StepCreated { input, .. } => {
            let (what,): (String,) = rewake_core::payload::step_args(input).unwrap();
            Some(what)
        }
        _ => None,
    };
    log.iter().filter_map(|event| input(&event.kind)).collect()
}

#[workflow]
async fn charges() -> anyhow::Result<()> {
    shield(async move {
        works("charge".into()).await?;
        acts("note".into()).await
    })
    .await?;
    acts("never".into()).await?;
    Ok(())
}

async fn a_shield_in_progress_is_finished_before_the_body_is_dropped(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(charges()).await.unwrap();
    stage.probe.noted("charge begins").await;
    assert!(run.cancel("not wanted").await.unwrap());
    logged(&rewake, &run, "wait_created", 1).await;
    assert_eq!(run.status().await.unwrap(), RunStatus::Running);
    stage.probe.open(1);
    assert_eq!(cancelled(&run).await, "not wanted");
    assert_eq!(stage.probe.notes(), ["charge begins", "charge", "note"]);
    assert_eq!(called(&rewake, &run).await, ["charge", "note"]);
    let names = events(&rewake, &run).await;
    assert_eq!(
        names[names.len() - 2..],
        ["wait_cancelled", "run_cancelled"]
    );
}

#[workflow]
async fn works_beside_a_shield(token: String) -> anyhow::Result<()> {
    let mut beside = create_hook::<u64>().token(token).await?;
    let listening = async {
        while beside.recv().await.is_ok() {
            acts("heard".into()).await?;
        }
        anyhow::Ok(())
    };
    let shielded = shield(async { works("charge".into()).await });
    let (charged, heard) = futures::join!(shielded, listening);
    charged?;
    heard
}

async fn nothing_else_makes_a_move_while_a_shield_goes_on(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake
        .start(works_beside_a_shield("t".into()))
        .await
        .unwrap();
    stage.probe.noted("charge begins").await;
    resume(&rewake, "t", &1).await;
    stage.probe.noted("heard").await;
    run.cancel("enough").await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    resume(&rewake, "t", &2).await;
    stage.probe.open(1);
    cancelled(&run).await;
    assert_eq!(stage.probe.times("heard"), 1);
    assert_eq!(run.unread().await.unwrap().len(), 1);
}

#[workflow]
async fn shields_all_kinds(token: String) -> anyhow::Result<()> {
    let shielded = shield(async move {
        let mut hook = create_hook::<u64>().token(token).await?;
        let n = hook.recv().await?;
        sleep(Duration::from_millis(n)).await;
        anyhow::Ok(acts("after the sleep".into()).await?)
    });
    shielded.await?;
    Ok(())
}

async fn a_shield_waits_for_hooks_and_sleeps_too(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(shields_all_kinds("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    run.cancel("enough").await.unwrap();
    resume(&rewake, "t", &5).await;
    cancelled(&run).await;
    assert_eq!(stage.probe.notes(), ["after the sleep"]);
}

#[workflow]
async fn keeps_a_shield() -> anyhow::Result<()> {
    let mut kept = shield(async { works("kept".into()).await });
    select! {
        kept = &mut kept => { kept?; }
        () = sleep(Duration::ZERO) => {}
    }
    works("other".into()).await?;
    kept.await?;
    Ok(())
}

async fn a_shield_that_nobody_polls_at_the_moment_is_finished_all_the_same(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(keeps_a_shield()).await.unwrap();
    stage.probe.noted("kept begins").await;
    stage.probe.noted("other begins").await;
    run.cancel("enough").await.unwrap();
    logged(&rewake, &run, "wait_created", 2).await;
    stage.probe.open(2);
    cancelled(&run).await;
    assert_eq!(stage.probe.times("kept"), 1);
}

#[workflow]
async fn nests_shields() -> anyhow::Result<()> {
    let outer = shield(async {
        let inner = shield(async { works("inner".into()).await });
        let inner = inner.await?;
        acts(format!("outer after {inner}")).await
    });
    let joined = futures::future::try_join_all([
        shield(async { works("a".into()).await }),
        shield(async { works("b".into()).await }),
    ]);
    let ends = futures::join!(outer, joined, sleep(days(1)));
    ends.0?;
    ends.1?;
    Ok(())
}

async fn shields_inside_shields_and_joins_are_all_finished(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(nests_shields()).await.unwrap();
    for what in ["inner begins", "a begins", "b begins"] {
        stage.probe.noted(what).await;
    }
    run.cancel("enough").await.unwrap();
    logged(&rewake, &run, "wait_created", 2).await;
    stage.probe.open(3);
    cancelled(&run).await;
    for what in ["a", "b", "inner", "outer after inner"] {
        assert_eq!(stage.probe.times(what), 1, "{what}");
    }
}

#[workflow]
async fn never_polls_its_shield(token: String) -> anyhow::Result<()> {
    let shielded = shield(async { acts("never".into()).await });
    let mut hook = create_hook::<u64>().token(token).await?;
    hook.recv().await?;
    shielded.await?;
    Ok(())
}

async fn a_shield_that_was_never_polled_is_not_in_progress(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake
        .start(never_polls_its_shield("t".into()))
        .await
        .unwrap();
    hook(&rewake, "t").await;
    run.cancel("enough").await.unwrap();
    cancelled(&run).await;
    assert!(stage.probe.notes().is_empty());
    assert_eq!(count(&rewake, &run, "wait_created").await, 0);
}

#[workflow]
async fn fails_in_a_shield() -> anyhow::Result<()> {
    let shielded = shield(async {
        works("charge".into()).await?;
        acts("fails".into()).await
    });
    shielded.await?;
    Ok(())
}

async fn a_shield_that_fails_gives_its_error_to_nobody_and_the_run_is_cancelled(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(fails_in_a_shield()).await.unwrap();
    stage.probe.noted("charge begins").await;
    run.cancel("enough").await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    stage.probe.open(1);
    assert_eq!(cancelled(&run).await, "enough");
    assert_eq!(stage.probe.times("fails"), 2, "it was tried again");
}

#[workflow]
async fn gives_an_output() -> anyhow::Result<String> {
    Ok(shield(acts("a".into())).await?)
}

async fn a_shield_that_is_not_cancelled_gives_its_output(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gives_an_output()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), "a");
    assert_eq!(shield(async { 7 }).await, 7, "outside it simply runs");
}

#[workflow]
async fn drops_its_shield(token: String) -> anyhow::Result<()> {
    let late = shield(async {
        sleep(days(1)).await;
        acts("late".into()).await
    });
    timeout(Duration::from_millis(1), late).await.unwrap_err();
    let mut hook = create_hook::<u64>().token(token).await?;
    hook.recv().await?;
    Ok(())
}

async fn a_shield_that_lost_a_race_is_dropped_as_any_future(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(drops_its_shield("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    assert_eq!(count(&rewake, &run, "wait_cancelled").await, 1);
    run.cancel("enough").await.unwrap();
    cancelled(&run).await;
    assert_eq!(
        count(&rewake, &run, "wait_created").await,
        2,
        "no bound is needed"
    );
}

async fn a_shield_goes_on_in_the_next_process(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(charges()).await.unwrap();
    stage.probe.noted("charge begins").await;
    run.cancel("not wanted").await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<()>(run.id());
    stage.probe.open(1);
    assert_eq!(cancelled(&run).await, "not wanted");
    assert_eq!(stage.probe.times("charge"), 1);
    assert_eq!(stage.probe.times("note"), 1);
    assert_eq!(stage.probe.times("never"), 0);
}

#[workflow]
async fn travels(then: String) -> anyhow::Result<()> {
    acts("flight".into()).await?;
    undo(acts("no flight".into()));
    acts("room".into()).await?;
    undo(acts("fails: no room".into()));
    shield(async { works("car".into()).await }).await?;
    undo(acts("no car".into()));
    match then.as_str() {
        "fails" => anyhow::bail!("nobody travels"),
        "waits" => sleep(days(1)).await,
        _ => {}
    }
    Ok(())
}

const TRAVEL: [&str; 4] = ["flight", "room", "car begins", "car"];
const BACK: [&str; 4] = ["no car", "fails: no room", "fails: no room", "no flight"];

async fn undo_calls_run_newest_first_when_the_workflow_fails(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(travels("fails".into())).await.unwrap();
    stage.probe.open(1);
    let error = run.result().await.unwrap_err();
    assert!(error.to_string().contains("nobody travels"), "{error}");
    assert_eq!(stage.probe.notes(), [TRAVEL, BACK].concat());
    let names = events(&rewake, &run).await;
    assert_eq!(names.last(), Some(&"run_failed"));
    assert_eq!(
        count(&rewake, &run, "wait_created").await,
        0,
        "nobody waits for it"
    );
}

async fn undo_calls_run_once_the_shields_are_done(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(travels("waits".into())).await.unwrap();
    stage.probe.noted("car begins").await;
    run.cancel("enough").await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    assert_eq!(stage.probe.notes().len(), 3);
    stage.probe.open(1);
    assert_eq!(cancelled(&run).await, "enough");
    // The body had no chance to register the last one.
    assert_eq!(stage.probe.notes(), [&TRAVEL[..], &BACK[1..]].concat());
}

async fn undo_calls_do_not_run_when_the_workflow_returns_or_is_terminated(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(travels("returns".into())).await.unwrap();
    stage.probe.open(1);
    run.result().await.unwrap();
    assert_eq!(stage.probe.notes(), TRAVEL);
    assert_eq!(called(&rewake, &run).await, ["flight", "room", "car"]);

    let run = rewake.start(travels("waits".into())).await.unwrap();
    logged(&rewake, &run, "step_created", 3).await;
    run.terminate("at once").await.unwrap();
    assert_eq!(cancelled(&run).await, "at once");
    stage.probe.open(1);
    assert_eq!(called(&rewake, &run).await, ["flight", "room", "car"]);
}

async fn an_undo_call_that_fails_for_good_is_recorded_and_the_others_run(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(travels("fails".into())).await.unwrap();
    stage.probe.open(1);
    run.result().await.unwrap_err();
    assert_eq!(count(&rewake, &run, "step_failed").await, 1);
    let expected = [
        "flight",
        "room",
        "car",
        "no car",
        "fails: no room",
        "no flight",
    ];
    assert_eq!(called(&rewake, &run).await, expected);
}

#[workflow]
async fn undoes_slowly(then: String) -> anyhow::Result<()> {
    undo(acts("last".into()));
    undo(works("slow".into()));
    undo(acts("first".into()));
    if then == "fails" {
        anyhow::bail!("on purpose");
    }
    sleep(days(1)).await;
    Ok(())
}

async fn undo_calls_go_on_in_the_next_process(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(undoes_slowly("fails".into())).await.unwrap();
    stage.probe.noted("slow begins").await;
    logged(&rewake, &run, "step_started", 2).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<()>(run.id());
    stage.probe.open(1);
    let error = run.result().await.unwrap_err();
    assert!(matches!(error, RunError::Failed { .. }), "{error}");
    for what in ["first", "slow", "last"] {
        assert_eq!(stage.probe.times(what), 1, "{what}");
    }
    assert_eq!(called(&rewake, &run).await, ["first", "slow", "last"]);
}

async fn cancelling_a_failed_run_does_not_stop_its_undo_calls(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(undoes_slowly("fails".into())).await.unwrap();
    stage.probe.noted("slow begins").await;
    assert!(run.cancel("enough").await.unwrap());
    stage.probe.open(1);
    let error = run.result().await.unwrap_err();
    assert!(matches!(error, RunError::Failed { .. }), "{error}");
    assert_eq!(
        stage.probe.notes(),
        ["first", "slow begins", "slow", "last"]
    );
}

#[workflow]
async fn undoes_what_it_awaited() -> anyhow::Result<()> {
    let mut call = acts("once".into());
    (&mut call).await?;
    undo(call);
    Ok(())
}

async fn an_undo_call_that_was_awaited_parks_with_what_to_write(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(undoes_what_it_awaited()).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "WORKFLOW_PANICKED");
    assert!(reason.contains("write another one for `undo`"), "{reason}");
}

#[workflow]
async fn waits_for_everything(token: String) -> anyhow::Result<()> {
    let mut hook = create_hook::<u64>().token(token.clone()).await?;
    let mut calls = create_webhook().await?;
    let (mut a, mut b) = (
        create_hook::<u64>().await?,
        create_hook::<u64>().expires_in(days(2)).await?,
    );
    let all = futures::future::join(
        futures::future::join4(
            hook.recv(),
            calls.recv(),
            sleep(days(1)),
            timeout(days(3), works("joined".into())),
        ),
        recv_all((&mut a, &mut b)),
    );
    select! {
        _ = all => {}
        () = sleep_until(now() + days(4)) => {}
    }
    Ok(())
}

async fn each_call_is_dropped_where_it_waits(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake
        .start(waits_for_everything("t".into()))
        .await
        .unwrap();
    stage.probe.noted("joined begins").await;
    logged(&rewake, &run, "wait_created", 3).await;
    run.cancel("enough").await.unwrap();
    cancelled(&run).await;
    assert_eq!(count(&rewake, &run, "wait_cancelled").await, 3);
    assert_eq!(count(&rewake, &run, "hook_disposed").await, 4);
    assert!(rewake.get_hook_by_token("t").await.unwrap().is_none());
    // Its token is free for the next run at once.
    let next = rewake
        .start(never_polls_its_shield("t".into()))
        .await
        .unwrap();
    assert_eq!(hook(&rewake, "t").await.run_id, next.id());
}

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

#[workflow]
async fn holds_a_guard(token: String) -> anyhow::Result<()> {
    let mut hook = create_hook::<u64>().token(token).await?;
    let _guard = Guard;
    hook.recv().await?;
    Ok(())
}

async fn a_guard_in_the_workflow_is_dropped(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(holds_a_guard("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    let before = DROPPED.load(Ordering::SeqCst);
    run.cancel("enough").await.unwrap();
    cancelled(&run).await;
    assert!(DROPPED.load(Ordering::SeqCst) > before);
}

async fn what_a_cancelled_run_left_unread_goes_where_it_belongs(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake
        .start(works_beside_a_shield("t".into()))
        .await
        .unwrap();
    hook(&rewake, "t").await;
    stage.probe.noted("charge begins").await;
    run.cancel("enough").await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    // The shield goes on, and nobody reads these.
    resume(&rewake, "t", &1).await;
    let posted = rewake.post("t", &2).keep_for(days(1)).await.unwrap();
    assert!(matches!(posted, Posted::Delivered(_)));
    let admitted = rewake
        .resume_or_start("t", &3, holds_a_guard("t".into()))
        .await
        .unwrap();
    assert!(!admitted.started);
    stage.probe.open(1);
    cancelled(&run).await;
    let unread = run.unread().await.unwrap();
    assert_eq!(unread.len(), 1);
    assert_eq!(unread[0].decode::<u64>().unwrap(), 1);
    let next = hook_owner(&rewake, run.id()).await;
    let next = rewake.get_run::<()>(next);
    next.result().await.unwrap();
}

/// The run other than this one that held token `t`: the one that an unread payload started.
async fn hook_owner(rewake: &Rewake, other: rewake::RunId) -> rewake::RunId {
    loop {
        let runs = rewake.runs().await.unwrap().data;
        if let Some(run) = runs.iter().find(|run| run.run != other) {
            return run.run;
        }
        tokio::task::yield_now().await;
    }
}

/// What this build's code does; a test changes it as a deployment would.
static MENDED: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);

#[workflow]
async fn breaks(own: u64, token: String) -> anyhow::Result<()> {
    undo(acts("undone".into()));
    let mut hook = create_hook::<u64>().token(token).await?;
    hook.recv().await?;
    let mended = MENDED.load(Ordering::SeqCst) & (1 << own) != 0;
    assert!(mended, "this build is broken");
    sleep(days(1)).await;
    Ok(())
}

async fn broken(stage: &Stage) -> (Rewake, Run<()>, u64) {
    // Each stage has a bit of its own, since tests run at the same time.
    let own = u64::try_from(NEXT.fetch_add(1, Ordering::SeqCst)).unwrap();
    let rewake = stage.builder().build_id("broken").build().await.unwrap();
    let run = rewake.start(breaks(own, "t".into())).await.unwrap();
    resume(&rewake, "t", &1).await;
    parked(&run).await;
    (rewake, run, own)
}

async fn a_parked_run_keeps_the_request_until_it_may_go_on(stage: Stage) {
    let (rewake, run, own) = broken(&stage).await;
    assert!(run.cancel("not wanted").await.unwrap());
    parked(&run).await;
    let why = run.why().await.unwrap();
    let request = why.cancel_requested.unwrap();
    assert_eq!(request.reason.as_deref(), Some("not wanted"));
    assert!(request.then.contains("a build that fits"), "{request:?}");
    assert!(request.then.contains("`terminate`"), "{request:?}");
    assert!(stage.probe.notes().is_empty());
    rewake.shutdown(Duration::ZERO).await.unwrap();

    MENDED.fetch_or(1 << own, Ordering::SeqCst);
    let rewake = stage.builder().build_id("mended").build().await.unwrap();
    let run = rewake.get_run::<()>(run.id());
    loop {
        match run.result().await {
            Err(RunError::Parked { .. }) => tokio::task::yield_now().await,
            Err(RunError::Cancelled { reason, .. }) => {
                break assert_eq!(reason.unwrap(), "not wanted");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stage.probe.notes(), ["undone"]);
}

async fn a_parked_run_is_terminated_at_once(stage: Stage) {
    let (rewake, run, _) = broken(&stage).await;
    run.cancel("not wanted").await.unwrap();
    assert!(run.terminate("at once").await.unwrap());
    assert_eq!(cancelled(&run).await, "at once");
    assert!(rewake.get_hook_by_token("t").await.unwrap().is_none());
    assert!(stage.probe.notes().is_empty());
    assert_eq!(run.why().await.unwrap().cancel_requested, None);
}

async fn why_tells_what_a_cancelled_run_still_does(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(charges()).await.unwrap();
    stage.probe.noted("charge begins").await;
    assert_eq!(run.why().await.unwrap().cancel_requested, None);
    run.cancel("enough").await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    let why = run.why().await.unwrap();
    let bounds = why.reasons.iter().filter_map(|reason| match reason {
        Reason::CleanUp { since, until } => Some(until.since(*since)),
        _ => None,
    });
    // It was asked for before that was on record.
    let bounds: Vec<Duration> = bounds.collect();
    assert_eq!(bounds.len(), 1);
    assert!(bounds[0] <= Duration::from_mins(10), "{bounds:?}");
    let request = why.cancel_requested.unwrap();
    assert!(
        request.then.contains("shields and undo calls"),
        "{request:?}"
    );
    stage.probe.open(1);
    cancelled(&run).await;
}
