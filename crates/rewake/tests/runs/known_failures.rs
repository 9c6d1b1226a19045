//! What has gone wrong in systems of this kind, by the number of the report in the Workflow SDK's
//! repository, and does not go wrong here.
//!
//! | report | what happened there | test |
//! | --- | --- | --- |
//! | 4264 | a hook raced with a sleep in a loop gave its payload to a race that was lost long before | `time::a_hook_raced_with_a_sleep_in_a_loop_loses_no_payload` |
//! | 3181 | of hooks made in a loop, some never got their payloads | `hooks_made_in_a_loop_each_get_their_own` |
//! | 2780 | a payload that came while a step ran woke the run and broke the step's replay | `a_payload_that_comes_while_a_step_runs_waits_for_its_place` |
//! | 3070 | a race of all hooks with a sleep lost the payloads of those hooks that had one | `all_of_several_hooks_raced_with_a_sleep_lose_no_payload` |
//! | 3794 | a payload that was on its way when its run ended was acknowledged and gone | `unread::what_a_run_leaves_behind_is_listed`, `admission::what_lands_on_a_run_that_has_decided_to_return_starts_the_next` |
//!
//! And without a number: a payload that lands while its receiver is dropped
//! (`unread::what_a_dropped_receiver_leaves_behind_is_listed_while_the_run_goes_on`), a token that
//! passes from one run to the next (`admission::a_token_goes_from_one_run_to_the_next`), a resume at the
//! moment of expiry through processes whose clocks are two minutes apart
//! (`at_the_moment_of_expiry_the_log_decides_and_no_clock`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use rewake::StoreSource;
use rewake::prelude::*;
use rewake_core::time::Timestamp;
use rewake_store::memory::MemoryStore;

use crate::probe::Probe;
use crate::stage::{Stage, clock, count, hook, in_time, logged, on_every_stage, resume};

on_every_stage!(
    hooks_made_in_a_loop_each_get_their_own,
    hooks_made_in_a_loop_can_be_awaited_at_once,
    a_payload_that_comes_while_a_step_runs_waits_for_its_place,
    all_of_several_hooks_raced_with_a_sleep_lose_no_payload,
    a_join_of_receives_that_loses_a_race_drops_what_it_has_taken,
    all_of_several_hooks_give_the_error_of_the_first_that_is_over,
    a_payload_of_another_type_takes_nothing_from_the_other_hooks,
    a_slice_of_hooks_is_received_from_at_once,
);

#[workflow]
async fn one_after_the_other(rounds: u64) -> anyhow::Result<Vec<u64>> {
    let mut seen = Vec::new();
    for round in 0..rounds {
        let mut numbers = create_hook::<u64>().token(format!("round:{round}")).await?;
        seen.push(numbers.recv().await?);
    }
    Ok(seen)
}

async fn hooks_made_in_a_loop_each_get_their_own(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(one_after_the_other(20)).await.unwrap();
    for round in 0..20 {
        resume(&rewake, &format!("round:{round}"), &(round * 10)).await;
    }
    let expected: Vec<u64> = (0..20).map(|round| round * 10).collect();
    assert_eq!(run.result().await.unwrap(), expected);
}

#[workflow]
async fn all_at_once(hooks: u64) -> anyhow::Result<Vec<(u64, u64)>> {
    let mut made = Vec::new();
    for n in 0..hooks {
        made.push(create_hook::<u64>().token(format!("n:{n}")).await?);
    }
    let mut receives: FuturesUnordered<_> = (0..)
        .zip(&mut made)
        .map(|(n, hook)| hook.recv().map(move |received| (n, received)))
        .collect();
    let mut seen = Vec::new();
    while let Some((n, received)) = receives.next().await {
        seen.push((n, received?));
    }
    Ok(seen)
}

