//! `resume_or_start`: a live hook takes the payload, or a run starts that owns the token.

use rewake::prelude::*;
use rewake::{AdmitError, WorkflowCall};

use crate::stage::{Stage, events, hook, logged, on_every_stage, resume};

on_every_stage!(
    the_first_starts_a_run_and_the_others_reach_it,
    a_run_that_was_started_as_usual_gets_the_payload,
    a_token_goes_from_one_run_to_the_next,
    what_lands_on_a_run_that_has_decided_to_return_starts_the_next,
    what_a_cancelled_run_left_starts_the_next,
    what_a_terminated_run_left_starts_the_next,
    a_run_that_fails_before_it_reads_starts_no_other,
    what_waits_in_a_closed_hook_starts_the_next_when_the_run_ends,
    the_same_key_gives_the_same_admission,
    another_payload_under_a_key_is_refused,
    a_webhooks_token_is_refused,
    an_overdue_hook_is_no_hook,
    what_cannot_be_admitted_is_an_error_that_says_so,
);

/// Sums `n` amounts.
#[workflow]
pub(crate) async fn sum(token: String, n: usize) -> anyhow::Result<u64> {
    let mut amounts = create_hook::<u64>().token(token).await?;
    let mut sum = 0;
    for _ in 0..n {
        sum += amounts.recv().await?;
    }
    Ok(sum)
}

fn sum_of(n: usize) -> WorkflowCall<u64> {
    sum("t".into(), n)
}

async fn the_first_starts_a_run_and_the_others_reach_it(stage: Stage) {
    let rewake = stage.open().await;
    let first = rewake.resume_or_start("t", &1, sum_of(3)).await.unwrap();
    assert!(first.started);
    assert_eq!(first.hook.run_id, first.run_id);
    assert_eq!(first.hook.token.as_ref(), "t");
    let held = rewake.get_hook_by_token("t").await.unwrap();
    assert_eq!(held.map(|hook| hook.run_id), Some(first.run_id));
    for amount in [2, 3] {
        let next = rewake.resume_or_start("t", &amount, sum_of(3)).await;
        let next = next.unwrap();
        assert!(!next.started);
        assert_eq!(
            (next.run_id, next.hook.hook_id),
            (first.run_id, first.hook.hook_id)
        );
    }
    let run = rewake.get_run::<u64>(first.run_id);
    assert_eq!(run.result().await.unwrap(), 6);
    let expected = [
        "run_created",
        "hook_created",
        "hook_received",
        "run_started",
        "hook_received",
        "hook_received",
        "hook_disposed",
        "run_completed",
    ];
    assert_eq!(events(&rewake, &run).await, expected);
    assert_eq!(run.unread().await.unwrap(), []);
}

async fn a_run_that_was_started_as_usual_gets_the_payload(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sum_of(1)).await.unwrap();
    hook(&rewake, "t").await;
    let admission = rewake.resume_or_start("t", &5, sum_of(1)).await.unwrap();
    assert!(!admission.started);
    assert_eq!(admission.run_id, run.id());
    assert_eq!(run.result().await.unwrap(), 5);
}

async fn a_token_goes_from_one_run_to_the_next(stage: Stage) {
    let rewake = stage.open().await;
    for amount in 0..5 {
        let admission = rewake.resume_or_start("t", &amount, sum_of(1)).await;
        let admission = admission.unwrap();
        assert!(admission.started);
        let run = rewake.get_run::<u64>(admission.run_id);
        assert_eq!(run.result().await.unwrap(), amount);
    }
}

/// Reads one amount when it is let go, and returns with what else has come.
#[workflow]
async fn reads_one(token: String) -> anyhow::Result<u64> {
    let mut amounts = create_hook::<u64>().token(token.as_str()).await?;
    let mut go = create_hook::<bool>().token(format!("{token}:go")).await?;
    go.recv().await?;
    Ok(amounts.recv().await?)
}

