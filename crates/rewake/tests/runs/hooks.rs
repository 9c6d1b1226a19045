//! Hooks: registration, delivery, disposal, conflicts.

use std::time::Duration;

use futures::StreamExt;
use futures::future::{join, join_all};
use rewake::ResumeError;
use rewake::prelude::*;

use crate::stage::{Stage, count, events, hook, logged, on_every_stage, resume, system_time};

on_every_stage!(
    a_token_that_nobody_knows_gives_none,
    a_resume_appends_one_event_wakes_the_run_and_gives_the_hook,
    a_hook_that_is_gone_gives_none_and_nothing_is_appended,
    the_hook_of_a_cancelled_run_is_gone,
    two_resumes_are_two_deliveries_in_order,
    what_arrives_before_recv_waits,
    two_that_wait_get_one_payload_each_in_order,
    a_payload_of_another_type_leaves_the_hook_alive,
    a_closed_hook_still_gives_what_had_arrived,
    a_hook_is_a_stream_that_ends_when_it_is_closed,
    an_expired_hook_says_so_once_and_takes_nothing,
    the_time_of_a_hook_counts_from_its_registration,
    a_token_in_use_gives_the_run_that_has_it,
    a_run_may_be_in_conflict_with_itself,
    a_token_is_free_again_once_its_hook_is_dropped,
    a_token_is_free_again_once_its_run_has_ended,
    the_same_key_delivers_once,
    another_payload_under_a_key_is_refused,
    resumes_at_the_same_time_are_all_delivered_once,
    a_random_token_cannot_be_guessed_from_another,
    a_hook_that_is_looked_up_is_not_resumed,
    a_hook_as_json_has_the_fields_of_the_seeds,
    a_hook_given_up_before_it_is_registered_takes_nothing,
    a_webhooks_token_is_no_hooks,
    a_hook_that_holds_as_much_as_it_may_takes_no_more,
);

#[derive(Serialize)]
struct About {
    document: String,
    pages: u32,
}

#[workflow]
async fn gather(token: String, n: usize) -> anyhow::Result<Vec<u64>> {
    let about = About {
        document: "handbook".into(),
        pages: 3,
    };
    let mut numbers = create_hook::<u64>().token(token).metadata(&about).await?;
    let mut all = Vec::new();
    while all.len() < n {
        all.push(numbers.recv().await?);
    }
    Ok(all)
}

async fn a_token_that_nobody_knows_gives_none(stage: Stage) {
    let rewake = stage.open().await;
    assert!(rewake.resume_hook("nobody", &1).await.unwrap().is_none());
    assert!(rewake.get_hook_by_token("nobody").await.unwrap().is_none());
}

async fn a_resume_appends_one_event_wakes_the_run_and_gives_the_hook(stage: Stage) {
    let rewake = stage.builder().owner("me").project("p").environment("e");
    let rewake = rewake.build().await.unwrap();
    let run = rewake.start(gather("t".into(), 1)).await.unwrap();
    let resumed = resume(&rewake, "t", &7).await;
    assert_eq!(resumed.run_id, run.id());
    assert_eq!(resumed.token.as_ref(), "t");
    assert_eq!(resumed.owner_id, "me");
    assert_eq!(resumed.project_id, "p");
    assert_eq!(resumed.environment, "e");
    assert!(!resumed.is_webhook);
    assert_eq!(resumed.expires_at, None);
    let metadata = resumed.metadata.expect("the workflow gave some");
    assert_eq!(metadata["document"], "handbook");
    assert_eq!(metadata["pages"], 3);
    assert_eq!(run.result().await.unwrap(), [7]);
    assert_eq!(
        events(&rewake, &run).await,
        [
            "run_created",
            "run_started",
            "hook_created",
            "hook_received",
            "hook_disposed",
            "run_completed",
        ]
    );
}

#[workflow]
async fn ends_with_its_hook(
    token: String,
    dispose: bool,
    token_after: String,
) -> anyhow::Result<()> {
    let mut hook = create_hook::<u64>().token(token).await?;
    hook.recv().await?;
    if dispose {
        drop(hook);
        create_hook::<u64>()
            .token(token_after)
            .await?
            .recv()
            .await?;
    }
    Ok(())
}

