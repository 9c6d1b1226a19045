//! Signals: what a step hears of when nobody waits for it any more, or its workflow calls it off.

use std::sync::Arc;
use std::time::Duration;

use rewake::Limit;
use rewake::prelude::*;
use rewake_core::event::{Event, EventKind};

use crate::probe::Probe;
use crate::stage::{Stage, count, log, logged, on_every_stage};

on_every_stage!(
    a_step_of_a_cancelled_run_hears_of_it,
    a_step_hears_of_it_while_the_undo_calls_go_on,
    a_step_of_a_terminated_run_hears_of_it,
    a_step_hears_that_its_workflow_has_returned,
    a_step_that_nobody_calls_off_hears_of_nothing,
    a_step_in_a_shield_hears_of_nothing,
    what_a_step_gives_after_its_run_has_ended_is_discarded,
    a_step_that_does_not_listen_is_dropped_after_a_grace,
    no_further_attempt_begins_for_a_cancelled_run,
    a_step_that_waits_for_a_place_does_not_begin_for_a_cancelled_run,
    a_controller_reaches_a_step_under_way,
    a_controller_reaches_a_step_that_begins_later,
    a_controller_reaches_an_attempt_in_the_next_process,
    the_loser_of_a_race_is_called_off,
    a_workflow_hears_its_own_controller,
    the_first_reason_stands_and_is_on_record_once,
    a_signal_that_is_not_aborted_says_so,
    a_signal_inside_another_value_is_the_same_one,
    a_signal_outside_its_run_says_what_it_said,
);

/// Listens to its own signal, and notes what it hears.
#[step]
async fn listens(#[provided] probe: Probe) -> anyhow::Result<String> {
    let signal = step_metadata().cancellation;
    assert!(!signal.is_aborted());
    probe.note("listens");
    signal.aborted().await;
    let reason = signal.reason().unwrap_or_default();
    probe.note(format!("heard: {reason}"));
    Ok(reason)
}

#[workflow]
async fn calls_one_that_listens() -> anyhow::Result<String> {
    Ok(listens().await?)
}

async fn a_step_of_a_cancelled_run_hears_of_it(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(calls_one_that_listens()).await.unwrap();
    stage.probe.noted("listens").await;
    run.cancel("too late").await.unwrap();
    stage
        .probe
        .noted("heard: the run is cancelled: too late")
        .await;
    run.result().await.unwrap_err();
}

#[step]
async fn waits_until_it_is_heard(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.noted("heard: the run is cancelled: too late").await;
    Ok(())
}

#[workflow]
async fn undoes_once_it_is_heard() -> anyhow::Result<String> {
    undo(waits_until_it_is_heard());
    Ok(listens().await?)
}

async fn a_step_hears_of_it_while_the_undo_calls_go_on(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(undoes_once_it_is_heard()).await.unwrap();
    stage.probe.noted("listens").await;
    run.cancel("too late").await.unwrap();
    let error = run.result().await.unwrap_err();
    assert!(matches!(error, RunError::Cancelled { .. }), "{error}");
}

async fn a_step_of_a_terminated_run_hears_of_it(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(calls_one_that_listens()).await.unwrap();
    stage.probe.noted("listens").await;
    run.terminate("at once").await.unwrap();
    stage
        .probe
        .noted("heard: the run is cancelled: at once")
        .await;
}

#[workflow]
async fn does_not_wait(then: String) -> anyhow::Result<()> {
    select! {
        heard = listens() => { heard?; }
        () = sleep(Duration::from_millis(30)) => {}
    }
    anyhow::ensure!(then != "fails", "on purpose");
    Ok(())
}

async fn a_step_hears_that_its_workflow_has_returned(stage: Stage) {
    let rewake = stage.open().await;
    for then in ["fails", "returns"] {
        let before = stage.probe.notes().len();
        let run = rewake.start(does_not_wait(then.into())).await.unwrap();
        let result = run.result().await;
        assert_eq!(result.is_ok(), then == "returns");
        while stage.probe.notes().len() < before + 2 {
            tokio::task::yield_now().await;
        }
        let heard = stage.probe.notes().pop().unwrap();
        assert!(heard.starts_with("heard: the run"), "{heard}");
    }
}