async fn what_lands_on_a_run_that_has_decided_to_return_starts_the_next(stage: Stage) {
    let rewake = stage.open().await;
    let call = || reads_one("t".into());
    let first = rewake.resume_or_start("t", &1, call()).await.unwrap();
    let second = rewake.resume_or_start("t", &2, call()).await.unwrap();
    let third = rewake.resume_or_start("t", &3, call()).await.unwrap();
    assert!(!second.started && !third.started);
    resume(&rewake, "t:go", &true).await;
    let run = rewake.get_run::<u64>(first.run_id);
    assert_eq!(run.result().await.unwrap(), 1);
    // From the very end of the first run on the token is the second's, with both payloads.
    let held = rewake.get_hook_by_token("t").await.unwrap().unwrap();
    assert_ne!(held.run_id, first.run_id);
    resume(&rewake, "t:go", &true).await;
    let next = rewake.get_run::<u64>(held.run_id);
    assert_eq!(next.result().await.unwrap(), 2);
    let held = rewake.get_hook_by_token("t").await.unwrap().unwrap();
    resume(&rewake, "t:go", &true).await;
    let last = rewake.get_run::<u64>(held.run_id);
    assert_eq!(last.result().await.unwrap(), 3);
    assert!(rewake.get_hook_by_token("t").await.unwrap().is_none());
    for run in [run, next, last] {
        assert_eq!(run.unread().await.unwrap(), []);
    }
}

async fn what_a_cancelled_run_left_starts_the_next(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_one("t".into())).await.unwrap();
    hook(&rewake, "t:go").await;
    rewake.resume_or_start("t", &7, sum_of(1)).await.unwrap();
    assert!(run.cancel("enough").await.unwrap());
    run.result().await.unwrap_err();
    finished_with(&rewake, &run, 7).await;
}

async fn what_a_terminated_run_left_starts_the_next(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_one("t".into())).await.unwrap();
    hook(&rewake, "t:go").await;
    rewake.resume_or_start("t", &7, sum_of(1)).await.unwrap();
    rewake.resume_hook("t", &8).await.unwrap().unwrap();
    assert!(run.terminate("at once").await.unwrap());
    assert!(!run.terminate("again").await.unwrap());
    let error = run.result().await.unwrap_err();
    assert_eq!(error.to_string(), "the run was cancelled: at once");
    let unread = run.unread().await.unwrap();
    let unread: Vec<u64> = unread.iter().map(|left| left.decode().unwrap()).collect();
    assert_eq!(unread, [8], "what came by `resume_hook` stays");
    assert!(rewake.get_hook_by_token("t:go").await.unwrap().is_none());
    finished_with(&rewake, &run, 7).await;
}

/// The one other run there is ends with this.
async fn finished_with(rewake: &Rewake, left_by: &Run<u64>, amount: u64) {
    let runs = rewake.runs().await.unwrap().data;
    let others: Vec<_> = runs.iter().filter(|run| run.run != left_by.id()).collect();
    assert_eq!(others.len(), 1);
    let next = rewake.get_run::<u64>(others[0].run);
    assert_eq!(next.result().await.unwrap(), amount);
}

#[workflow]
async fn fails_at_once(token: String) -> anyhow::Result<u64> {
    let _hook = create_hook::<u64>().token(token).await?;
    anyhow::bail!("it cannot be done")
}

async fn a_run_that_fails_before_it_reads_starts_no_other(stage: Stage) {
    let rewake = stage.open().await;
    let call = fails_at_once("t".into());
    let admission = rewake.resume_or_start("t", &9, call).await.unwrap();
    let run = rewake.get_run::<u64>(admission.run_id);
    run.result().await.unwrap_err();
    let unread = run.unread().await.unwrap();
    assert_eq!(unread.len(), 1);
    assert_eq!(unread[0].decode::<u64>().unwrap(), 9);
    assert_eq!(unread[0].token, "t");
    assert_eq!(unread[0].hook_id, admission.hook.hook_id);
    assert_eq!(rewake.runs().await.unwrap().data.len(), 1);
    assert_eq!(run.snapshot().await.unwrap().unread, 1);
}

/// Closes its hook, and ends when it is let go, without having read.
#[workflow]
async fn closes(token: String) -> anyhow::Result<u64> {
    let mut amounts = create_hook::<u64>().token(token.as_str()).await?;
    let mut go = create_hook::<bool>().token(format!("{token}:go")).await?;
    go.recv().await?;
    amounts.close().await;
    go.recv().await?;
    drop(amounts);
    Ok(0)
}