async fn a_hook_that_is_gone_gives_none_and_nothing_is_appended(stage: Stage) {
    let rewake = stage.open().await;
    let run = ends_with_its_hook("t".into(), true, "after".into());
    let run = rewake.start(run).await.unwrap();
    resume(&rewake, "t", &1).await;
    hook(&rewake, "after").await;
    let before = events(&rewake, &run).await;
    assert!(rewake.resume_hook("t", &2).await.unwrap().is_none());
    assert_eq!(events(&rewake, &run).await, before, "disposed of");

    resume(&rewake, "after", &3).await;
    run.result().await.unwrap();
    let before = events(&rewake, &run).await;
    assert!(rewake.resume_hook("after", &4).await.unwrap().is_none());
    assert!(rewake.get_hook_by_token("after").await.unwrap().is_none());
    assert_eq!(events(&rewake, &run).await, before, "completed");
}

async fn the_hook_of_a_cancelled_run_is_gone(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gather("t".into(), 1)).await.unwrap();
    hook(&rewake, "t").await;
    assert!(run.cancel("enough").await.unwrap());
    run.result().await.unwrap_err();
    let before = events(&rewake, &run).await;
    assert!(rewake.resume_hook("t", &1).await.unwrap().is_none());
    assert_eq!(events(&rewake, &run).await, before);
    // Somebody else may have the token now.
    let second = rewake.start(gather("t".into(), 1)).await.unwrap();
    assert_eq!(resume(&rewake, "t", &5).await.run_id, second.id());
    assert_eq!(second.result().await.unwrap(), [5]);
}

async fn two_resumes_are_two_deliveries_in_order(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gather("t".into(), 2)).await.unwrap();
    let first = resume(&rewake, "t", &1).await;
    let second = resume(&rewake, "t", &2).await;
    assert_eq!(first.hook_id, second.hook_id);
    assert_eq!(run.result().await.unwrap(), [1, 2]);
    assert_eq!(count(&rewake, &run, "hook_received").await, 2);
}

#[step]
async fn wait_at_the_gate(#[provided] probe: crate::probe::Probe) -> anyhow::Result<()> {
    probe.note("waiting");
    probe.pass().await;
    Ok(())
}

#[workflow]
async fn reads_late(token: String) -> anyhow::Result<Vec<u64>> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    wait_at_the_gate().await?;
    Ok(vec![numbers.recv().await?, numbers.recv().await?])
}

async fn what_arrives_before_recv_waits(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_late("t".into())).await.unwrap();
    stage.probe.noted("waiting").await;
    resume(&rewake, "t", &1).await;
    resume(&rewake, "t", &2).await;
    stage.probe.open(1);
    assert_eq!(run.result().await.unwrap(), [1, 2]);
}

#[workflow]
async fn two_hooks_at_once(token: String) -> anyhow::Result<(Vec<u64>, Vec<u64>)> {
    // `recv` borrows, so two that wait on one hook share it by turns.
    let numbers = create_hook::<u64>().token(token).await?;
    let shared = futures::lock::Mutex::new(numbers);
    let receive = async || -> anyhow::Result<Vec<u64>> {
        let mut all = Vec::new();
        for _ in 0..2 {
            all.push(shared.lock().await.recv().await?);
        }
        Ok(all)
    };
    let (a, b) = join(receive(), receive()).await;
    Ok((a?, b?))
}

async fn two_that_wait_get_one_payload_each_in_order(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(two_hooks_at_once("t".into())).await.unwrap();
    for n in 1..=4 {
        resume(&rewake, "t", &n).await;
    }
    let (a, b) = run.result().await.unwrap();
    assert!(a.is_sorted() && b.is_sorted(), "{a:?} {b:?}");
    let mut all = [a, b].concat();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4]);
}

#[workflow]
async fn skips_what_it_cannot_read(token: String) -> anyhow::Result<(Vec<u8>, u64)> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let Err(HookError::Decode { reason, bytes }) = numbers.recv().await else {
        anyhow::bail!("it was read");
    };
    anyhow::ensure!(!reason.is_empty());
    Ok((bytes, numbers.recv().await?))
}

async fn a_payload_of_another_type_leaves_the_hook_alive(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(skips_what_it_cannot_read("t".into()));
    let run = run.await.unwrap();
    resume(&rewake, "t", "not a number").await;
    resume(&rewake, "t", &42).await;
    let (bytes, number) = run.result().await.unwrap();
    let bytes = String::from_utf8(bytes).unwrap();
    assert!(bytes.contains("not a number"), "{bytes}");
    assert_eq!(number, 42);
}

