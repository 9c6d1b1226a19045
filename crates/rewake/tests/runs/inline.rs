//! Inline steps: closures under the same rules as functions.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rewake::StepErrorKind;
use rewake::prelude::*;
use rewake_core::event::EventKind;

use crate::probe::Probe;
use crate::stage::{Stage, count, hook, in_time, log, logged, on_every_stage, resume};

on_every_stage!(
    an_inline_step_is_recorded_once_and_replayed,
    an_inline_step_is_tried_again_with_what_it_was_given,
    options_are_chained_on_an_inline_step,
    an_inline_step_knows_its_attempt_and_a_stable_id,
    two_inline_steps_of_one_name_are_two_steps,
    a_dropped_inline_step_is_tried_again_all_the_same,
    the_arguments_of_a_workflow_decide_what_an_inline_step_does,
    an_inline_step_of_a_name_that_cannot_be_one_says_so,
    an_inline_step_outside_of_workflows_simply_runs,
);

/// What a closure notes in.
fn probe() -> anyhow::Result<Probe> {
    Ok(provided::<Probe>()?)
}

#[workflow]
async fn reads_twice(token: String) -> anyhow::Result<(usize, usize)> {
    let first = step("read", async || anyhow::Ok(probe()?.note("read"))).await?;
    let mut gate = create_hook::<u64>().token(token).await?;
    gate.recv().await?;
    let second = step("read_again", async || anyhow::Ok(probe()?.note("read"))).await?;
    Ok((first, second))
}

async fn an_inline_step_is_recorded_once_and_replayed(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_twice("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<(usize, usize)>(run.id());
    resume(&rewake, "t", &1).await;
    assert_eq!(run.result().await.unwrap(), (1, 2));
    assert_eq!(stage.probe.times("read"), 2);
    let names: Vec<String> = log(&rewake, &run)
        .await
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::StepCreated { name, .. } => Some(name),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["read", "read_again"]);
}

#[workflow]
async fn asks_until_it_is_told(article: String) -> anyhow::Result<String> {
    let asked = article.clone();
    let answer = step("ask", async move || {
        let attempt = probe()?.note(format!("asked for {asked}"));
        anyhow::ensure!(attempt > 2, "nobody answers");
        Ok(format!("{asked} costs 7"))
    });
    let answer = answer.backoff(Duration::from_millis(5)).await?;
    Ok(format!("{article}: {answer}"))
}

async fn an_inline_step_is_tried_again_with_what_it_was_given(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_until_it_is_told("ink".into())).await;
    let run = run.unwrap();
    assert_eq!(run.result().await.unwrap(), "ink: ink costs 7");
    assert_eq!(stage.probe.times("asked for ink"), 3);
    assert_eq!(count(&rewake, &run, "step_retrying").await, 2);
    assert_eq!(count(&rewake, &run, "step_completed").await, 1);
}

#[workflow]
async fn fails_in_every_way() -> anyhow::Result<Vec<(StepErrorKind, String, Vec<String>, u32)>> {
    use anyhow::Context;
    let pause = Duration::from_millis(1);
    let broken = step("broken", async || {
        Err::<(), _>(anyhow::anyhow!("no wire")).context("not sent")
    });
    let fatal = step("fatal", async || Err::<(), _>(FatalError::new("no card")));
    let slow = step("slow", async || {
        std::future::pending::<Result<(), Infallible>>().await
    });
    let falls = step("falls", async || -> Result<(), Infallible> {
        panic!("it fell over")
    });
    let mut failures = Vec::new();
    for call in [
        broken.max_retries(1).backoff(pause),
        fatal,
        slow.max_retries(1)
            .backoff(pause)
            .timeout(Duration::from_millis(10)),
        falls.max_retries(0),
    ] {
        let error = call.await.unwrap_err();
        failures.push((error.kind, error.message, error.causes, error.attempts));
    }
    Ok(failures)
}

