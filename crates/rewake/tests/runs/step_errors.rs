//! What a workflow and those outside see of steps that fail, and of calls that are wrong.

use std::error::Error;
use std::time::Duration;

use rewake::prelude::*;
use rewake::{OpenError, StepErrorKind};
use rewake_core::event::{EventKind, StepOptions};

use crate::probe::Probe;
use crate::stage::{Stage, count, hook, log, on_every_stage, resume};

on_every_stage!(
    a_call_may_have_a_name_of_its_own,
    a_named_call_is_tried_again,
    options_that_cannot_be_are_refused_before_anything_runs,
    parts_of_a_millisecond_do_not_get_lost,
    a_failed_steps_causes_are_its_sources,
    a_run_that_fails_by_its_step_keeps_the_causes,
    a_run_that_fails_by_a_workflow_in_it_keeps_the_causes,
    an_endless_error_is_shortened,
    a_fatal_context_ends_the_step,
    a_step_that_ends_after_its_run_is_discarded,
    without_a_place_for_steps_nothing_is_opened,
);

#[step(max_retries = 2, backoff = "1ms")]
async fn fails(times: usize, #[provided] probe: Probe) -> anyhow::Result<String> {
    let attempt = probe.note("attempt");
    anyhow::ensure!(attempt > times, "again");
    Ok(step_metadata().step_name)
}

#[workflow]
async fn names_its_calls(token: String) -> anyhow::Result<(String, String, bool)> {
    let (plain, named) = (fails(0), fails(0).name("shop::charge_in_euros"));
    let named = named.await?;
    create_hook::<u64>().token(token).await?.recv().await?;
    let error = fails(99).name("later").await.unwrap_err();
    Ok((plain.await?, named, error.step_name == "later"))
}

async fn a_call_may_have_a_name_of_its_own(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(names_its_calls("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<(String, String, bool)>(run.id());
    resume(&rewake, "t", &1).await;
    let (plain, named, told) = run.result().await.unwrap();
    assert_eq!(plain, "runs::step_errors::fails");
    assert_eq!(named, "shop::charge_in_euros");
    assert!(told);
    let names: Vec<(String, StepOptions)> = log(&rewake, &run)
        .await
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::StepCreated { name, options, .. } => Some((name, options)),
            _ => None,
        })
        .collect();
    assert_eq!(names[0].0, "shop::charge_in_euros");
    assert_eq!(names[0].1.max_retries, 2, "the function's own options stay");
    assert_eq!(names[1].0, "later");
}

#[workflow]
async fn names_and_tries() -> anyhow::Result<String> {
    Ok(fails(2).name("shop::charge").await?)
}

async fn a_named_call_is_tried_again(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(names_and_tries()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), "shop::charge");
    assert_eq!(stage.probe.times("attempt"), 3);
}

#[workflow]
async fn asks_for_what_cannot_be(case: usize) -> anyhow::Result<(StepErrorKind, String, u32)> {
    let call = fails(0);
    let call = match case {
        0 => call.timeout(Duration::ZERO).timeout(minutes(1)),
        1 => call.name("").max_retries(3),
        2 => call.name("two words").timeout(Duration::ZERO),
        3 => call.name("x".repeat(300)),
        _ => call.name("a\nb"),
    };
    let error = call.await.unwrap_err();
    Ok((error.kind, error.message, error.attempts))
}

async fn options_that_cannot_be_are_refused_before_anything_runs(stage: Stage) {
    let rewake = stage.open().await;
    let says = [
        "no attempt ends in no time",
        "at least one character",
        "no blanks and no control characters",
        "at most 256 bytes, and this one has 300",
        "no blanks and no control characters",
    ];
    for (case, says) in says.into_iter().enumerate() {
        let run = rewake.start(asks_for_what_cannot_be(case)).await.unwrap();
        let (kind, message, attempts) = run.result().await.unwrap();
        assert_eq!((kind, attempts), (StepErrorKind::Fatal, 0), "{message}");
        assert!(message.contains(says), "{message}");
        assert_eq!(count(&rewake, &run, "step_created").await, 0);
    }
    // Outside of workflows too, where no option has any other effect.
    let error = fails(0).timeout(Duration::ZERO).await.unwrap_err();
    assert!(error.message.contains("no attempt ends in no time"));
    let error = rewake.call(fails(0).name("")).await.unwrap_err();
    assert!(error.message.contains("at least one character"));
    assert_eq!(stage.probe.times("attempt"), 0);
}

#[workflow]
async fn counts_finely() -> anyhow::Result<()> {
    let call = fails(0)
        .timeout(Duration::MAX)
        .backoff(Duration::from_nanos(1));
    call.await?;
    let call = fails(0).timeout(Duration::from_nanos(1));
    drop(call.max_retries(0).await);
    Ok(())
}