#[workflow]
async fn closes_early(token: String, still_reads: String) -> anyhow::Result<Vec<u64>> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    wait_at_the_gate().await?;
    numbers.close().await;
    create_hook::<u64>()
        .token(still_reads)
        .await?
        .recv()
        .await?;
    let mut all = Vec::new();
    loop {
        match numbers.recv().await {
            Ok(number) => all.push(number),
            Err(HookError::Closed) => break,
            Err(error) => return Err(error.into()),
        }
    }
    anyhow::ensure!(numbers.recv().await == Err(HookError::Closed));
    Ok(all)
}

async fn a_closed_hook_still_gives_what_had_arrived(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(closes_early("t".into(), "reads".into()));
    let run = run.await.unwrap();
    for n in 1..=3 {
        resume(&rewake, "t", &n).await;
    }
    stage.probe.open(1);
    hook(&rewake, "reads").await;
    assert!(rewake.resume_hook("t", &4).await.unwrap().is_none());
    resume(&rewake, "reads", &0).await;
    assert_eq!(run.result().await.unwrap(), [1, 2, 3]);
}

#[workflow]
async fn streams(token: String) -> anyhow::Result<u64> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let mut sum = 0;
    while let Some(number) = numbers.next().await {
        sum += number?;
        if sum >= 10 {
            numbers.close().await;
        }
    }
    Ok(sum)
}

async fn a_hook_is_a_stream_that_ends_when_it_is_closed(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(streams("t".into())).await.unwrap();
    for n in [1, 2, 7] {
        resume(&rewake, "t", &n).await;
    }
    assert_eq!(run.result().await.unwrap(), 10);
    assert_eq!(count(&rewake, &run, "hook_disposed").await, 1);
}

#[workflow]
async fn expires(token: String) -> anyhow::Result<(u64, bool, bool)> {
    let mut numbers = create_hook::<u64>()
        .token(token)
        .expires_in(Duration::from_secs(2))
        .await?;
    let first = numbers.recv().await?;
    let expired = numbers.recv().await == Err(HookError::Expired);
    let ended = match numbers.next().await {
        Some(Err(HookError::Expired)) => numbers.next().await.is_none(),
        _ => false,
    };
    Ok((first, expired, ended))
}

async fn an_expired_hook_says_so_once_and_takes_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(expires("t".into())).await.unwrap();
    let taken = resume(&rewake, "t", &1).await;
    let expires_at = taken.expires_at.expect("it expires");
    let lives = expires_at.duration_since(taken.created_at).unwrap();
    assert!(lives <= Duration::from_secs(2), "{lives:?}");
    assert_eq!(run.result().await.unwrap(), (1, true, true));
    assert!(rewake.resume_hook("t", &2).await.unwrap().is_none());
    assert_eq!(count(&rewake, &run, "hook_expired").await, 1);
}

#[workflow]
async fn wants(token: String) -> anyhow::Result<Result<u64, String>> {
    let mut hook = match create_hook::<u64>().token(token).await {
        Ok(hook) => hook,
        Err(HookError::Conflict(HookConflict { token, run_id })) => {
            sleep(Duration::from_millis(1)).await;
            return Ok(Err(format!("{token} {run_id}")));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Ok(hook.recv().await?))
}

async fn a_token_in_use_gives_the_run_that_has_it(stage: Stage) {
    let rewake = stage.open().await;
    let first = rewake.start(wants("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    let second = rewake.start(wants("t".into())).await.unwrap();
    let conflict = second.result().await.unwrap().unwrap_err();
    assert_eq!(conflict, format!("t {}", first.id()));
    assert_eq!(count(&rewake, &second, "hook_conflict").await, 1);
    assert_eq!(resume(&rewake, "t", &1).await.run_id, first.id());
    assert_eq!(first.result().await.unwrap(), Ok(1));
}

#[workflow]
async fn wants_twice(token: String) -> anyhow::Result<(bool, u64)> {
    let mut first = create_hook::<u64>().token(token.as_str()).await?;
    let second = create_hook::<u64>().token(token).await;
    let own = workflow_metadata().run_id;
    let conflict = matches!(
        second,
        Err(HookError::Conflict(HookConflict { run_id, .. })) if run_id == own
    );
    Ok((conflict, first.recv().await?))
}

async fn a_run_may_be_in_conflict_with_itself(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(wants_twice("t".into())).await.unwrap();
    resume(&rewake, "t", &4).await;
    assert_eq!(run.result().await.unwrap(), (true, 4));
}

#[workflow]
async fn takes_it_again(token: String) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut hook = create_hook::<u64>().token(token.as_str()).await?;
        hook.recv().await?;
        ids.push(hook.hook_id().to_string());
    }
    Ok(ids)
}

async fn a_token_is_free_again_once_its_hook_is_dropped(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes_it_again("t".into())).await.unwrap();
    let mut ids: Vec<String> = Vec::new();
    while ids.len() < 3 {
        let found = hook(&rewake, "t").await;
        let known = ids.contains(&found.hook_id.to_string());
        if !known && rewake.resume_hook("t", &1).await.unwrap().is_some() {
            ids.push(found.hook_id.to_string());
        }
    }
    assert_eq!(run.result().await.unwrap(), ids);
}