/// Notes whether it has heard of anything by the time that it is let through.
#[step]
async fn asks_later(#[provided] probe: Probe) -> anyhow::Result<bool> {
    probe.note("asks later");
    probe.pass().await;
    let aborted = step_metadata().cancellation.is_aborted();
    probe.note(format!("aborted: {aborted}"));
    Ok(aborted)
}

#[workflow]
async fn asks(shielded: bool) -> anyhow::Result<bool> {
    if shielded {
        Ok(shield(asks_later()).await?)
    } else {
        Ok(asks_later().await?)
    }
}

async fn a_step_that_nobody_calls_off_hears_of_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks(false)).await.unwrap();
    stage.probe.open(1);
    assert!(!run.result().await.unwrap());
}

async fn a_step_in_a_shield_hears_of_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks(true)).await.unwrap();
    stage.probe.noted("asks later").await;
    run.cancel("enough").await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    stage.probe.open(1);
    run.result().await.unwrap_err();
    assert_eq!(stage.probe.notes(), ["asks later", "aborted: false"]);
}

async fn what_a_step_gives_after_its_run_has_ended_is_discarded(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks(false)).await.unwrap();
    stage.probe.noted("asks later").await;
    run.cancel("enough").await.unwrap();
    run.result().await.unwrap_err();
    let before = log(&rewake, &run).await;
    stage.probe.open(1);
    stage.probe.noted("aborted: true").await;
    assert_eq!(log(&rewake, &run).await, before);
}

/// Notes when it is dropped.
struct Guard(Probe);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.note("dropped");
    }
}

#[step]
async fn does_not_listen(#[provided] probe: Probe) -> anyhow::Result<()> {
    let _guard = Guard(probe.clone());
    probe.note("begins");
    std::future::pending::<()>().await;
    Ok(())
}

#[workflow]
async fn calls_one_that_does_not_listen() -> anyhow::Result<()> {
    Ok(does_not_listen().await?)
}

async fn a_step_that_does_not_listen_is_dropped_after_a_grace(stage: Stage) {
    let builder = stage.builder().limit(Limit::AbortGraceMs, 20).max_steps(1);
    let rewake = builder.build().await.unwrap();
    let run = rewake
        .start(calls_one_that_does_not_listen())
        .await
        .unwrap();
    stage.probe.noted("begins").await;
    run.cancel("enough").await.unwrap();
    stage.probe.noted("dropped").await;
    // Its place is free for others.
    stage.probe.open(1);
    let next = rewake.start(asks(false)).await.unwrap();
    assert!(!next.result().await.unwrap());
}

#[step(max_retries = 5, backoff = "10ms")]
async fn fails_when_let_through(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.note("attempt");
    probe.pass().await;
    anyhow::bail!("not yet")
}

#[workflow]
async fn retries_until_cancelled() -> anyhow::Result<()> {
    undo(asks_later());
    Ok(fails_when_let_through().await?)
}

async fn no_further_attempt_begins_for_a_cancelled_run(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(retries_until_cancelled()).await.unwrap();
    stage.probe.noted("attempt").await;
    run.cancel("enough").await.unwrap();
    stage.probe.noted("asks later").await;
    // The attempt, and then the undo call: it waits behind.
    stage.probe.open(1);
    logged(&rewake, &run, "step_retrying", 1).await;
    stage.probe.open(1);
    run.result().await.unwrap_err();
    assert_eq!(stage.probe.times("attempt"), 1);
}

#[workflow]
async fn calls_two() -> anyhow::Result<()> {
    let (a, b) = futures::join!(asks_later(), asks_later());
    a?;
    b?;
    Ok(())
}

