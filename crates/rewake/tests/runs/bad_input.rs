//! Times at the ends of what there is: nothing panics, nothing is parked, and what can never come
//! about waits like anything else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt;
use futures::future::BoxFuture;
use rewake::prelude::*;
use rewake::{RunStatus, StepErrorKind};

use crate::probe::Probe;
use crate::stage::{Stage, count, hook, on_every_stage, resume};

on_every_stage!(
    times_at_both_ends_do_no_harm,
    a_run_that_never_begins_can_be_asked_about_and_cancelled,
    a_step_that_is_never_tried_again_can_be_asked_about_and_cancelled,
);

/// The last point of time that the machine knows.
fn last_time() -> SystemTime {
    (0..64).rev().fold(UNIX_EPOCH, |time, bit| {
        time.checked_add(Duration::from_secs(1 << bit))
            .unwrap_or(time)
    })
}

/// The first that it knows, long before 1970.
fn first_time() -> SystemTime {
    (0..64).rev().fold(UNIX_EPOCH, |time, bit| {
        time.checked_sub(Duration::from_secs(1 << bit))
            .unwrap_or(time)
    })
}

type Case = (&'static str, fn() -> BoxFuture<'static, bool>);

/// True where the time never comes.
fn never<F: Future + Send + 'static>(waiting: F) -> BoxFuture<'static, bool> {
    let waiting = timeout(Duration::from_millis(5), waiting);
    waiting.map(|waited| waited.is_err()).boxed()
}

/// True where the time has come.
fn at_once<F: Future + Send + 'static>(waiting: F) -> BoxFuture<'static, bool> {
    let waiting = timeout(hours(1), waiting);
    waiting.map(|waited| waited.is_ok()).boxed()
}

async fn hook_for(span: Duration) -> Result<u64, HookError> {
    let mut hook = create_hook::<u64>().expires_in(span).await?;
    hook.recv().await
}

/// When a step wants to be tried again.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum When {
    BeforeAll,
    AfterAll,
    AfterAnyPause,
}

#[step(max_retries = 1)]
async fn wants_to_be_tried(when: When, #[provided] probe: Probe) -> anyhow::Result<u32> {
    let attempt = step_metadata().attempt;
    probe.note("attempt");
    if attempt == 2 {
        return Ok(attempt);
    }
    let busy = RetryableError::new("busy");
    let busy = match when {
        When::BeforeAll => busy.retry_after(first_time()),
        When::AfterAll => busy.retry_after(last_time()),
        When::AfterAnyPause => busy.retry_after(Duration::MAX),
    };
    Err(busy.into())
}

const CASES: [Case; 14] = [
    ("a sleep of the longest time", || {
        never(sleep(Duration::MAX))
    }),
    ("a sleep of all days", || never(sleep(days(u64::MAX)))),
    ("a sleep of all seconds", || never(sleep(seconds(u64::MAX)))),
    ("a sleep until the last time", || {
        never(sleep_until(last_time()))
    }),
    ("a sleep of no time", || at_once(sleep(Duration::ZERO))),
    ("a sleep of a nanosecond", || {
        at_once(sleep(Duration::from_nanos(1)))
    }),
    ("a sleep until the first time", || {
        at_once(sleep_until(first_time()))
    }),
    ("a timeout of the longest time", || {
        let waiting = timeout(Duration::MAX, sleep(Duration::ZERO));
        waiting.map(|waited| waited.is_ok()).boxed()
    }),
    ("a timeout of no time", || {
        let waiting = timeout(Duration::ZERO, sleep(hours(1)));
        waiting.map(|waited| waited.is_err()).boxed()
    }),
    ("a hook that lives for ever", || {
        never(hook_for(Duration::MAX))
    }),
    ("a hook that lives for no time", || {
        let received = hook_for(Duration::ZERO);
        received
            .map(|received| matches!(received, Err(HookError::Expired)))
            .boxed()
    }),
    ("a step with the longest timeout", || {
        let call = wants_to_be_tried(When::BeforeAll).timeout(Duration::MAX);
        call.map(|tried| tried == Ok(2)).boxed()
    }),
    ("a step that is tried again before 1970", || {
        let call = wants_to_be_tried(When::BeforeAll);
        call.map(|tried| tried == Ok(2)).boxed()
    }),
    ("a step with the longest backoff and no retries", || {
        let call = wants_to_be_tried(When::AfterAll);
        let call = call.backoff(Duration::MAX).max_retries(0);
        call.map(|tried| tried.is_err_and(|error| error.kind == StepErrorKind::RetriesExhausted))
            .boxed()
    }),
];

#[workflow]
async fn holds(case: usize) -> anyhow::Result<bool> {
    Ok(CASES[case].1().await)
}

async fn times_at_both_ends_do_no_harm(stage: Stage) {
    let rewake = stage.open().await;
    for (case, (name, _)) in CASES.iter().enumerate() {
        let run = rewake.start(holds(case)).await.unwrap();
        assert_eq!(run.result().await, Ok(true), "{name}");
    }
}

#[workflow]
async fn begins() -> anyhow::Result<()> {
    Ok(())
}

/// Whatever is told of it is told without a panic.
async fn is_told<T>(run: &Run<T>) -> String {
    let why = run.why().await.unwrap();
    serde_json::to_string(&why).unwrap()
}

async fn a_run_that_never_begins_can_be_asked_about_and_cancelled(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(begins()).delay(Duration::MAX).await.unwrap();
    assert_eq!(run.status().await.unwrap(), RunStatus::Pending);
    is_told(&run).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<()>(run.id());
    assert_eq!(run.status().await.unwrap(), RunStatus::Pending);
    assert!(run.cancel("enough").await.unwrap());
    let error = run.result().await.unwrap_err();
    assert!(matches!(error, RunError::Cancelled { .. }), "{error}");
}

#[workflow]
async fn waits_for_the_last_attempt(token: String) -> anyhow::Result<u32> {
    let call = wants_to_be_tried(When::AfterAnyPause);
    let mut gate = create_hook::<u64>().token(token).await?;
    select! {
        tried = call => Ok(tried?),
        told = gate.recv() => Ok(u32::try_from(told?)?),
    }
}

async fn a_step_that_is_never_tried_again_can_be_asked_about_and_cancelled(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_for_the_last_attempt("t".into())).await;
    let run = run.unwrap();
    hook(&rewake, "t").await;
    crate::stage::logged(&rewake, &run, "step_retrying", 1).await;
    is_told(&run).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<u32>(run.id());
    resume(&rewake, "t", &9).await;
    assert_eq!(run.result().await, Ok(9));
    assert_eq!(stage.probe.times("attempt"), 1);
    assert_eq!(count(&rewake, &run, "step_started").await, 1);
}