async fn hooks_made_in_a_loop_can_be_awaited_at_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(all_at_once(10)).await.unwrap();
    let order = [3, 9, 0, 1, 8, 2, 7, 4, 6, 5];
    hook(&rewake, "n:9").await;
    for n in order {
        resume(&rewake, &format!("n:{n}"), &(n + 100)).await;
    }
    let expected: Vec<(u64, u64)> = order.map(|n| (n, n + 100)).into();
    assert_eq!(run.result().await.unwrap(), expected);
}

#[step]
async fn pass_the_gate(#[provided] probe: Probe) -> anyhow::Result<u64> {
    probe.note("at the gate");
    probe.pass().await;
    Ok(1)
}

#[workflow]
async fn works_and_listens(token: String) -> anyhow::Result<(u64, u64)> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let worked = pass_the_gate().await?;
    Ok((worked, numbers.recv().await?))
}

async fn a_payload_that_comes_while_a_step_runs_waits_for_its_place(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(works_and_listens("t".into())).await.unwrap();
    stage.probe.noted("at the gate").await;
    rewake.resume_hook("t", &7).await.unwrap().unwrap();
    logged(&rewake, &run, "hook_received", 1).await;
    stage.probe.open(1);
    assert_eq!(run.result().await.unwrap(), (1, 7));
    assert_eq!(stage.probe.times("at the gate"), 1, "the step ran once");
}

/// Two hooks, received from together, in rounds that a third hook ends.
#[workflow]
async fn both_or_next_round() -> anyhow::Result<(u64, u64, u64)> {
    let mut left = create_hook::<u64>().token("left").await?;
    let mut right = create_hook::<u64>().token("right").await?;
    let mut rounds = create_hook::<u64>().token("next-round").await?;
    let mut lost = 0;
    loop {
        select! {
            both = recv_all((&mut left, &mut right)) => {
                let (left, right) = both?;
                return Ok((left, right, lost));
            }
            next = rounds.recv() => lost += next?,
            () = sleep(days(1)) => anyhow::bail!("nobody came"),
        }
    }
}

async fn all_of_several_hooks_raced_with_a_sleep_lose_no_payload(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(both_or_next_round()).await.unwrap();
    hook(&rewake, "next-round").await;
    resume(&rewake, "left", &1).await;
    for round in 1..=3 {
        resume(&rewake, "next-round", &1).await;
        // Each lost race has given up its sleep.
        logged(&rewake, &run, "wait_cancelled", round).await;
    }
    resume(&rewake, "left", &99).await;
    resume(&rewake, "right", &2).await;
    assert_eq!(run.result().await.unwrap(), (1, 2, 3));
}

#[workflow]
async fn joins_and_loses() -> anyhow::Result<(u64, u64)> {
    let mut left = create_hook::<u64>().token("left").await?;
    let mut right = create_hook::<u64>().token("right").await?;
    let mut rounds = create_hook::<u64>().token("next-round").await?;
    select! {
        _ = futures::future::join(left.recv(), right.recv()) => {}
        next = rounds.recv() => { next?; }
    }
    Ok((left.recv().await?, right.recv().await?))
}

async fn a_join_of_receives_that_loses_a_race_drops_what_it_has_taken(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(joins_and_loses()).await.unwrap();
    hook(&rewake, "next-round").await;
    // A payload is delivered when `recv` resolves, and the join had it: it is not given twice.
    resume(&rewake, "left", &1).await;
    resume(&rewake, "next-round", &0).await;
    resume(&rewake, "left", &2).await;
    resume(&rewake, "right", &3).await;
    assert_eq!(run.result().await.unwrap(), (2, 3));
}

#[workflow]
async fn closes_one() -> anyhow::Result<(String, u64)> {
    let mut left = create_hook::<u64>().token("left").await?;
    let mut right = create_hook::<u64>().token("right").await?;
    let mut closed = create_hook::<u64>().token("closed").await?;
    closed.close().await;
    let error = recv_all((&mut left, &mut closed, &mut right))
        .await
        .unwrap_err();
    Ok((error.to_string(), left.recv().await?))
}

