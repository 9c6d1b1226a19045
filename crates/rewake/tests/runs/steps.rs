//! Steps: attempts, failures, options, composition.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use rewake::prelude::*;
use rewake::{Limit, StepErrorKind};
use rewake_core::event::EventKind;

use crate::probe::Probe;
use crate::stage::{Stage, count, events, log, logged, on_every_stage, system_time};

on_every_stage!(
    a_step_runs_once_and_its_result_is_recorded_once,
    a_step_without_options_has_four_attempts,
    a_step_that_succeeds_at_last_gives_its_result,
    a_fatal_error_ends_the_step,
    a_step_may_ask_for_a_pause,
    a_step_may_ask_for_a_time,
    an_attempt_that_takes_too_long_fails,
    a_panic_is_a_failed_attempt,
    without_retries_there_is_one_attempt,
    a_result_that_cannot_be_encoded_fails_at_once,
    a_result_that_is_too_large_fails_at_once,
    arguments_that_cannot_be_encoded_fail_at_once,
    arguments_that_are_too_large_fail_at_once,
    options_on_the_call_stand_above_those_on_the_function,
    backoff_grows,
    a_failed_steps_causes_are_kept,
    a_step_knows_its_attempt_and_a_stable_id,
    steps_can_be_joined,
    steps_can_be_collected_as_they_end,
    a_try_join_that_fails_leaves_the_other_step_on_record,
    calls_may_be_awaited_in_another_order_than_written,
    a_call_that_is_never_polled_leaves_nothing,
    a_dropped_call_is_recorded_all_the_same,
    the_failure_of_a_step_can_be_matched_and_lived_with,
    the_failure_of_a_step_fails_the_run_with_its_words,
    a_step_uses_the_applications_values,
    a_step_called_outside_of_workflows_simply_runs,
    a_step_with_values_is_called_through_the_handle,
    a_step_may_call_a_step_as_a_function,
    more_steps_than_places_wait_for_their_turn,
);

#[derive(Debug, thiserror::Error)]
#[error("the {0} is broken")]
struct Broken(&'static str);

#[step]
async fn succeed(probe: String, #[provided] notes: Probe) -> Result<usize, Infallible> {
    Ok(notes.note(probe))
}

#[workflow]
async fn three_steps() -> anyhow::Result<Vec<usize>> {
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(succeed("ran".into()).await?);
    }
    Ok(all)
}

async fn a_step_runs_once_and_its_result_is_recorded_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(three_steps()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), [1, 2, 3]);
    assert_eq!(count(&rewake, &run, "step_created").await, 3);
    assert_eq!(count(&rewake, &run, "step_completed").await, 3);
}

#[step(backoff = "1ms")]
async fn fails(times: usize, #[provided] notes: Probe) -> Result<usize, Broken> {
    let attempt = notes.note("attempt");
    if attempt > times {
        Ok(attempt)
    } else {
        Err(Broken("machine"))
    }
}

/// What a workflow sees of a step that failed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    kind: StepErrorKind,
    message: String,
    causes: Vec<String>,
    attempts: u32,
    step_name: String,
}

fn seen<T>(result: Result<T, StepError>) -> Result<T, Seen> {
    result.map_err(|error| {
        assert!(error.step_id.is_some());
        Seen {
            kind: error.kind,
            message: error.message,
            causes: error.causes,
            attempts: error.attempts,
            step_name: error.step_name,
        }
    })
}

#[workflow]
async fn tries(times: usize) -> anyhow::Result<Result<usize, Seen>> {
    Ok(seen(fails(times).await))
}

async fn a_step_without_options_has_four_attempts(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(tries(9)).await.unwrap();
    let error = run.result().await.unwrap().unwrap_err();
    let expected = Seen {
        kind: StepErrorKind::RetriesExhausted,
        message: "the machine is broken".into(),
        causes: Vec::new(),
        attempts: 4,
        step_name: "runs::steps::fails".into(),
    };
    assert_eq!(error, expected);
    assert_eq!(stage.probe.times("attempt"), 4);
    assert_eq!(count(&rewake, &run, "step_started").await, 4);
    assert_eq!(count(&rewake, &run, "step_retrying").await, 3);
    assert_eq!(count(&rewake, &run, "step_failed").await, 1);
}

async fn a_step_that_succeeds_at_last_gives_its_result(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(tries(3)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), Ok(4));
    assert_eq!(count(&rewake, &run, "step_retrying").await, 3);
}

