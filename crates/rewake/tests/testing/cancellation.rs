//! How long a cancelled run may take for what it still does.

use rewake::Limit;
use std::sync::atomic::{AtomicU32, Ordering};

use rewake::prelude::*;
use rewake::testing::{TestRewake, never};

#[step]
async fn acts(_what: String) -> anyhow::Result<()> {
    Ok(())
}

#[step]
async fn hangs() -> anyhow::Result<()> {
    never().await
}

async fn test_rewake() -> TestRewake {
    let mocked = TestRewake::builder().mock(acts, |_| Ok(()));
    mocked.build().await
}

/// What the run of such a workflow, which waits for a hook with token `t`, ends with, and how long
/// that takes from the request on.
async fn cancelled(rewake: &TestRewake, run: Run<()>) -> (String, std::time::Duration) {
    rewake.wait_for_hook("t").await;
    let asked = rewake.now();
    assert!(run.cancel("enough").await.unwrap());
    let error = run.result().await.unwrap_err().to_string();
    (error, rewake.now().duration_since(asked).unwrap())
}

#[workflow]
async fn never_ends_its_shield() -> anyhow::Result<()> {
    undo(acts("undone".into()));
    let shielded = shield(async {
        let mut hook = create_hook::<u64>().token("t").await?;
        anyhow::Ok(hook.recv().await?)
    });
    shielded.await?;
    Ok(())
}

#[tokio::test]
async fn a_shield_without_end_is_dropped_when_the_time_is_over_and_undo_calls_run() {
    let rewake = test_rewake().await;
    let run = rewake.start(never_ends_its_shield()).await.unwrap();
    let (error, took) = cancelled(&rewake, run).await;
    let left = "enough (when the time for cleaning up was over, not every shield had ended)";
    assert!(error.contains(left), "{error}");
    assert_eq!(took, minutes(10));
    assert_eq!(rewake.calls(acts), [("undone".to_owned(),)]);
}

#[workflow]
async fn undoes_for_ever() -> anyhow::Result<()> {
    undo(acts("last".into()));
    undo(hangs());
    undo(acts("first".into()));
    let mut hook = create_hook::<u64>().token("t").await?;
    hook.recv().await?;
    Ok(())
}

#[tokio::test]
async fn undo_calls_that_do_not_end_in_time_are_given_up() {
    let rewake = test_rewake().await;
    let run = rewake.start(undoes_for_ever()).await.unwrap();
    let (error, took) = cancelled(&rewake, run).await;
    let left = "enough (when the time for cleaning up was over, 2 of its undo calls had not ended: \
                `testing::cancellation::hangs`, `testing::cancellation::acts`)";
    assert!(error.contains(left), "{error}");
    assert_eq!(took, minutes(10));
    assert_eq!(rewake.calls(acts), [("first".to_owned(),)]);
}

#[workflow]
async fn cannot_go_on() -> anyhow::Result<()> {
    undo(fails().max_retries(9).backoff(minutes(20)));
    anyhow::bail!("on purpose")
}

#[step]
async fn fails() -> anyhow::Result<()> {
    anyhow::ensure!(step_metadata().attempt > 2, "not yet");
    Ok(())
}

#[tokio::test]
async fn undo_calls_of_a_workflow_that_failed_take_as_long_as_they_need() {
    let rewake = TestRewake::new().await;
    let began = rewake.now();
    let run = rewake.start(cannot_go_on()).await.unwrap();
    let error = run.result().await.unwrap_err().to_string();
    assert!(error.contains("on purpose"), "{error}");
    let took = rewake.now().duration_since(began).unwrap();
    assert!(took > minutes(20), "{took:?}");
}

#[workflow]
async fn fails_and_undoes(token: String) -> anyhow::Result<()> {
    undo(fails().max_retries(9).backoff(minutes(20)));
    let mut hook = create_hook::<u64>().token(token).await?;
    hook.recv().await?;
    anyhow::bail!("on purpose")
}

#[tokio::test]
async fn the_time_for_cleaning_up_bounds_a_cancellation_and_no_failure() {
    let bounded = TestRewake::builder().with(|builder| builder.limit(Limit::CleanUpMs, 1_000));
    let rewake = bounded.build().await;

    let failed = rewake.start(fails_and_undoes("t".into())).await.unwrap();
    rewake.wait_for_hook("t").await;
    let began = rewake.now();
    rewake.resume_hook("t", &1_u64).await.unwrap();
    rewake.settle().await;
    // Who asks to cancel it now changes nothing about it either.
    assert!(failed.cancel("enough").await.unwrap());
    let error = failed.result().await.unwrap_err();
    assert!(matches!(error, RunError::Failed { .. }), "{error}");
    let took = rewake.now().duration_since(began).unwrap();
    assert!(took > minutes(20), "{took:?}");

    let cancelled_run = rewake.start(fails_and_undoes("t".into())).await.unwrap();
    let (error, took) = cancelled(&rewake, cancelled_run).await;
    assert!(
        error.contains("1 of its undo calls had not ended: `"),
        "{error}"
    );
    assert_eq!(took, seconds(1));
}

#[tokio::test]
async fn a_cancelled_run_may_be_given_all_the_time_there_is() {
    let unbounded = TestRewake::builder().with(|builder| builder.limit(Limit::CleanUpMs, u64::MAX));
    let rewake = unbounded.build().await;
    let run = rewake.start(fails_and_undoes("t".into())).await.unwrap();
    let (error, took) = cancelled(&rewake, run).await;
    assert!(error.ends_with("enough"), "{error}");
    assert!(took > minutes(20), "{took:?}");
}

static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

#[step(max_retries = 5, backoff = "1m")]
async fn tries() -> anyhow::Result<()> {
    ATTEMPTS.fetch_add(1, Ordering::SeqCst);
    anyhow::bail!("not yet")
}

#[workflow]
async fn is_cancelled_between_attempts() -> anyhow::Result<()> {
    undo(hangs());
    let mut hook = create_hook::<u64>().token("t").await?;
    let (tried, received) = futures::join!(tries(), hook.recv());
    received?;
    Ok(tried?)
}

#[tokio::test]
async fn no_further_attempt_begins_while_the_undo_calls_go_on() {
    let rewake = TestRewake::new().await;
    let run = rewake.start(is_cancelled_between_attempts()).await.unwrap();
    rewake.settle().await;
    let (_, took) = cancelled(&rewake, run).await;
    assert_eq!(took, minutes(10), "time enough for all attempts");
    assert_eq!(ATTEMPTS.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_time_for_cleaning_up_can_be_set() {
    let limited = TestRewake::builder().with(|builder| builder.limit(Limit::CleanUpMs, 1_000));
    let rewake = limited.build().await;
    let run = rewake.start(never_ends_its_shield()).await.unwrap();
    let (_, took) = cancelled(&rewake, run).await;
    assert_eq!(took, seconds(1));
}