async fn parts_of_a_millisecond_do_not_get_lost(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(counts_finely()).await.unwrap();
    run.result().await.unwrap();
    let options: Vec<StepOptions> = log(&rewake, &run)
        .await
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::StepCreated { options, .. } => Some(options),
            _ => None,
        })
        .collect();
    assert_eq!(
        (options[0].timeout_ms, options[0].backoff_ms),
        (Some(u64::MAX), 1)
    );
    assert_eq!(options[1].timeout_ms, Some(1));
}

#[derive(Debug, thiserror::Error)]
#[error("the {0} is broken")]
struct Broken(&'static str);

#[step(max_retries = 0)]
async fn fails_for_reasons() -> anyhow::Result<()> {
    use anyhow::Context;
    Err(Broken("wire"))
        .context("no connection")
        .context("not published")
}

#[workflow]
async fn asks_for_sources() -> anyhow::Result<String> {
    let error = fails_for_reasons().await.unwrap_err();
    Ok(format!("{:#}", anyhow::Error::new(error)))
}

const WHOLE: &str = "step `runs::step_errors::fails_for_reasons` failed: not published: \
                     no connection: the wire is broken";

async fn a_failed_steps_causes_are_its_sources(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(asks_for_sources()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), WHOLE);
}

#[workflow]
async fn gives_up() -> anyhow::Result<()> {
    Ok(fails_for_reasons().await?)
}

fn whole(error: RunError) -> String {
    let RunError::Failed {
        message, causes, ..
    } = error
    else {
        panic!("{error}");
    };
    [vec![message], causes].concat().join(": ")
}

async fn a_run_that_fails_by_its_step_keeps_the_causes(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gives_up()).await.unwrap();
    assert_eq!(whole(run.result().await.unwrap_err()), WHOLE);
}

#[workflow]
async fn gives_up_for_another() -> Result<(), Box<dyn Error + Send + Sync>> {
    gives_up().await?;
    Ok(())
}

async fn a_run_that_fails_by_a_workflow_in_it_keeps_the_causes(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gives_up_for_another()).await.unwrap();
    let expected = format!("the run failed: {WHOLE}");
    assert_eq!(whole(run.result().await.unwrap_err()), expected);
}

/// An error whose sources are many.
#[derive(Debug)]
struct Deep(usize, Option<Box<Self>>);

impl std::fmt::Display for Deep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", "ä".repeat(self.0))
    }
}

impl Error for Deep {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|next| next as _)
    }
}

#[step(max_retries = 0)]
async fn fails_at_length() -> Result<(), Deep> {
    let deep = (0..100).fold(None, |next, _| Some(Box::new(Deep(20_000, next))));
    Err(*deep.expect("there are many"))
}

#[workflow]
async fn hears_it_all() -> anyhow::Result<(usize, usize, bool)> {
    let error = fails_at_length().await.unwrap_err();
    let told = error.message.ends_with("ä… (40000 bytes in all)");
    Ok((error.message.len(), error.causes.len(), told))
}

async fn an_endless_error_is_shortened(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(hears_it_all()).await.unwrap();
    let (len, causes, told) = run.result().await.unwrap();
    assert!(told && len < 17_000, "{len}");
    assert_eq!(causes, 32);
}

#[step(backoff = "1ms")]
async fn declines(#[provided] probe: Probe) -> anyhow::Result<()> {
    use anyhow::Context;
    probe.note("attempt");
    Err(Broken("card")).context(FatalError::new("declined"))
}

#[workflow]
async fn is_declined() -> anyhow::Result<(StepErrorKind, String, Vec<String>)> {
    let error = declines().await.unwrap_err();
    Ok((error.kind, error.message, error.causes))
}

async fn a_fatal_context_ends_the_step(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(is_declined()).await.unwrap();
    let causes = vec!["the card is broken".to_owned()];
    let expected = (StepErrorKind::Fatal, "declined".to_owned(), causes);
    assert_eq!(run.result().await.unwrap(), expected);
    assert_eq!(stage.probe.times("attempt"), 1);
}

#[step]
async fn stays(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.note("stays");
    probe.pass().await;
    probe.note("goes");
    Ok(())
}

#[workflow]
async fn does_not_wait() -> anyhow::Result<()> {
    let slow = stays();
    anyhow::ensure!(timeout(Duration::from_millis(1), slow).await.is_err());
    Ok(())
}

async fn a_step_that_ends_after_its_run_is_discarded(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(does_not_wait()).await.unwrap();
    run.result().await.unwrap();
    let before = log(&rewake, &run).await;
    stage.probe.open(1_000);
    if stage.probe.times("stays") > 0 {
        stage.probe.noted("goes").await;
    }
    // Whatever an end would have left would have come before this one's.
    let another = rewake.start(names_and_tries()).await.unwrap();
    another.result().await.unwrap();
    assert_eq!(log(&rewake, &run).await, before);
}

async fn without_a_place_for_steps_nothing_is_opened(stage: Stage) {
    let error = stage.builder().max_steps(0).build().await.unwrap_err();
    assert!(
        matches!(error, OpenError::Engine(rewake_runtime::OpenError::NoSteps)),
        "{error}"
    );
    assert!(error.to_string().contains("`.max_steps(1)`"), "{error}");
}