#[step(backoff = "1ms")]
async fn plainly_fatal(#[provided] notes: Probe) -> Result<(), FatalError> {
    notes.note("attempt");
    Err(FatalError::new("no such card"))
}

#[step(backoff = "1ms")]
async fn fatal_in_a_chain(#[provided] notes: Probe) -> anyhow::Result<()> {
    use anyhow::Context;
    notes.note("attempt");
    Err(FatalError::new("no such card")).context("while paying")
}

#[step(backoff = "1ms")]
async fn fatal_in_a_box(#[provided] notes: Probe) -> Result<(), Box<dyn Error + Send + Sync>> {
    notes.note("attempt");
    Err(FatalError::new(Broken("card")).into())
}

#[workflow]
async fn fatal_in_three_ways() -> anyhow::Result<Vec<Result<(), Seen>>> {
    Ok(vec![
        seen(plainly_fatal().await),
        seen(fatal_in_a_chain().await),
        seen(fatal_in_a_box().await),
    ])
}

async fn a_fatal_error_ends_the_step(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(fatal_in_three_ways()).await.unwrap();
    let all = run.result().await.unwrap();
    let messages = all.into_iter().map(|result| {
        let error = result.unwrap_err();
        assert_eq!(error.kind, StepErrorKind::Fatal);
        assert_eq!(error.attempts, 1);
        (error.message, error.causes)
    });
    let expected = [
        ("no such card".to_owned(), vec![]),
        ("while paying".to_owned(), vec!["no such card".to_owned()]),
        ("the card is broken".to_owned(), vec![]),
    ];
    assert_eq!(messages.collect::<Vec<_>>(), expected);
    assert_eq!(stage.probe.times("attempt"), 3);
}

#[step(max_retries = 1)]
async fn asks_for_a_pause(#[provided] notes: Probe) -> anyhow::Result<()> {
    match notes.note("attempt") {
        1 => Err(RetryableError::new("busy")
            .retry_after(Duration::from_millis(40))
            .into()),
        _ => Ok(()),
    }
}

#[workflow]
async fn waits_for_a_pause() -> anyhow::Result<()> {
    Ok(asks_for_a_pause().await?)
}

async fn a_step_may_ask_for_a_pause(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_for_a_pause()).await.unwrap();
    run.result().await.unwrap();
    assert_eq!(stage.probe.times("attempt"), 2);
    let log = log(&rewake, &run).await;
    let retrying = log.iter().find_map(|event| match &event.kind {
        EventKind::StepRetrying { retry_at, .. } => Some(*retry_at),
        _ => None,
    });
    let retry_at = retrying.expect("there was another attempt");
    let started = log.iter().filter_map(|event| {
        let again = matches!(event.kind, EventKind::StepStarted { attempt: 2, .. });
        again.then_some(event.at)
    });
    assert!(started.min().unwrap() >= retry_at, "it came too early");
}

#[step(max_retries = 1)]
async fn asks_for_a_time(
    at: std::time::SystemTime,
    #[provided] notes: Probe,
) -> anyhow::Result<()> {
    match notes.note("attempt") {
        1 => Err(RetryableError::new("busy").retry_after(at).into()),
        _ => Ok(()),
    }
}

#[workflow]
async fn waits_for_a_time(at: std::time::SystemTime) -> anyhow::Result<()> {
    Ok(asks_for_a_time(at).await?)
}

async fn a_step_may_ask_for_a_time(stage: Stage) {
    let rewake = stage.open().await;
    let at = system_time() + Duration::from_millis(60);
    let run = rewake.start(waits_for_a_time(at)).await.unwrap();
    run.result().await.unwrap();
    assert!(system_time() >= at, "it came too early");
    assert_eq!(stage.probe.times("attempt"), 2);
    // A time that has passed is no pause.
    let run = rewake.start(waits_for_a_time(std::time::UNIX_EPOCH));
    run.await.unwrap().result().await.unwrap();
}

#[step(max_retries = 1, timeout = "20ms", backoff = "1ms")]
async fn takes_too_long(#[provided] notes: Probe) -> Result<(), Infallible> {
    notes.note("attempt");
    std::future::pending().await
}

#[workflow]
async fn waits_too_long() -> anyhow::Result<Result<(), Seen>> {
    Ok(seen(takes_too_long().await))
}

async fn an_attempt_that_takes_too_long_fails(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_too_long()).await.unwrap();
    let error = run.result().await.unwrap().unwrap_err();
    assert_eq!(error.kind, StepErrorKind::TimedOut);
    assert_eq!(error.attempts, 2);
    assert!(error.message.contains("20ms"), "{}", error.message);
    assert_eq!(stage.probe.times("attempt"), 2);
}

