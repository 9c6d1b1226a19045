//! Time: sleeps, deadlines, races.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rewake::prelude::*;
use rewake_core::event::EventKind;

use crate::probe::Probe;
use crate::stage::{Stage, count, events, hook, log, on_every_stage, resume, system_time};

on_every_stage!(
    a_sleep_takes_as_long_as_it_says,
    a_sleep_until_a_time_ends_then,
    a_sleep_until_the_past_ends_at_once,
    sleeps_at_the_same_time_end_in_their_order,
    a_timeout_gives_what_comes_first_and_leaves_no_timer,
    a_timeout_that_runs_out_says_so_and_loses_nothing,
    select_polls_in_written_order,
    a_hook_raced_with_a_sleep_in_a_loop_loses_no_payload,
    a_step_raced_with_a_sleep_is_not_run_again,
    the_time_of_a_run_goes_forward,
    a_sleep_that_is_never_polled_leaves_nothing,
    the_longest_sleep_there_is_does_no_harm,
);

#[workflow]
async fn naps(ms: u64) -> anyhow::Result<()> {
    sleep(Duration::from_millis(ms)).await;
    Ok(())
}

async fn a_sleep_takes_as_long_as_it_says(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(naps(50)).await.unwrap();
    run.result().await.unwrap();
    let log = log(&rewake, &run).await;
    let begun = log.iter().find_map(|event| match event.kind {
        EventKind::RunStarted => Some(event.at),
        _ => None,
    });
    let ended = log.iter().find_map(|event| match event.kind {
        EventKind::WaitCompleted { .. } => Some(event.at),
        _ => None,
    });
    let slept = ended.unwrap().since(begun.unwrap());
    assert!(slept >= Duration::from_millis(50), "{slept:?}");
    assert_eq!(
        events(&rewake, &run).await,
        [
            "run_created",
            "run_started",
            "wait_created",
            "wait_completed",
            "run_completed"
        ]
    );
}

#[workflow]
async fn waits_until(time: SystemTime) -> anyhow::Result<SystemTime> {
    sleep_until(time).await;
    Ok(now())
}

async fn a_sleep_until_a_time_ends_then(stage: Stage) {
    let rewake = stage.open().await;
    let time = system_time() + Duration::from_millis(60);
    let run = rewake.start(waits_until(time)).await.unwrap();
    let woken = run.result().await.unwrap();
    assert!(woken >= time, "it came too early");
    assert!(system_time() >= time, "it came too early");
}

async fn a_sleep_until_the_past_ends_at_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_until(UNIX_EPOCH)).await.unwrap();
    run.result().await.unwrap();
    assert_eq!(count(&rewake, &run, "wait_completed").await, 1);
}

#[workflow]
async fn naps_together() -> anyhow::Result<Vec<u64>> {
    let ended = std::sync::Mutex::new(Vec::new());
    let nap = async |ms: u64| {
        sleep(Duration::from_millis(ms)).await;
        ended.lock().unwrap().push(ms);
    };
    futures::join!(nap(60), nap(20), nap(40), nap(1));
    Ok(ended.into_inner().unwrap())
}

async fn sleeps_at_the_same_time_end_in_their_order(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(naps_together()).await.unwrap();
    let mut ended = run.result().await.unwrap();
    if count(&rewake, &run, "wait_completed").await == 4 {
        // On a machine that was busy several fall due together, and end in the order of the log.
        let log = log(&rewake, &run).await;
        let at = log
            .iter()
            .filter(|event| matches!(event.kind, EventKind::WaitCompleted { .. }));
        let times: std::collections::BTreeSet<_> = at.map(|event| event.at).collect();
        if times.len() < 4 {
            ended.sort_unstable();
        }
    }
    assert_eq!(ended, [1, 20, 40, 60]);
}

#[workflow]
async fn in_time(token: String) -> anyhow::Result<(u64, u64)> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let first = timeout(hours(1), numbers.recv()).await??;
    let second = timeout(days(7), numbers.recv()).await??;
    Ok((first, second))
}

async fn a_timeout_gives_what_comes_first_and_leaves_no_timer(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(in_time("t".into())).await.unwrap();
    resume(&rewake, "t", &1).await;
    resume(&rewake, "t", &2).await;
    assert_eq!(run.result().await.unwrap(), (1, 2));
    // The second payload may have been there before its sleep was begun.
    let begun = count(&rewake, &run, "wait_created").await;
    assert!(begun >= 1);
    assert_eq!(count(&rewake, &run, "wait_cancelled").await, begun);
    assert_eq!(count(&rewake, &run, "wait_completed").await, 0);
}

#[workflow]
async fn too_late(token: String) -> anyhow::Result<(bool, u64)> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let elapsed = timeout(Duration::from_millis(10), numbers.recv()).await;
    let elapsed = elapsed.is_err_and(|error| error == rewake::Elapsed);
    Ok((elapsed, numbers.recv().await?))
}

async fn a_timeout_that_runs_out_says_so_and_loses_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(too_late("t".into())).await.unwrap();
    crate::stage::logged(&rewake, &run, "wait_completed", 1).await;
    resume(&rewake, "t", &5).await;
    assert_eq!(run.result().await.unwrap(), (true, 5));
    assert_eq!(count(&rewake, &run, "wait_cancelled").await, 0);
}