async fn a_step_that_waits_for_a_place_does_not_begin_for_a_cancelled_run(stage: Stage) {
    let rewake = stage.builder().max_steps(1).build().await.unwrap();
    let run = rewake.start(calls_two()).await.unwrap();
    stage.probe.noted("asks later").await;
    run.cancel("enough").await.unwrap();
    run.result().await.unwrap_err();
    stage.probe.open(2);
    let next = rewake.start(asks(false)).await.unwrap();
    assert!(!next.result().await.unwrap());
    assert_eq!(
        stage.probe.times("asks later"),
        2,
        "the first, and the next run's"
    );
}

/// Waits for a signal that it is given, and says why it came.
#[step(backoff = "1ms")]
async fn follows(signal: AbortSignal, #[provided] probe: Probe) -> anyhow::Result<String> {
    probe.note(format!("follows, aborted: {}", signal.is_aborted()));
    signal.aborted().await;
    Ok(signal.reason().unwrap_or_default())
}

#[workflow]
async fn calls_off(token: String) -> anyhow::Result<(String, String)> {
    let controller = AbortController::new();
    let mut under_way = follows(controller.signal());
    let mut hook = create_hook::<String>().token(token).await?;
    let why = select! {
        early = &mut under_way => anyhow::bail!("too early: {early:?}"),
        why = hook.recv() => why?,
    };
    controller.abort(why);
    let later = follows(controller.signal()).await?;
    Ok((under_way.await?, later))
}

async fn a_controller_reaches_a_step_under_way(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(calls_off("t".into())).await.unwrap();
    stage.probe.noted("follows, aborted: false").await;
    crate::stage::resume(&rewake, "t", "no money").await;
    let expected = ("no money".to_owned(), "no money".to_owned());
    assert_eq!(run.result().await.unwrap(), expected);
}

async fn a_controller_reaches_a_step_that_begins_later(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(calls_off("t".into())).await.unwrap();
    crate::stage::resume(&rewake, "t", "no money").await;
    run.result().await.unwrap();
    stage.probe.noted("follows, aborted: true").await;
}

#[workflow]
async fn calls_off_and_waits() -> anyhow::Result<String> {
    let controller = AbortController::new();
    controller.abort("it is over");
    let ends = futures::join!(blocks(), follows_late(controller.signal()));
    ends.0?;
    Ok(ends.1?)
}

#[step]
async fn blocks(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.note("blocks");
    probe.pass().await;
    Ok(())
}

/// Asks its signal once it is let through, in whichever process that is.
#[step(max_retries = 9, backoff = "1ms")]
async fn follows_late(signal: AbortSignal, #[provided] probe: Probe) -> anyhow::Result<String> {
    probe.note("follows late");
    probe.pass().await;
    Ok(format!("{} {:?}", signal.is_aborted(), signal.reason()))
}

async fn a_controller_reaches_an_attempt_in_the_next_process(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(calls_off_and_waits()).await.unwrap();
    stage.probe.noted("follows late").await;
    stage.probe.noted("blocks").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    stage.probe.open(2);
    let run = rewake.get_run::<String>(run.id());
    assert_eq!(run.result().await.unwrap(), "true Some(\"it is over\")");
}

#[step]
async fn searches(quick: bool, signal: AbortSignal) -> anyhow::Result<String> {
    if quick {
        return Ok("found".into());
    }
    signal.aborted().await;
    Ok(signal.reason().unwrap_or_default())
}

#[workflow]
async fn races() -> anyhow::Result<(String, String)> {
    let controller = AbortController::new();
    let mut slow = searches(false, controller.signal());
    let first = select! {
        found = searches(true, controller.signal()) => found?,
        found = &mut slow => found?,
    };
    controller.abort("too slow");
    Ok((first, slow.await?))
}

async fn the_loser_of_a_race_is_called_off(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(races()).await.unwrap();
    let expected = ("found".to_owned(), "too slow".to_owned());
    assert_eq!(run.result().await.unwrap(), expected);
    rewake.shutdown(Duration::ZERO).await.unwrap();
}