#[step(max_retries = 2, backoff = "1ms")]
async fn panics(#[provided] notes: Probe) -> Result<(), Infallible> {
    let attempt = notes.note("attempt");
    panic!("attempt {attempt} fell over");
}

#[workflow]
async fn lives_with_panics() -> anyhow::Result<Result<(), Seen>> {
    Ok(seen(panics().await))
}

async fn a_panic_is_a_failed_attempt(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(lives_with_panics()).await.unwrap();
    let error = run.result().await.unwrap().unwrap_err();
    assert_eq!(error.kind, StepErrorKind::RetriesExhausted);
    assert_eq!(error.attempts, 3);
    assert!(
        error.message.contains("attempt 3 fell over"),
        "{}",
        error.message
    );
}

#[step(max_retries = 0)]
async fn only_once(#[provided] notes: Probe) -> Result<(), Broken> {
    notes.note("attempt");
    Err(Broken("rule"))
}

#[workflow]
async fn tries_once() -> anyhow::Result<Result<(), Seen>> {
    Ok(seen(only_once().await))
}

async fn without_retries_there_is_one_attempt(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(tries_once()).await.unwrap();
    let error = run.result().await.unwrap().unwrap_err();
    assert_eq!(error.kind, StepErrorKind::RetriesExhausted);
    assert_eq!(error.attempts, 1);
    assert_eq!(stage.probe.times("attempt"), 1);
    assert_eq!(count(&rewake, &run, "step_retrying").await, 0);
}

/// A value that its own `Serialize` refuses.
#[derive(Debug)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("this value cannot be written"))
    }
}

impl<'de> Deserialize<'de> for Unwritable {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

#[step(backoff = "1ms")]
async fn gives_what_cannot_be_written(#[provided] notes: Probe) -> Result<Unwritable, Infallible> {
    notes.note("attempt");
    Ok(Unwritable)
}

#[workflow]
async fn wants_what_cannot_be_written() -> anyhow::Result<Result<(), Seen>> {
    Ok(seen(gives_what_cannot_be_written().await).map(drop))
}

async fn a_result_that_cannot_be_encoded_fails_at_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(wants_what_cannot_be_written()).await.unwrap();
    let error = run.result().await.unwrap().unwrap_err();
    assert_eq!(error.kind, StepErrorKind::NotEncodable);
    assert_eq!(error.attempts, 1);
    assert!(error.message.contains("this value cannot be written"));
    assert_eq!(stage.probe.times("attempt"), 1);
}

#[step(backoff = "1ms")]
async fn gives_much(bytes: usize, #[provided] notes: Probe) -> Result<String, Infallible> {
    notes.note("attempt");
    Ok("x".repeat(bytes))
}

#[workflow]
async fn wants_much(bytes: usize) -> anyhow::Result<Result<usize, Seen>> {
    Ok(seen(gives_much(bytes).await).map(|much| much.len()))
}

async fn a_result_that_is_too_large_fails_at_once(stage: Stage) {
    let rewake = stage.builder().limit(Limit::Payload, 1_000);
    let rewake = rewake.build().await.unwrap();
    let run = rewake.start(wants_much(900)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), Ok(900));
    let run = rewake.start(wants_much(1_000)).await.unwrap();
    let error = run.result().await.unwrap().unwrap_err();
    assert_eq!(error.kind, StepErrorKind::NotEncodable);
    assert!(
        error.message.contains("more than the 1000 allowed"),
        "{}",
        error.message
    );
    assert_eq!(stage.probe.times("attempt"), 2);
}

#[step]
async fn takes_what_cannot_be_written(_what: Unwritable) -> Result<(), Infallible> {
    Ok(())
}

#[workflow]
async fn hands_over_what_cannot_be_written() -> anyhow::Result<String> {
    let error = takes_what_cannot_be_written(Unwritable).await.unwrap_err();
    anyhow::ensure!(error.kind == StepErrorKind::NotEncodable);
    Ok(error.message)
}

async fn arguments_that_cannot_be_encoded_fail_at_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(hands_over_what_cannot_be_written());
    let run = run.await.unwrap();
    let message = run.result().await.unwrap();
    assert!(
        message.contains("this value cannot be written"),
        "{message}"
    );
    assert_eq!(count(&rewake, &run, "step_created").await, 0);
}

