//! Shutting down: what is under way ends or is left to the next handle.

use std::time::Duration;

use rewake::prelude::*;

use crate::probe::Probe;
use crate::stage::{Stage, count, hook, logged, on_every_stage, resume};

on_every_stage!(
    steps_under_way_end_within_the_grace,
    what_takes_longer_is_aborted_and_taken_up_by_the_next,
    whoever_waits_for_a_result_is_told,
    no_new_step_begins_during_a_shutdown,
    a_shutdown_of_a_handle_without_work_is_quick,
    nothing_is_lost_between_shutdowns_under_load,
);

#[step]
async fn passes(#[provided] probe: Probe) -> Result<usize, std::convert::Infallible> {
    let times = probe.note("began");
    probe.pass().await;
    probe.note("ended");
    Ok(times)
}

#[step]
async fn follows(#[provided] probe: Probe) -> Result<(), std::convert::Infallible> {
    probe.note("followed");
    Ok(())
}

#[workflow]
async fn two_steps() -> anyhow::Result<usize> {
    let times = passes().await?;
    follows().await?;
    Ok(times)
}

#[workflow]
async fn does_nothing() -> anyhow::Result<()> {
    Ok(())
}

/// Waits until the handle takes no more work.
async fn stopping(rewake: &Rewake) {
    while rewake.start(does_nothing()).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

async fn steps_under_way_end_within_the_grace(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(two_steps()).await.unwrap();
    let id = run.id();
    stage.probe.noted("began").await;
    let shutdown = tokio::spawn({
        let rewake = rewake.clone();
        async move { rewake.shutdown(Duration::from_secs(30)).await }
    });
    stopping(&rewake).await;
    stage.probe.open(1);
    shutdown.await.unwrap().unwrap();
    assert_eq!(stage.probe.times("ended"), 1);

    let rewake = stage.open().await;
    let run = rewake.get_run::<usize>(id);
    assert_eq!(run.result().await.unwrap(), 1, "its result was recorded");
    assert_eq!(stage.probe.times("began"), 1);
}

async fn what_takes_longer_is_aborted_and_taken_up_by_the_next(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(two_steps()).await.unwrap();
    stage.probe.noted("began").await;
    rewake.shutdown(Duration::from_millis(5)).await.unwrap();
    assert_eq!(stage.probe.times("ended"), 0);

    stage.probe.open(1);
    let rewake = stage.open().await;
    let run = rewake.get_run::<usize>(run.id());
    assert_eq!(run.result().await.unwrap(), 2);
    assert_eq!(count(&rewake, &run, "step_completed").await, 2);
}

#[workflow]
async fn takes(token: String, n: usize) -> anyhow::Result<Vec<u64>> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let mut all = Vec::new();
    while all.len() < n {
        all.push(numbers.recv().await?);
    }
    Ok(all)
}

async fn whoever_waits_for_a_result_is_told(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes("t".into(), 1)).await.unwrap();
    hook(&rewake, "t").await;
    let waiting = tokio::spawn(async move { run.result().await });
    tokio::task::yield_now().await;
    rewake.shutdown(Duration::ZERO).await.unwrap();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, RunError::Query(_)), "{error}");
}

async fn no_new_step_begins_during_a_shutdown(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(two_steps()).await.unwrap();
    stage.probe.noted("began").await;
    let shutdown = tokio::spawn({
        let rewake = rewake.clone();
        async move { rewake.shutdown(Duration::from_secs(30)).await }
    });
    stopping(&rewake).await;
    stage.probe.open(1);
    shutdown.await.unwrap().unwrap();
    assert_eq!(stage.probe.notes(), ["began", "ended"]);
    let rewake = stage.open().await;
    rewake.get_run::<usize>(run.id()).result().await.unwrap();
    assert_eq!(stage.probe.notes(), ["began", "ended", "followed"]);
}

async fn a_shutdown_of_a_handle_without_work_is_quick(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes("t".into(), 2)).await.unwrap();
    resume(&rewake, "t", &1).await;
    logged(&rewake, &run, "hook_received", 1).await;
    // It waits for nothing but the run to be put away, however long it might.
    let day = Duration::from_hours(24);
    rewake.shutdown(day).await.unwrap();
    assert_eq!(rewake.engine().resident_runs(), 0);
}

async fn nothing_is_lost_between_shutdowns_under_load(stage: Stage) {
    let mut rewake = stage.open().await;
    let mut runs = Vec::new();
    for n in 0..10 {
        let run = rewake.start(takes(format!("t{n}"), 6)).await.unwrap();
        runs.push(run.id());
    }
    for round in 0..3_u64 {
        for n in 0..10 {
            hook(&rewake, &format!("t{n}")).await;
        }
        let resumes = (0..20_u64).map(|n| {
            let token = format!("t{}", n % 10);
            let payload = round * 2 + n / 10;
            rewake.resume_hook(token, &payload)
        });
        let resumed = futures::future::join_all(resumes);
        assert!(
            resumed
                .await
                .into_iter()
                .all(|taken| taken.unwrap().is_some())
        );
        // At once, with everything still to be read.
        rewake.shutdown(Duration::ZERO).await.unwrap();
        rewake = stage.open().await;
    }
    for run in runs {
        let mut all = rewake.get_run::<Vec<u64>>(run).result().await.unwrap();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
    }
}
