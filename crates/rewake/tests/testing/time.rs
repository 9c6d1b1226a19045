//! The clock of a test: it stands still, and skips whenever every run rests.

use std::time::{Duration, SystemTime};

use futures::future::{join, join_all};
use rewake::RunStatus::{Completed, Running};
use rewake::prelude::*;
use rewake::testing::{TestRewake, never, takes};

#[workflow]
async fn sleeps_a_month() -> anyhow::Result<Duration> {
    let began = now();
    sleep(days(30)).await;
    Ok(now().duration_since(began)?)
}

#[tokio::test]
async fn a_month_passes_while_somebody_awaits_the_result() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(sleeps_a_month()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), days(30));
    assert_eq!(rewake.now().duration_since(began).unwrap(), days(30));
}

#[tokio::test]
async fn the_clock_stands_still_while_nobody_waits() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(sleeps_a_month()).await.unwrap();
    rewake.settle().await;
    assert_eq!(rewake.now(), began);
    assert_eq!(run.status().await.unwrap(), Running);
}

#[workflow]
async fn waits_for(token: String, first: Duration) -> anyhow::Result<Option<u64>> {
    sleep(first).await;
    let mut numbers = create_hook::<u64>().token(token).await?;
    Ok(timeout(days(7), numbers.recv()).await.ok().transpose()?)
}

#[tokio::test]
async fn a_hook_is_waited_for_and_not_a_moment_longer() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(waits_for("t".into(), days(3))).await.unwrap();
    let hook = rewake.wait_for_hook("t").await;
    assert_eq!(hook.run_id, run.id());
    assert_eq!(rewake.now().duration_since(began).unwrap(), days(3));
    rewake.resume_hook("t", &5).await.unwrap();
    assert_eq!(run.result().await.unwrap(), Some(5));
    assert_eq!(rewake.now().duration_since(began).unwrap(), days(3));
}

#[tokio::test]
async fn a_timeout_runs_out_where_nobody_comes() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(waits_for("t".into(), days(0))).await.unwrap();
    assert_eq!(run.result().await.unwrap(), None);
    assert_eq!(rewake.now().duration_since(began).unwrap(), days(7));
}

#[tokio::test]
async fn who_waits_for_a_hook_comes_before_who_lets_time_pass() {
    let rewake = TestRewake::new().await;
    let run = rewake.start(waits_for("t".into(), days(3))).await.unwrap();
    let resume = async {
        rewake.wait_for_hook("t").await;
        rewake.resume_hook("t", &5).await.unwrap();
    };
    let (result, ()) = join(run.result(), resume).await;
    assert_eq!(result.unwrap(), Some(5));
}

#[tokio::test]
async fn who_looks_comes_first_although_polled_last() {
    let rewake = TestRewake::new().await;
    let run = rewake
        .start(waits_for("t".into(), Duration::ZERO))
        .await
        .unwrap();
    rewake.advance(Duration::ZERO).await;
    let resume = async {
        rewake.wait_for_hook("t").await;
        rewake.resume_hook("t", &5).await.unwrap();
    };
    let (result, ()) = join(run.result(), resume).await;
    assert_eq!(result.unwrap(), Some(5));
}

#[tokio::test]
async fn a_sleep_is_found_before_it_ends() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let later = rewake.start(sleeps_a_month()).delay(days(2)).await.unwrap();
    let run = rewake.start(waits_for("t".into(), days(3))).await.unwrap();
    let sleeping = rewake.wait_for_sleep().await;
    assert_eq!(
        (sleeping.run_id, sleeping.until),
        (run.id(), began + days(3))
    );
    assert_eq!(rewake.now(), began);
    rewake.advance(days(4)).await;
    let sleeping = rewake.wait_for_sleep().await;
    assert_eq!(
        (sleeping.run_id, sleeping.until),
        (run.id(), began + days(10))
    );
    assert_eq!(later.result().await.unwrap(), days(30));
}

#[tokio::test]
async fn time_advances_from_one_thing_due_to_the_next() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let runs = join_all([1, 2, 3].map(|n| rewake.start(waits_for(n.to_string(), days(n))))).await;
    let short = Duration::from_millis(days(9).as_secs() * 1_000 - 1);
    rewake.advance(short).await;
    assert_eq!(rewake.now(), began + short);
    let mut ended = Vec::new();
    for run in runs {
        ended.push(run.unwrap().status().await.unwrap());
    }
    assert_eq!(ended, [Completed, Running, Running]);
}

#[step]
async fn hangs() -> anyhow::Result<()> {
    never::<()>().await;
    Ok(())
}

#[step]
async fn takes_an_hour() -> anyhow::Result<SystemTime> {
    takes(hours(1)).await;
    Ok(step_metadata().started_at)
}

#[workflow]
async fn calls_slow_steps() -> anyhow::Result<(bool, SystemTime, SystemTime)> {
    let hung = timeout(minutes(5), hangs()).await.is_err();
    Ok((hung, takes_an_hour().await?, now()))
}