#[workflow]
async fn hands_over_much(bytes: usize) -> anyhow::Result<Result<String, Seen>> {
    Ok(seen(wait_for(String::new(), "x".repeat(bytes)).await))
}

async fn arguments_that_are_too_large_fail_at_once(stage: Stage) {
    let rewake = stage.builder().limit(Limit::Payload, 1_000);
    let rewake = rewake.build().await.unwrap();
    let run = rewake.start(hands_over_much(1_000)).await.unwrap();
    let error = run.result().await.unwrap().unwrap_err();
    assert_eq!(error.kind, StepErrorKind::NotEncodable);
    assert_eq!(error.attempts, 0);
    assert!(
        error.message.contains("more than the 1000 allowed"),
        "{}",
        error.message
    );
    assert_eq!(count(&rewake, &run, "step_created").await, 0);
}

#[workflow]
async fn chooses_its_options() -> anyhow::Result<(u32, StepErrorKind)> {
    let call = fails(99)
        .max_retries(5)
        .backoff(Duration::from_millis(1))
        .timeout(Duration::from_secs(9));
    let attempts = call.await.unwrap_err().attempts;
    let quick = takes_too_long()
        .max_retries(0)
        .timeout(Duration::from_millis(5));
    Ok((attempts, quick.await.unwrap_err().kind))
}

async fn options_on_the_call_stand_above_those_on_the_function(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(chooses_its_options()).await.unwrap();
    let (attempts, kind) = run.result().await.unwrap();
    assert_eq!(attempts, 6);
    assert_eq!(kind, StepErrorKind::TimedOut);
    let log = log(&rewake, &run).await;
    let options = log.iter().find_map(|event| match &event.kind {
        EventKind::StepCreated { options, .. } => Some(*options),
        _ => None,
    });
    let options = options.unwrap();
    assert_eq!(options.max_retries, 5);
    assert_eq!(options.timeout_ms, Some(9_000));
    assert_eq!(options.backoff_ms, 1);
}

#[workflow]
async fn backs_off() -> anyhow::Result<()> {
    Ok(fails(3).backoff(Duration::from_millis(8)).await.map(drop)?)
}

async fn backoff_grows(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(backs_off()).await.unwrap();
    run.result().await.unwrap();
    let log = log(&rewake, &run).await;
    let pauses = log.iter().filter_map(|event| match &event.kind {
        EventKind::StepRetrying { retry_at, .. } => Some(retry_at.since(event.at)),
        _ => None,
    });
    let pauses: Vec<Duration> = pauses.collect();
    assert_eq!(pauses.len(), 3);
    assert!(pauses.last() > pauses.first(), "{pauses:?}");
    assert!(
        pauses
            .iter()
            .all(|pause| *pause < Duration::from_millis(200)),
        "{pauses:?}"
    );
}

#[step(max_retries = 0)]
async fn fails_for_reasons() -> anyhow::Result<()> {
    use anyhow::Context;
    Err(Broken("wire"))
        .context("no connection")
        .context("not published")
}

#[workflow]
async fn asks_for_reasons() -> anyhow::Result<Result<(), Seen>> {
    Ok(seen(fails_for_reasons().await))
}

async fn a_failed_steps_causes_are_kept(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_for_reasons()).await.unwrap();
    let error = run.result().await.unwrap().unwrap_err();
    assert_eq!(error.message, "not published");
    assert_eq!(error.causes, ["no connection", "the wire is broken"]);
}

#[step(backoff = "1ms")]
async fn tells_of_itself(#[provided] notes: Probe) -> anyhow::Result<(String, String, u32)> {
    let about = step_metadata();
    assert!(about.started_at <= system_time());
    assert_eq!(about.step_name, "runs::steps::tells_of_itself");
    notes.note(about.step_id.to_string());
    if about.attempt < 3 {
        anyhow::bail!("again");
    }
    let run = about.run_id.to_string();
    Ok((about.step_id.to_string(), run, about.attempt))
}

#[workflow]
async fn asks_steps_of_themselves() -> anyhow::Result<Vec<(String, String, u32)>> {
    Ok(vec![tells_of_itself().await?, tells_of_itself().await?])
}

async fn a_step_knows_its_attempt_and_a_stable_id(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_steps_of_themselves()).await.unwrap();
    let told = run.result().await.unwrap();
    assert_ne!(told[0].0, told[1].0, "two calls are two steps");
    for (id, of, attempt) in told {
        assert_eq!(of, run.id().to_string());
        assert_eq!(attempt, 3);
        assert_eq!(stage.probe.times(&id), 3, "the same id in every attempt");
    }
}