async fn options_are_chained_on_an_inline_step(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(fails_in_every_way()).await.unwrap();
    let expected = [
        (
            StepErrorKind::RetriesExhausted,
            "not sent",
            vec!["no wire"],
            2,
        ),
        (StepErrorKind::Fatal, "no card", vec![], 1),
        (
            StepErrorKind::TimedOut,
            "the attempt took longer than 10ms",
            vec![],
            2,
        ),
        (
            StepErrorKind::RetriesExhausted,
            "the step panicked: it fell over",
            vec![],
            1,
        ),
    ];
    let found = run.result().await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|(kind, message, causes, attempts)| {
            let causes: Vec<&str> = causes.iter().map(String::as_str).collect();
            (*kind, message.as_str(), causes, *attempts)
        })
        .collect();
    assert_eq!(found, expected);
}

#[workflow]
async fn asks_of_itself() -> anyhow::Result<(String, String, u32)> {
    let told = step("tell", async || {
        let about = step_metadata();
        probe()?.note(about.step_id.to_string());
        anyhow::ensure!(about.attempt == 3, "again");
        Ok((about.step_id.to_string(), about.step_name, about.attempt))
    });
    Ok(told.backoff(Duration::from_millis(1)).await?)
}

async fn an_inline_step_knows_its_attempt_and_a_stable_id(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_of_itself()).await.unwrap();
    let (id, name, attempt) = run.result().await.unwrap();
    assert_eq!((name.as_str(), attempt), ("tell", 3));
    assert_eq!(stage.probe.times(&id), 3, "the same id in every attempt");
}

#[workflow]
async fn calls_in_a_loop() -> anyhow::Result<Vec<u64>> {
    let calls = (0..3_u64).map(|n| step("square", async move || Ok::<_, Infallible>(n * n)));
    Ok(futures::future::try_join_all(calls).await?)
}

async fn two_inline_steps_of_one_name_are_two_steps(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(calls_in_a_loop()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), [0, 1, 4]);
    assert_eq!(count(&rewake, &run, "step_completed").await, 3);
}

#[workflow]
async fn gives_up_waiting(token: String) -> anyhow::Result<u64> {
    let slow = step("slow", async || {
        let probe = probe()?;
        let attempt = probe.note("attempt");
        anyhow::ensure!(attempt > 1, "again");
        probe.pass().await;
        Ok(())
    });
    let slow = slow.backoff(Duration::from_millis(30));
    anyhow::ensure!(timeout(Duration::from_millis(1), slow).await.is_err());
    Ok(create_hook::<u64>().token(token).await?.recv().await?)
}