async fn a_token_is_free_again_once_its_run_has_ended(stage: Stage) {
    let rewake = stage.open().await;
    for n in 0..3 {
        let run = rewake.start(wants("t".into())).await.unwrap();
        resume(&rewake, "t", &n).await;
        assert_eq!(run.result().await.unwrap(), Ok(n));
    }
}

async fn the_same_key_delivers_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gather("t".into(), 2)).await.unwrap();
    hook(&rewake, "t").await;
    let first = rewake.resume_hook("t", &1).idempotency_key("k");
    let first = first.await.unwrap().expect("the hook is live");
    for _ in 0..3 {
        let again = rewake.resume_hook("t", &1).idempotency_key("k");
        assert_eq!(again.await.unwrap().as_ref(), Some(&first));
    }
    resume(&rewake, "t", &2).await;
    assert_eq!(run.result().await.unwrap(), [1, 2]);
    assert_eq!(count(&rewake, &run, "hook_received").await, 2);
    // The answer is remembered even when the run has ended.
    let again = rewake.resume_hook("t", &1).idempotency_key("k");
    assert_eq!(again.await.unwrap(), Some(first));
}

async fn another_payload_under_a_key_is_refused(stage: Stage) {
    let rewake = stage.open().await;
    // That there was no hook is not remembered.
    let early = rewake.resume_hook("t", &9).idempotency_key("k");
    assert_eq!(early.await.unwrap(), None);
    let run = rewake.start(gather("t".into(), 2)).await.unwrap();
    hook(&rewake, "t").await;
    let first = rewake.resume_hook("t", &1).idempotency_key("k");
    first.await.unwrap().expect("the hook is live");
    let other = rewake.resume_hook("t", &2).idempotency_key("k");
    assert_eq!(other.await, Err(ResumeError::KeyReused));
    resume(&rewake, "t", &3).await;
    assert_eq!(run.result().await.unwrap(), [1, 3]);
}

async fn resumes_at_the_same_time_are_all_delivered_once(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gather("t".into(), 50)).await.unwrap();
    hook(&rewake, "t").await;
    let resumes = (0..50_u64).map(|n| {
        let rewake = rewake.clone();
        tokio::spawn(async move { rewake.resume_hook("t", &n).await.unwrap() })
    });
    for resumed in join_all(resumes).await {
        assert!(resumed.unwrap().is_some());
    }
    let mut all = run.result().await.unwrap();
    all.sort_unstable();
    assert_eq!(all, (0..50).collect::<Vec<_>>());
    assert_eq!(count(&rewake, &run, "hook_received").await, 50);
    assert_eq!(count(&rewake, &run, "run_completed").await, 1);
}

#[workflow]
async fn tells_its_token(known: String) -> anyhow::Result<(String, u64)> {
    let mut random = create_hook::<u64>().await?;
    let mut known = create_hook::<u64>()
        .token(known)
        .metadata(random.token())
        .await?;
    known.recv().await?;
    Ok((random.token().to_string(), random.recv().await?))
}

async fn a_random_token_cannot_be_guessed_from_another(stage: Stage) {
    let rewake = stage.open().await;
    let mut tokens = Vec::new();
    for name in ["a", "b"] {
        let run = rewake.start(tells_its_token(name.into())).await.unwrap();
        let metadata = hook(&rewake, name).await.metadata.unwrap();
        let token = metadata.as_str().unwrap().to_owned();
        resume(&rewake, &token, &6).await;
        resume(&rewake, name, &0).await;
        assert_eq!(run.result().await.unwrap(), (token.clone(), 6));
        assert_eq!(token.len(), 26);
        tokens.push(token);
    }
    let same = tokens[0].chars().zip(tokens[1].chars());
    let same = same.filter(|(a, b)| a == b).count();
    assert!(same < 15, "{tokens:?}");
}

async fn a_hook_that_is_looked_up_is_not_resumed(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gather("t".into(), 1)).await.unwrap();
    let found = hook(&rewake, "t").await;
    assert_eq!(hook(&rewake, "t").await, found);
    assert_eq!(count(&rewake, &run, "hook_received").await, 0);
    let resumed = resume(&rewake, "t", &1).await;
    assert_eq!(resumed, found);
    run.result().await.unwrap();
}