async fn all_of_several_hooks_give_the_error_of_the_first_that_is_over(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(closes_one()).await.unwrap();
    resume(&rewake, "left", &1).await;
    let (error, left) = run.result().await.unwrap();
    assert_eq!((&*error, left), ("the hook is closed", 1));
    assert_eq!(count(&rewake, &run, "hook_received").await, 1);
}

#[workflow]
async fn reads_past_a_bad_one() -> anyhow::Result<(bool, (u64, u64))> {
    let mut left = create_hook::<u64>().token("left").await?;
    let mut right = create_hook::<u64>().token("right").await?;
    let bad = recv_all((&mut left, &mut right)).await;
    let bad = matches!(bad, Err(HookError::Decode { .. }));
    Ok((bad, recv_all((&mut left, &mut right)).await?))
}

async fn a_payload_of_another_type_takes_nothing_from_the_other_hooks(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_past_a_bad_one()).await.unwrap();
    resume(&rewake, "left", &1).await;
    resume(&rewake, "right", "no number").await;
    resume(&rewake, "right", &2).await;
    assert_eq!(run.result().await.unwrap(), (true, (1, 2)));
}

#[workflow]
async fn votes(voters: u64) -> anyhow::Result<Vec<bool>> {
    let mut ballots = Vec::new();
    for n in 0..voters {
        ballots.push(create_hook::<bool>().token(format!("vote:{n}")).await?);
    }
    Ok(recv_all(&mut ballots[..]).await?)
}

async fn a_slice_of_hooks_is_received_from_at_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(votes(3)).await.unwrap();
    for (n, vote) in [(2, false), (0, true), (1, true)] {
        resume(&rewake, &format!("vote:{n}"), &vote).await;
    }
    assert_eq!(run.result().await.unwrap(), [true, true, false]);
}

#[workflow]
async fn reads_until_it_expires(token: String) -> anyhow::Result<Vec<u64>> {
    let mut numbers = create_hook::<u64>()
        .token(token)
        .expires_in(minutes(1))
        .await?;
    let mut read = Vec::new();
    loop {
        match numbers.recv().await {
            Ok(number) => read.push(number),
            Err(HookError::Expired) => return Ok(read),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A handle on the store, as a process would have it whose clock is off.
async fn handle(
    store: &MemoryStore,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
    client: bool,
) -> Rewake {
    let store = StoreSource::Open(Arc::new(store.with_clock(Arc::new(now))));
    let builder = Rewake::builder().store(store).provide(Probe::default());
    let builder = if client {
        builder.client_only()
    } else {
        builder
    };
    builder.build().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_moment_of_expiry_the_log_decides_and_no_clock() {
    in_time(async {
        let store = MemoryStore::new(Arc::new(clock));
        let late = Arc::new(AtomicBool::new(false));
        let is_late = Arc::clone(&late);
        let ahead = move || {
            let ahead = Duration::from_secs(if is_late.load(Ordering::Relaxed) {
                61
            } else {
                0
            });
            clock().after(ahead)
        };
        let worker = handle(&store, ahead, false).await;
        let behind = || Timestamp::from_millis(clock().as_millis() - 59_000);
        let client = handle(&store, behind, true).await;
        let run = worker.start(reads_until_it_expires("t".into())).await;
        let run = run.unwrap();
        hook(&worker, "t").await;
        late.store(true, Ordering::Relaxed);

        // By its own clock the worker would refuse this one; the log has not said that it is over.
        assert!(client.resume_hook("t", &1).await.unwrap().is_some());
        // Now somebody says so, and then it is over for everybody.
        assert!(worker.resume_hook("t", &2).await.unwrap().is_none());
        assert!(client.resume_hook("t", &3).await.unwrap().is_none());
        assert_eq!(run.result().await.unwrap(), [1]);
    })
    .await;
}