async fn a_dropped_inline_step_is_tried_again_all_the_same(stage: Stage) {
    let rewake = stage.open().await;
    stage.probe.open(1);
    let run = rewake.start(gives_up_waiting("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    logged(&rewake, &run, "step_completed", 1).await;
    assert_eq!(stage.probe.times("attempt"), 2);
    resume(&rewake, "t", &5).await;
    assert_eq!(run.result().await.unwrap(), 5);
}

#[workflow]
async fn greets(name: String) -> anyhow::Result<String> {
    let greeting = step("greet", async move || {
        Ok::<_, Infallible>(format!("dear {name}"))
    });
    Ok(greeting.await?)
}

async fn the_arguments_of_a_workflow_decide_what_an_inline_step_does(stage: Stage) {
    let rewake = stage.open().await;
    let ada = rewake.start(greets("Ada".into())).await.unwrap();
    let bob = rewake.start(greets("Bob".into())).await.unwrap();
    assert_eq!(bob.result().await.unwrap(), "dear Bob");
    assert_eq!(ada.result().await.unwrap(), "dear Ada");
}

#[workflow]
async fn names_badly(name: String) -> anyhow::Result<(StepErrorKind, String, u32)> {
    let call = step(name, async || anyhow::Ok(probe()?.note("ran")));
    let error = call.max_retries(1).await.unwrap_err();
    Ok((error.kind, error.message, error.attempts))
}

async fn an_inline_step_of_a_name_that_cannot_be_one_says_so(stage: Stage) {
    let rewake = stage.open().await;
    for (name, says) in [
        (String::new(), "at least one character"),
        ("charge the card".to_owned(), "no blanks"),
        ("x".repeat(257), "at most 256 bytes, and this one has 257"),
    ] {
        let run = rewake.start(names_badly(name)).await.unwrap();
        let (kind, message, attempts) = run.result().await.unwrap();
        assert_eq!((kind, attempts), (StepErrorKind::Fatal, 0));
        assert!(message.contains(says), "{message}");
        assert_eq!(count(&rewake, &run, "step_created").await, 0);
    }
    assert_eq!(stage.probe.times("ran"), 0);
}

async fn an_inline_step_outside_of_workflows_simply_runs(stage: Stage) {
    let doubled = step("double", async || Ok::<_, Infallible>(2 * 21));
    assert_eq!(doubled.await.unwrap(), 42);
    let error = step("fail", async || Err::<(), _>("not today")).await;
    let error = error.unwrap_err();
    assert_eq!((error.message.as_str(), error.attempts), ("not today", 1));
    // The application's values are the handle's.
    let rewake = stage.open().await;
    let noted = || step("note", async || anyhow::Ok(probe()?.note("plain")));
    assert_eq!(rewake.call(noted()).await.unwrap(), 1);
    let error = noted().await.unwrap_err();
    assert!(error.message.contains("rewake.call(step)"), "{error}");
}

#[workflow]
async fn is_killed() -> anyhow::Result<String> {
    let what = "paid".to_owned();
    let paid = step("pay", async move || {
        let probe = probe()?;
        let attempt = probe.note("attempt");
        if attempt == 1 {
            probe.pass().await;
        }
        anyhow::Ok(format!("{what} in attempt {}", step_metadata().attempt))
    });
    Ok(paid.max_retries(1).await?)
}

/// Nothing of a closure is on record: the next process has it from the workflow that it replays.
#[tokio::test(flavor = "multi_thread")]
async fn an_inline_step_whose_process_was_killed_is_tried_again_from_the_replayed_workflow() {
    in_time(async {
        let stage = Stage::in_a_file();
        let rewake = stage.open().await;
        let run = rewake.start(is_killed()).await.unwrap();
        stage.probe.noted("attempt").await;
        logged(&rewake, &run, "step_started", 1).await;
        let next = stage.killed();

        let again = next.open().await;
        let run = again.get_run::<String>(run.id());
        assert_eq!(run.result().await.unwrap(), "paid in attempt 2");
        assert_eq!(count(&again, &run, "step_started").await, 2);
    })
    .await;
}

static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// A value of which it is known how many there are.
struct Counted;

impl Counted {
    fn new() -> Self {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

#[workflow]
async fn holds_for_a_while(token: String) -> anyhow::Result<u64> {
    let counted = Counted::new();
    let used = step("use", async move || {
        let _held = &counted;
        probe()?.pass().await;
        anyhow::Ok(())
    });
    used.await?;
    Ok(create_hook::<u64>().token(token).await?.recv().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_inline_step_captures_is_let_go_of_once_the_step_has_ended() {
    in_time(async {
        let stage = Stage::in_memory();
        let rewake = stage.builder().verify(false).build().await.unwrap();
        let run = rewake.start(holds_for_a_while("t".into())).await.unwrap();
        logged(&rewake, &run, "step_started", 1).await;
        assert!(ALIVE.load(Ordering::SeqCst) > 0);
        stage.probe.open(1);
        hook(&rewake, "t").await;
        assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
        resume(&rewake, "t", &1).await;
        run.result().await.unwrap();
    })
    .await;
}