async fn a_hook_as_json_has_the_fields_of_the_seeds(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gather("t".into(), 1)).await.unwrap();
    let json = serde_json::to_value(resume(&rewake, "t", &1).await).unwrap();
    let fields: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    for field in [
        "runId",
        "hookId",
        "token",
        "ownerId",
        "projectId",
        "environment",
        "createdAt",
        "metadata",
        "isWebhook",
        "expiresAt",
    ] {
        assert!(fields.iter().any(|found| found == field), "{field}");
    }
    assert_eq!(fields.len(), 10);
    assert_eq!(json["runId"], run.id().to_string());
    let created = json["createdAt"].as_str().unwrap();
    assert!(
        created.starts_with("20") && created.ends_with('Z'),
        "{created}"
    );
    run.result().await.unwrap();
}

#[workflow]
async fn gives_up_its_hook(token: String, after: String) -> anyhow::Result<u64> {
    {
        let mut given_up = Box::pin(async { create_hook::<u64>().token(token).await });
        futures::future::poll_fn(|cx| {
            let _pending = given_up.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    }
    Ok(create_hook::<u64>().token(after).await?.recv().await?)
}

async fn a_hook_given_up_before_it_is_registered_takes_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let run = gives_up_its_hook("t".into(), "after".into());
    let run = rewake.start(run).await.unwrap();
    hook(&rewake, "after").await;
    assert!(rewake.resume_hook("t", &1).await.unwrap().is_none());
    resume(&rewake, "after", &2).await;
    assert_eq!(run.result().await.unwrap(), 2);
}

#[workflow]
async fn waits_for_a_webhook(known: String) -> anyhow::Result<()> {
    let mut webhook = create_webhook().await?;
    create_hook::<u64>()
        .token(known)
        .metadata(webhook.token())
        .await?
        .recv()
        .await?;
    webhook.close().await;
    Ok(())
}

async fn a_webhooks_token_is_no_hooks(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_for_a_webhook("t".into())).await.unwrap();
    let token = hook(&rewake, "t").await.metadata.unwrap();
    let token = token.as_str().unwrap();
    let refused = rewake.resume_hook(token, &1).await.unwrap_err();
    assert_eq!(refused, ResumeError::NotAHook);
    assert!(!refused.may_have_happened());
    assert_eq!(count(&rewake, &run, "hook_received").await, 0);
    resume(&rewake, "t", &1).await;
    run.result().await.unwrap();
}

async fn a_hook_that_holds_as_much_as_it_may_takes_no_more(stage: Stage) {
    let rewake = stage.builder().limit(rewake::Limit::Unread, 3);
    let rewake = rewake.build().await.unwrap();
    let run = rewake.start(reads_late("t".into())).await.unwrap();
    stage.probe.noted("waiting").await;
    for n in 0..3 {
        resume(&rewake, "t", &n).await;
    }
    let refused = rewake.resume_hook("t", &3).await.unwrap_err();
    assert!(
        matches!(refused, ResumeError::Full { count: 3, .. }),
        "{refused}"
    );
    logged(&rewake, &run, "hook_received", 3).await;
    assert_eq!(count(&rewake, &run, "hook_received").await, 3);
    stage.probe.open(1);
    assert_eq!(run.result().await.unwrap(), [0, 1]);
}

/// When the workflow below came to its hook, in its first life.
static AT_THE_HOOK: std::sync::OnceLock<std::time::SystemTime> = std::sync::OnceLock::new();

#[workflow]
async fn is_late_with_its_hook() -> anyhow::Result<bool> {
    // The last event was fed before this; what is not durable may take its time all the same.
    let begun = system_time();
    while system_time() < begun + Duration::from_millis(50) {
        std::hint::spin_loop();
    }
    AT_THE_HOOK.get_or_init(system_time);
    let mut hook = create_hook().token("late").expires_in(minutes(1)).await?;
    Ok(hook.recv().await?)
}

async fn the_time_of_a_hook_counts_from_its_registration(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(is_late_with_its_hook()).await.unwrap();
    let expires_at = hook(&rewake, "late").await.expires_at.unwrap();
    let late = *AT_THE_HOOK.get().unwrap();
    // A store's clock is heard a little late; the workflow was later than that.
    assert!(expires_at + Duration::from_millis(25) >= late + minutes(1));
    resume(&rewake, "late", &true).await;
    assert!(run.result().await.unwrap());
}