#[tokio::test]
async fn a_step_may_hang_or_take_its_time() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(calls_slow_steps()).await.unwrap();
    let (hung, started, ended) = run.result().await.unwrap();
    assert!(hung);
    assert_eq!(started, began + minutes(5));
    assert_eq!(ended, began + minutes(65));
}

#[step(max_retries = 2, backoff = "1h")]
async fn fails_twice() -> anyhow::Result<u32> {
    let attempt = step_metadata().attempt;
    anyhow::ensure!(attempt == 3, "not yet");
    Ok(attempt)
}

#[step(max_retries = 1, timeout = "30s")]
async fn takes_too_long() -> anyhow::Result<()> {
    takes(minutes(1)).await;
    Ok(())
}

#[workflow]
async fn tries_again() -> anyhow::Result<(u32, String)> {
    let attempt = fails_twice().await?;
    let late = takes_too_long().await.unwrap_err();
    Ok((attempt, format!("{:?} after {}", late.kind, late.attempts)))
}

#[tokio::test]
async fn retries_and_the_time_of_attempts_are_due_as_well() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(tries_again()).await.unwrap();
    let (attempt, late) = run.result().await.unwrap();
    assert_eq!((attempt, late.as_str()), (3, "TimedOut after 2"));
    assert!(rewake.now().duration_since(began).unwrap() > hours(2));
}

#[step]
async fn really_takes_a_while() -> anyhow::Result<()> {
    let slow = tokio::task::spawn_blocking(|| (0..100_000_u64).map(|n| n % 7).sum::<u64>());
    anyhow::ensure!(slow.await? > 0);
    Ok(())
}

#[workflow]
async fn races_a_real_step() -> anyhow::Result<bool> {
    Ok(timeout(seconds(1), really_takes_a_while()).await.is_ok())
}

#[tokio::test]
async fn no_time_passes_while_a_step_really_runs() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(races_a_real_step()).await.unwrap();
    assert!(run.result().await.unwrap());
    assert_eq!(rewake.now(), began);
}

#[workflow]
async fn answers_too_late() -> anyhow::Result<()> {
    let mut webhook = create_webhook().manual().answer_within(minutes(1)).await?;
    tell(webhook.token().to_string()).await?;
    let request = webhook.recv().await?;
    sleep(hours(1)).await;
    anyhow::ensure!(
        request
            .respond_with(http::Response::new("late"))
            .await
            .is_ok()
    );
    Ok(())
}

#[step]
async fn tell(token: String) -> anyhow::Result<()> {
    anyhow::bail!("nobody is told of {token}")
}

#[tokio::test]
async fn a_caller_who_gets_no_answer_in_time_is_told_so() {
    let rewake = TestRewake::builder().mock(tell, |_| Ok(())).build().await;
    let run = rewake.start(answers_too_late()).await.unwrap();
    rewake.settle().await;
    let (token,) = rewake.calls(tell).remove(0);
    let call = http::Request::post("/")
        .body(axum::body::Body::empty())
        .unwrap();
    let began = rewake.now();
    let answer = async {
        let answer = rewake.resume_webhook(token, call).await;
        (answer.unwrap_err().code(), rewake.now())
    };
    let (result, (code, at)) = join(run.result(), answer).await;
    result.unwrap();
    assert_eq!((code, at), ("NO_ANSWER", began + minutes(1)));
    assert_eq!(rewake.now(), began + hours(1));
}

#[tokio::test]
async fn a_run_goes_on_where_its_process_was_killed() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake
        .start(waits_for("t".into(), days(3)))
        .await
        .unwrap()
        .id();
    rewake.advance(days(1)).await;
    let rewake = rewake.crash().await;
    assert_eq!(rewake.now(), began + days(1));
    rewake.wait_for_hook("t").await;
    assert_eq!(rewake.now(), began + days(3));
    let rewake = rewake.crash().await;
    rewake.resume_hook("t", &5).await.unwrap();
    let result = rewake.get_run::<Option<u64>>(run).result().await;
    assert_eq!(result.unwrap(), Some(5));
}

#[tokio::test]
async fn ids_and_random_numbers_are_the_same_in_every_run_of_a_test() {
    let play = async |seed| {
        let rewake = TestRewake::builder().seed(seed).build().await;
        let run = rewake.start(draws()).await.unwrap();
        (run.id(), run.result().await.unwrap())
    };
    assert_eq!(play(1).await, play(1).await);
    assert_ne!(play(1).await.1, play(2).await.1);
}

#[workflow]
async fn draws() -> anyhow::Result<u64> {
    Ok(random())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_runs_sleep_at_the_same_time() {
    let rewake = TestRewake::new().await;
    let mut runs = Vec::new();
    for n in 0..1_000 {
        runs.push(
            rewake
                .start(waits_for(n.to_string(), hours(n)))
                .await
                .unwrap(),
        );
    }
    for run in runs {
        assert_eq!(run.result().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_handle_can_be_shut_down_while_a_step_hangs() {
    let rewake = TestRewake::new().await;
    rewake.start(calls_slow_steps()).await.unwrap();
    rewake.settle().await;
    rewake.shutdown(seconds(10)).await.unwrap();
}