async fn what_waits_in_a_closed_hook_starts_the_next_when_the_run_ends(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(closes("t".into())).await.unwrap();
    hook(&rewake, "t:go").await;
    rewake.resume_or_start("t", &4, sum_of(1)).await.unwrap();
    resume(&rewake, "t:go", &true).await;
    logged(&rewake, &run, "hook_disposed", 1).await;
    assert_eq!(rewake.runs().await.unwrap().data.len(), 1);
    resume(&rewake, "t:go", &true).await;
    run.result().await.unwrap();
    finished_with(&rewake, &run, 4).await;
}

async fn the_same_key_gives_the_same_admission(stage: Stage) {
    let rewake = stage.open().await;
    let admit = || {
        rewake
            .resume_or_start("t", &1, sum_of(2))
            .idempotency_key("k")
    };
    let first = admit().await.unwrap();
    let again = admit().await.unwrap();
    assert_eq!(again, first);
    rewake.resume_or_start("t", &2, sum_of(2)).await.unwrap();
    let run = rewake.get_run::<u64>(first.run_id);
    assert_eq!(run.result().await.unwrap(), 3);
    let later = admit().await.unwrap();
    assert_eq!(later, first);
    assert_eq!(rewake.runs().await.unwrap().data.len(), 1);
}

async fn another_payload_under_a_key_is_refused(stage: Stage) {
    let rewake = stage.open().await;
    let first = rewake.resume_or_start("t", &1, sum_of(2));
    first.idempotency_key("k").await.unwrap();
    let other = rewake.resume_or_start("t", &2, sum_of(2));
    let error = other.idempotency_key("k").await.unwrap_err();
    assert_eq!(error, AdmitError::KeyReused);
    assert!(!error.may_have_happened() && !error.is_retryable());
}

#[workflow]
async fn has_a_webhook() -> anyhow::Result<()> {
    create_webhook().await?.recv().await?;
    Ok(())
}

async fn a_webhooks_token_is_refused(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(has_a_webhook()).await.unwrap();
    logged(&rewake, &run, "hook_created", 1).await;
    let hooks = rewake.hooks().run(run.id()).await.unwrap().data;
    let token = hooks[0].token.to_string();
    let refused = rewake.resume_or_start(token, &1, sum_of(1)).await;
    assert_eq!(refused, Err(AdmitError::NotAHook));
}

#[workflow]
async fn waits_briefly(token: String) -> anyhow::Result<bool> {
    let brief = std::time::Duration::from_millis(1);
    let mut hook = create_hook::<u64>().token(token).expires_in(brief).await?;
    Ok(matches!(hook.recv().await, Err(HookError::Expired)))
}

async fn an_overdue_hook_is_no_hook(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_briefly("t".into())).await.unwrap();
    logged(&rewake, &run, "hook_created", 1).await;
    // Whoever comes first says that it has expired.
    while rewake.get_hook_by_token("t").await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    let admission = rewake.resume_or_start("t", &6, sum_of(1)).await.unwrap();
    assert!(admission.started);
    assert!(run.result().await.unwrap());
    let next = rewake.get_run::<u64>(admission.run_id);
    assert_eq!(next.result().await.unwrap(), 6);
}

async fn what_cannot_be_admitted_is_an_error_that_says_so(stage: Stage) {
    let builder = stage.builder().limit(rewake::Limit::Payload, 64);
    let rewake = builder.build().await.unwrap();
    let null = rewake
        .resume_or_start("t", &(), sum_of(1))
        .await
        .unwrap_err();
    assert_eq!(null.code(), "NULL_PAYLOAD");
    let large = "x".repeat(65);
    let large = rewake
        .resume_or_start("t", &large, sum_of(1))
        .await
        .unwrap_err();
    assert_eq!(large.code(), "PAYLOAD_TOO_LARGE");
    let input = sum("x".repeat(65), 1);
    let large = rewake.resume_or_start("t", &1, input).await.unwrap_err();
    assert_eq!(large.code(), "PAYLOAD_TOO_LARGE");
    let empty = rewake.resume_or_start("", &1, sum_of(1)).await.unwrap_err();
    assert_eq!(empty.code(), "INVALID_TOKEN");
    assert_eq!(rewake.runs().await.unwrap().data, []);
}