#[step]
async fn meet(n: usize, others: usize, #[provided] notes: Probe) -> Result<usize, Infallible> {
    // Ends only when all of them are under way.
    if notes.note("met") == others {
        notes.open(others);
    }
    notes.pass().await;
    Ok(n)
}

#[workflow]
async fn joins_two() -> anyhow::Result<Vec<usize>> {
    let (a, b) = futures::join!(meet(1, 5), meet(2, 5));
    Ok(vec![a?, b?])
}

async fn steps_can_be_joined(stage: Stage) {
    let rewake = stage.open().await;
    // Three of one run and two of another: they meet, so all of them run at the same time.
    let three = rewake.start(joins_three()).await.unwrap();
    let two = rewake.start(joins_two()).await.unwrap();
    assert_eq!(two.result().await.unwrap(), [1, 2]);
    assert_eq!(three.result().await.unwrap(), [1, 2, 3]);
    let names = events(&rewake, &three).await;
    let created = names.iter().rposition(|name| *name == "step_created");
    let ended = names.iter().position(|name| *name == "step_completed");
    assert!(created < ended, "{names:?}");
}

#[workflow]
async fn joins_three() -> anyhow::Result<Vec<usize>> {
    let boxed: std::pin::Pin<Box<dyn Future<Output = Result<usize, StepError>> + Send>> =
        Box::pin(meet(3, 5));
    let (a, b, c) = futures::try_join!(meet(1, 5), meet(2, 5), boxed)?;
    Ok(vec![a, b, c])
}

#[step]
async fn wait_for(what: String, then: String, #[provided] notes: Probe) -> anyhow::Result<String> {
    if !what.is_empty() {
        notes.noted(&what).await;
    }
    Ok(then)
}

#[step]
async fn tell(what: String, #[provided] notes: Probe) -> anyhow::Result<()> {
    notes.note(what);
    Ok(())
}

#[workflow]
async fn collects() -> anyhow::Result<Vec<String>> {
    let mut calls = FuturesUnordered::new();
    calls.push(wait_for("second".into(), "third".into()));
    calls.push(wait_for("first".into(), "second".into()));
    calls.push(wait_for(String::new(), "first".into()));
    let mut ended = Vec::new();
    while let Some(result) = calls.next().await {
        let name = result?;
        tell(name.clone()).await?;
        ended.push(name);
    }
    Ok(ended)
}

async fn steps_can_be_collected_as_they_end(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(collects()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), ["first", "second", "third"]);
    assert_eq!(count(&rewake, &run, "step_completed").await, 6);
}

#[step(max_retries = 0)]
async fn fails_now() -> Result<(), Broken> {
    Err(Broken("plan"))
}

#[workflow]
async fn tries_both() -> anyhow::Result<bool> {
    let slow = wait_for("go on".into(), "done".into());
    let failed = futures::try_join!(fails_now(), slow).is_err();
    tell("go on".into()).await?;
    wait_for("checked".into(), String::new()).await?;
    Ok(failed)
}

async fn a_try_join_that_fails_leaves_the_other_step_on_record(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(tries_both()).await.unwrap();
    logged(&rewake, &run, "step_completed", 2).await;
    stage.probe.note("checked");
    assert!(run.result().await.unwrap());
    assert_eq!(count(&rewake, &run, "step_failed").await, 1);
    assert_eq!(count(&rewake, &run, "step_completed").await, 3);
}

#[workflow]
async fn awaits_backwards() -> anyhow::Result<Vec<String>> {
    let first = wait_for(String::new(), "first".into());
    let second = wait_for(String::new(), "second".into());
    let (second, first) = (second.await?, first.await?);
    Ok(vec![first, second])
}

async fn calls_may_be_awaited_in_another_order_than_written(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(awaits_backwards()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), ["first", "second"]);
}

#[workflow]
async fn never_polls() -> anyhow::Result<()> {
    let never = succeed("never".into());
    succeed("polled".into()).await?;
    drop(never);
    Ok(())
}

async fn a_call_that_is_never_polled_leaves_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(never_polls()).await.unwrap();
    run.result().await.unwrap();
    assert_eq!(count(&rewake, &run, "step_created").await, 1);
    assert_eq!(stage.probe.notes(), ["polled"]);
}

#[workflow]
async fn drops_a_call(token: String) -> anyhow::Result<()> {
    let slow = wait_for("go on".into(), "ignored".into());
    anyhow::ensure!(timeout(Duration::from_millis(5), slow).await.is_err());
    create_hook::<u64>().token(token).await?.recv().await?;
    Ok(())
}

