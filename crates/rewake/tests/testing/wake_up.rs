//! Waking a run up before its sleeps end.

use futures::future::{join, join_all};
use rewake::prelude::*;
use rewake::testing::TestRewake;
use rewake::{Reason, WaitId, WakeUpError};

#[workflow]
async fn sleeps_twice_at_a_time() -> anyhow::Result<u64> {
    futures::join!(sleep(days(1)), sleep(days(2)));
    sleep(days(3)).await;
    Ok(3)
}

async fn open_waits(run: &Run<u64>) -> Vec<WaitId> {
    let reasons = run.why().await.unwrap().reasons;
    let waits = reasons.into_iter().filter_map(|reason| match reason {
        Reason::Sleep { wait_id, until, .. } => Some((until, wait_id)),
        _ => None,
    });
    let mut waits: Vec<_> = waits.collect();
    waits.sort();
    waits.into_iter().map(|(_, wait)| wait).collect()
}

#[tokio::test]
async fn all_open_sleeps_end_now() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(sleeps_twice_at_a_time()).await.unwrap();
    rewake.settle().await;
    assert_eq!(run.wake_up().await.unwrap(), 2);
    rewake.settle().await;
    assert_eq!(run.wake_up().await.unwrap(), 1);
    assert_eq!(run.result().await.unwrap(), 3);
    assert_eq!(rewake.now(), began);
}

#[tokio::test]
async fn one_sleep_alone_is_ended() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(sleeps_twice_at_a_time()).await.unwrap();
    rewake.settle().await;
    let [first, second] = open_waits(&run).await.try_into().unwrap();
    assert_eq!(run.wake_up().wait(second).await.unwrap(), 1);
    assert_eq!(run.wake_up().wait(second).await.unwrap(), 0);
    assert_eq!(open_waits(&run).await, [first]);
    rewake.wait_for_sleep().await;
    rewake.advance(days(1)).await;
    assert_eq!(open_waits(&run).await.len(), 1);
    assert_eq!(run.result().await.unwrap(), 3);
    assert_eq!(rewake.now(), began + days(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_wake_one_sleep_one_does() {
    let rewake = TestRewake::new().await;
    let run = rewake.start(sleeps_twice_at_a_time()).await.unwrap();
    rewake.settle().await;
    let waking = (0..50).map(|_| {
        let run = run.clone();
        tokio::spawn(async move { run.wake_up().await.unwrap_or_default() })
    });
    let woken: usize = join_all(waking).await.into_iter().map(Result::unwrap).sum();
    assert!((2..=3).contains(&woken), "{woken}");
    assert_eq!(run.result().await.unwrap(), 3);
    let events = rewake.engine().events(run.id()).await.unwrap();
    let completed = events
        .iter()
        .filter(|event| event.kind.name() == "wait_completed");
    assert_eq!(completed.count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_up_at_the_moment_when_the_sleep_ends_ends_it_once() {
    for _ in 0..50 {
        let rewake = TestRewake::new().await;
        let run = rewake.start(sleeps_twice_at_a_time()).await.unwrap();
        rewake.settle().await;
        let (other, at) = (run.clone(), rewake.now() + days(1));
        let waking = tokio::spawn(async move { other.wake_up().await });
        join(rewake.advance(days(1)), async {
            waking.await.unwrap().unwrap()
        })
        .await;
        assert_eq!(rewake.now(), at);
        assert_eq!(run.result().await.unwrap(), 3);
        let events = rewake.engine().events(run.id()).await.unwrap();
        let completed = events
            .iter()
            .filter(|event| event.kind.name() == "wait_completed");
        assert_eq!(completed.count(), 3);
    }
}

#[tokio::test]
async fn a_run_that_has_ended_or_never_was_cannot_be_woken() {
    let rewake = TestRewake::new().await;
    let run = rewake.start(sleeps_twice_at_a_time()).await.unwrap();
    let id = run.id();
    run.result().await.unwrap();
    assert_eq!(run.wake_up().await, Err(WakeUpError::RunEnded { run: id }));
    let unknown = TestRewake::builder().seed(7).build().await;
    let never = unknown.get_run::<u64>(id);
    assert_eq!(
        never.wake_up().await,
        Err(WakeUpError::RunUnknown { run: id })
    );
}

#[workflow]
async fn gives_a_sleep_up(token: String) -> anyhow::Result<u64> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let first = timeout(days(1), numbers.recv()).await;
    let second = timeout(days(1), numbers.recv()).await;
    Ok(first.map_or(0, Result::unwrap) + second.map_or(10, Result::unwrap))
}

#[tokio::test]
async fn a_sleep_that_was_given_up_is_not_woken() {
    let rewake = TestRewake::new().await;
    let run = rewake.start(gives_a_sleep_up("t".into())).await.unwrap();
    rewake.wait_for_hook("t").await;
    rewake.resume_hook("t", &1).await.unwrap();
    rewake.settle().await;
    assert_eq!(run.wake_up().await.unwrap(), 1);
    assert_eq!(run.result().await.unwrap(), 11);
}
