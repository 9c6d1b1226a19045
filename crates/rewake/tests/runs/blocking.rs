//! Steps that hold their thread: plain functions, which run where that harms nobody.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rewake::StepErrorKind;
use rewake::prelude::*;

use crate::probe::Probe;
use crate::stage::{Stage, count, in_time, on_every_stage};

on_every_stage!(
    a_blocking_step_knows_itself_and_its_values,
    a_panic_of_a_blocking_step_is_a_failed_attempt,
    a_result_of_a_blocking_step_that_cannot_be_encoded_fails_at_once,
    a_blocking_step_that_takes_too_long_fails_and_runs_on,
    a_blocking_step_is_called_through_the_handle,
);

/// Somebody for whom a thread waits.
#[derive(Clone)]
struct Answer(Arc<Mutex<mpsc::Receiver<u64>>>);

#[step]
fn waits_for_an_answer() -> anyhow::Result<u64> {
    let Answer(answers) = provided()?;
    let answer = answers.lock().unwrap().recv()?;
    Ok(answer)
}

#[step]
async fn does_something_else(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.note("something else");
    Ok(())
}

#[workflow]
async fn waits_for_a_thread() -> anyhow::Result<u64> {
    Ok(waits_for_an_answer().await?)
}

#[workflow]
async fn does_more() -> anyhow::Result<()> {
    Ok(does_something_else().await?)
}

/// All that is asynchronous has one thread here. If the step held it, nothing would ever answer.
#[tokio::test]
async fn a_step_that_blocks_holds_up_no_other_step_and_nobody_else() {
    let stage = Stage::in_memory();
    let (tell, answers) = mpsc::channel();
    let answer = Answer(Arc::new(Mutex::new(answers)));
    let rewake = stage.builder().provide(answer).build().await.unwrap();
    let blocked = rewake.start(waits_for_a_thread()).await.unwrap();
    crate::stage::logged(&rewake, &blocked, "step_started", 1).await;
    let other = rewake.start(does_more()).await.unwrap();
    other.result().await.unwrap();
    tell.send(42).unwrap();
    assert_eq!(blocked.result().await.unwrap(), 42);
    assert_eq!(stage.probe.notes(), ["something else"]);
}

#[step(backoff = "1ms")]
fn tells_of_itself(said: String, #[provided] probe: Probe) -> anyhow::Result<(String, u32)> {
    let about = step_metadata();
    provided::<Probe>()?.note(&said);
    probe.note(&said);
    anyhow::ensure!(about.attempt == 2, "again");
    Ok((about.step_name, about.attempt))
}

#[workflow]
async fn asks_of_itself() -> anyhow::Result<(String, u32)> {
    Ok(tells_of_itself("here".into()).await?)
}

async fn a_blocking_step_knows_itself_and_its_values(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_of_itself()).await.unwrap();
    let (name, attempt) = run.result().await.unwrap();
    assert_eq!(
        (name.as_str(), attempt),
        ("runs::blocking::tells_of_itself", 2)
    );
    assert_eq!(stage.probe.times("here"), 4);
}

#[step(max_retries = 1, backoff = "1ms")]
fn falls_over(#[provided] probe: Probe) -> anyhow::Result<()> {
    panic!("attempt {} fell over", probe.note("attempt"))
}

#[workflow]
async fn sees_it_fall() -> anyhow::Result<(StepErrorKind, String, u32)> {
    let error = falls_over().await.unwrap_err();
    Ok((error.kind, error.message, error.attempts))
}

async fn a_panic_of_a_blocking_step_is_a_failed_attempt(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sees_it_fall()).await.unwrap();
    let message = "the step panicked: attempt 2 fell over".to_owned();
    let expected = (StepErrorKind::RetriesExhausted, message, 2);
    assert_eq!(run.result().await.unwrap(), expected);
}

/// A value that its own `Serialize` refuses.
#[derive(Deserialize)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("this value cannot be written"))
    }
}

#[step]
fn gives_what_cannot_be_written(#[provided] probe: Probe) -> anyhow::Result<Unwritable> {
    probe.note("attempt");
    Ok(Unwritable)
}

#[workflow]
async fn wants_what_cannot_be_written() -> anyhow::Result<StepErrorKind> {
    let error = gives_what_cannot_be_written().await.map(drop).unwrap_err();
    Ok(error.kind)
}

async fn a_result_of_a_blocking_step_that_cannot_be_encoded_fails_at_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(wants_what_cannot_be_written()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), StepErrorKind::NotEncodable);
    assert_eq!(stage.probe.times("attempt"), 1);
}

#[step(max_retries = 0, timeout = "20ms")]
fn takes_long(#[provided] probe: Probe) -> anyhow::Result<()> {
    futures::executor::block_on(probe.pass());
    probe.note("came to its end");
    Ok(())
}

#[workflow]
async fn waits_too_long() -> anyhow::Result<StepErrorKind> {
    Ok(takes_long().await.unwrap_err().kind)
}

async fn a_blocking_step_that_takes_too_long_fails_and_runs_on(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_too_long()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), StepErrorKind::TimedOut);
    assert_eq!(stage.probe.times("came to its end"), 0);
    stage.probe.open(1);
    stage.probe.noted("came to its end").await;
    assert_eq!(count(&rewake, &run, "step_completed").await, 0);
}

#[step]
fn adds(a: u64, b: u64) -> anyhow::Result<u64> {
    anyhow::ensure!(a > 0, "too small");
    Ok(a + b)
}

#[step]
fn notes(what: String, #[provided] probe: Probe) -> anyhow::Result<usize> {
    Ok(probe.note(what))
}

async fn a_blocking_step_is_called_through_the_handle(stage: Stage) {
    let rewake = stage.open().await;
    assert_eq!(rewake.call(notes("x".into())).await.unwrap(), 1);
    assert_eq!(rewake.call(adds(2, 2)).await.unwrap(), 4);
}

#[test]
fn a_blocking_step_outside_of_any_async_runtime_runs_where_it_is_awaited() {
    assert_eq!(futures::executor::block_on(adds(1, 2)).unwrap(), 3);
    let error = futures::executor::block_on(adds(0, 2)).unwrap_err();
    assert_eq!(error.message, "too small");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_blocking_steps_at_once_all_end() {
    in_time(async {
        let stage = Stage::in_memory();
        let rewake = stage.builder().max_steps(20).build().await.unwrap();
        let run = rewake.start(adds_up(100)).await.unwrap();
        assert_eq!(run.result().await.unwrap(), (1..=100).sum::<u64>());
        // Time for those that hold their threads is the machine's own.
        rewake.shutdown(Duration::from_secs(5)).await.unwrap();
    })
    .await;
}

#[workflow]
async fn adds_up(calls: u64) -> anyhow::Result<u64> {
    let sums = (0..calls).map(|n| adds(1, n));
    let sums = futures::future::try_join_all(sums).await?;
    Ok(sums.into_iter().sum())
}