async fn a_dropped_call_is_recorded_all_the_same(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(drops_a_call("t".into())).await.unwrap();
    crate::stage::hook(&rewake, "t").await;
    assert_eq!(count(&rewake, &run, "step_completed").await, 0);
    stage.probe.note("go on");
    logged(&rewake, &run, "step_completed", 1).await;
    crate::stage::resume(&rewake, "t", &1).await;
    run.result().await.unwrap();
}

#[workflow]
async fn lives_with_it() -> anyhow::Result<String> {
    match fails_now().await {
        Err(StepError {
            kind: StepErrorKind::RetriesExhausted,
            ..
        }) => Ok("another way".into()),
        other => Ok(other.map(|()| "worked".into())?),
    }
}

async fn the_failure_of_a_step_can_be_matched_and_lived_with(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(lives_with_it()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), "another way");
}

#[workflow]
async fn gives_up() -> anyhow::Result<()> {
    Ok(fails_for_reasons().await?)
}

async fn the_failure_of_a_step_fails_the_run_with_its_words(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gives_up()).await.unwrap();
    let Err(RunError::Failed { message, .. }) = run.result().await else {
        panic!("it did not fail");
    };
    assert!(message.contains("fails_for_reasons"), "{message}");
    assert!(message.contains("not published"), "{message}");
}

#[step]
async fn finds_values() -> anyhow::Result<bool> {
    let before = provided::<Probe>()?.note("found");
    tokio::task::yield_now().await;
    Ok(provided::<Probe>()?.note("found") == before + 1 && provided::<Absent>().is_err())
}

/// A type of which no value is provided.
#[derive(Clone)]
struct Absent;

#[workflow]
async fn asks_for_values() -> anyhow::Result<bool> {
    Ok(finds_values().await?)
}

async fn a_step_uses_the_applications_values(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_for_values()).await.unwrap();
    assert!(run.result().await.unwrap());
    assert_eq!(stage.probe.times("found"), 2);
}

#[step]
async fn adds(a: u64, b: u64) -> anyhow::Result<u64> {
    anyhow::ensure!(a > 0, "too small");
    Ok(a + b)
}

async fn a_step_called_outside_of_workflows_simply_runs(_: Stage) {
    assert_eq!(adds(1, 2).await.unwrap(), 3);
    let error = adds(0, 2).await.unwrap_err();
    assert_eq!(error.message, "too small");
    assert_eq!(error.attempts, 1);
    assert_eq!(error.step_id, None);
    // Values are the handle's, so a step that wants some is called through it.
    let error = succeed("x".into()).await.unwrap_err();
    assert!(
        error.message.contains("rewake.call(step).await"),
        "{}",
        error.message
    );
}

async fn a_step_with_values_is_called_through_the_handle(stage: Stage) {
    let rewake = stage.open().await;
    assert_eq!(rewake.call(succeed("x".into())).await.unwrap(), 1);
    assert_eq!(rewake.call(adds(2, 2)).await.unwrap(), 4);
    assert!(rewake.call(finds_values()).await.unwrap());
    assert_eq!(stage.probe.times("x"), 1);
}

#[step]
async fn calls_another() -> anyhow::Result<u64> {
    Ok(adds(3, 4).await?)
}

#[workflow]
async fn calls_nested_steps() -> anyhow::Result<u64> {
    Ok(calls_another().await?)
}

async fn a_step_may_call_a_step_as_a_function(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(calls_nested_steps()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 7);
    assert_eq!(count(&rewake, &run, "step_created").await, 1);
}

#[step]
async fn counts_who_is_inside(#[provided] notes: Probe) -> Result<usize, Infallible> {
    let inside = notes.note("in") - notes.times("out");
    tokio::task::yield_now().await;
    notes.note("out");
    Ok(inside)
}

#[workflow]
async fn crowds() -> anyhow::Result<usize> {
    let inside = join_all((0..20).map(|_| counts_who_is_inside())).await;
    let inside: Result<Vec<usize>, StepError> = inside.into_iter().collect();
    Ok(inside?.into_iter().max().unwrap_or_default())
}

async fn more_steps_than_places_wait_for_their_turn(stage: Stage) {
    let rewake = stage.builder().max_steps(2).build().await.unwrap();
    let run = rewake.start(crowds()).await.unwrap();
    assert!(run.result().await.unwrap() <= 2);
    assert_eq!(stage.probe.times("out"), 20);
}