#[step]
async fn pass_the_gate(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.pass().await;
    Ok(())
}

#[workflow]
async fn chooses(a: String, b: String) -> anyhow::Result<Vec<String>> {
    let mut first = create_hook::<u64>().token(a).await?;
    let mut second = create_hook::<u64>().token(b).await?;
    pass_the_gate().await?;
    let mut chosen = Vec::new();
    for _ in 0..4 {
        select! {
            n = first.recv() => chosen.push(format!("first {}", n?)),
            n = second.recv() => chosen.push(format!("second {}", n?)),
        }
    }
    Ok(chosen)
}

async fn select_polls_in_written_order(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(chooses("a".into(), "b".into())).await.unwrap();
    for n in [1, 2] {
        resume(&rewake, "b", &n).await;
        resume(&rewake, "a", &n).await;
    }
    stage.probe.open(1);
    let chosen = run.result().await.unwrap();
    assert_eq!(chosen, ["first 1", "first 2", "second 1", "second 2"]);
}

#[workflow]
async fn races(token: String, n: usize) -> anyhow::Result<(Vec<u64>, u32)> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let (mut read, mut naps) = (Vec::new(), 0);
    while read.len() < n {
        select! {
            number = numbers.recv() => read.push(number?),
            () = sleep(Duration::from_millis(1)) => naps += 1,
        }
    }
    Ok((read, naps))
}

async fn a_hook_raced_with_a_sleep_in_a_loop_loses_no_payload(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(races("t".into(), 20)).await.unwrap();
    for n in 0..20 {
        crate::stage::logged(&rewake, &run, "wait_completed", n).await;
        resume(&rewake, "t", &n).await;
    }
    let (read, naps) = run.result().await.unwrap();
    assert_eq!(read, (0..20).collect::<Vec<_>>());
    assert!(naps > 0);
}

#[step]
async fn ends_at_the_gate(#[provided] probe: Probe) -> anyhow::Result<usize> {
    let times = probe.note("ran");
    probe.pass().await;
    Ok(times)
}

#[workflow]
async fn keeps_waiting(token: String) -> anyhow::Result<(u32, usize)> {
    let mut hook = create_hook::<u64>().token(token).await?;
    let mut step = ends_at_the_gate();
    let mut naps = 0;
    let result = loop {
        select! {
            result = &mut step => break result?,
            n = hook.recv() => { n?; naps += 1; }
        }
    };
    Ok((naps, result))
}

async fn a_step_raced_with_a_sleep_is_not_run_again(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(keeps_waiting("t".into())).await.unwrap();
    stage.probe.noted("ran").await;
    for n in 0..3 {
        resume(&rewake, "t", &n).await;
    }
    crate::stage::logged(&rewake, &run, "hook_received", 3).await;
    stage.probe.open(1);
    assert_eq!(run.result().await.unwrap(), (3, 1));
    assert_eq!(count(&rewake, &run, "step_created").await, 1);
    assert_eq!(stage.probe.times("ran"), 1);
}

#[workflow]
async fn looks_at_the_clock(token: String) -> anyhow::Result<Vec<SystemTime>> {
    let started = workflow_metadata().started_at;
    let mut times = vec![started, now()];
    let mut hook = create_hook::<u64>().token(token).await?;
    for _ in 0..3 {
        hook.recv().await?;
        times.push(now());
        sleep(Duration::from_millis(3)).await;
        times.push(now());
    }
    Ok(times)
}

async fn the_time_of_a_run_goes_forward(stage: Stage) {
    let rewake = stage.open().await;
    // Stored times are whole milliseconds, and a store's clock is heard a little late.
    let before = system_time() - Duration::from_millis(25);
    let run = rewake.start(looks_at_the_clock("t".into())).await.unwrap();
    for n in 0..3 {
        hook(&rewake, "t").await;
        resume(&rewake, "t", &n).await;
    }
    let times = run.result().await.unwrap();
    assert!(times.is_sorted(), "{times:?}");
    assert!(times[0] >= before && *times.last().unwrap() <= system_time());
    let naps = times[2..]
        .chunks(2)
        .map(|pair| pair[1].duration_since(pair[0]).unwrap());
    assert!(naps.into_iter().all(|nap| nap >= Duration::from_millis(3)));
}

#[workflow]
async fn never_naps() -> anyhow::Result<()> {
    let never = sleep(days(9));
    sleep(Duration::ZERO).await;
    drop(never);
    Ok(())
}

async fn a_sleep_that_is_never_polled_leaves_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(never_naps()).await.unwrap();
    run.result().await.unwrap();
    assert_eq!(count(&rewake, &run, "wait_created").await, 1);
    assert_eq!(count(&rewake, &run, "wait_cancelled").await, 0);
}

#[workflow]
async fn sleeps_for_ever(token: String) -> anyhow::Result<u64> {
    let mut hook = create_hook::<u64>().token(token).await?;
    select! {
        () = sleep(Duration::MAX) => anyhow::bail!("for ever is over"),
        n = hook.recv() => Ok(n?),
    }
}

async fn the_longest_sleep_there_is_does_no_harm(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sleeps_for_ever("t".into())).await.unwrap();
    crate::stage::logged(&rewake, &run, "wait_created", 1).await;
    resume(&rewake, "t", &8).await;
    assert_eq!(run.result().await.unwrap(), 8);
}