#[workflow]
async fn hears_itself() -> anyhow::Result<Vec<String>> {
    let controller = AbortController::new();
    let (one, two) = (controller.signal(), controller.signal());
    let waits = async {
        one.aborted().await;
        one.reason().unwrap_or_default()
    };
    let aborts = async {
        sleep(Duration::from_millis(1)).await;
        controller.abort("here");
        two.is_aborted().to_string()
    };
    let (waited, aborted) = futures::join!(waits, aborts);
    Ok(vec![waited, aborted])
}

async fn a_workflow_hears_its_own_controller(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(hears_itself()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), ["here", "true"]);
}

#[workflow]
async fn aborts_twice(token: String) -> anyhow::Result<Option<String>> {
    let controller = AbortController::new();
    controller.abort("first");
    controller.abort("second");
    let mut hook = create_hook::<u64>().token(token).await?;
    hook.recv().await?;
    Ok(controller.signal().reason())
}

async fn the_first_reason_stands_and_is_on_record_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(aborts_twice("t".into())).await.unwrap();
    logged(&rewake, &run, "step_completed", 1).await;
    crate::stage::resume(&rewake, "t", &1).await;
    assert_eq!(run.result().await.unwrap().as_deref(), Some("first"));
    let log: Vec<Event> = log(&rewake, &run).await;
    let calls = log.iter().filter(|event| {
        matches!(&event.kind, EventKind::StepCreated { name, .. } if name == "rewake::abort")
    });
    assert_eq!(calls.count(), 1);
}

#[workflow]
async fn aborts_nothing() -> anyhow::Result<String> {
    let controller = AbortController::new();
    let said = format!(
        "{} {:?}",
        controller.signal().is_aborted(),
        controller.signal().reason()
    );
    let step = tells(controller.signal()).await?;
    Ok(format!("{said}, {step}"))
}

#[step]
async fn tells(signal: AbortSignal) -> anyhow::Result<String> {
    Ok(format!("{} {:?}", signal.is_aborted(), signal.reason()))
}

async fn a_signal_that_is_not_aborted_says_so(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(aborts_nothing()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), "false None, false None");
    assert_eq!(
        count(&rewake, &run, "step_created").await,
        1,
        "a controller leaves nothing"
    );
}

#[derive(Serialize, Deserialize)]
struct Job {
    name: String,
    signals: Vec<AbortSignal>,
}

#[step]
async fn does_a_job(job: Job, #[provided] probe: Probe) -> anyhow::Result<String> {
    probe.note(job.name);
    job.signals[1].aborted().await;
    Ok(format!(
        "{} {}",
        job.signals[0].is_aborted(),
        job.signals[1].is_aborted()
    ))
}

#[workflow]
async fn gives_a_job(token: String) -> anyhow::Result<String> {
    let (a, b) = (AbortController::new(), AbortController::new());
    let job = Job {
        name: "job".into(),
        signals: vec![a.signal(), b.signal()],
    };
    let mut hook = create_hook::<u64>().token(token).await?;
    let aborts = async {
        hook.recv().await?;
        b.abort("enough");
        anyhow::Ok(())
    };
    let (done, aborted) = futures::join!(does_a_job(job), aborts);
    aborted?;
    Ok(done?)
}

async fn a_signal_inside_another_value_is_the_same_one(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gives_a_job("t".into())).await.unwrap();
    stage.probe.noted("job").await;
    crate::stage::resume(&rewake, "t", &1).await;
    assert_eq!(run.result().await.unwrap(), "false true");
}

#[workflow]
async fn gives_its_signals_away() -> anyhow::Result<(AbortSignal, AbortSignal)> {
    let (a, b) = (AbortController::new(), AbortController::new());
    b.abort("here");
    Ok((a.signal(), b.signal()))
}

async fn a_signal_outside_its_run_says_what_it_said(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gives_its_signals_away()).await.unwrap();
    let (a, b) = run.result().await.unwrap();
    assert!(!a.is_aborted());
    assert_eq!(b.reason().as_deref(), Some("here"));
    b.aborted().await;
    let _shared: Arc<AbortSignal> = Arc::new(a);
}
