//! What is the same in every replay, and what survives the process.

use std::time::{Duration, SystemTime};

use rewake::prelude::*;
use rewake::{HookId, RunStatus};
use rewake_core::event::EventKind;

use crate::probe::Probe;
use crate::stage::{
    Stage, count, events, hook, in_time, log, logged, on_every_stage, resume, system_time,
};

on_every_stage!(
    what_is_drawn_is_the_same_in_every_replay,
    what_is_drawn_differs_from_run_to_run,
    ids_tokens_and_branches_are_the_same_after_a_restart,
    a_payload_that_nobody_was_woken_for_is_delivered_after_a_restart,
    a_payload_sent_between_two_processes_is_delivered,
    a_sleep_that_fell_due_between_two_processes_ends,
    a_step_that_was_aborted_is_taken_up_by_the_next_process,
    a_step_without_retries_is_not_run_again_after_its_process_ended,
    a_step_that_waits_for_a_place_has_not_begun_and_loses_nothing_with_its_process,
    a_run_started_by_a_client_is_driven_by_the_next_worker,
    a_delayed_run_begins_in_the_next_process,
    a_cancel_asked_of_a_client_is_carried_out_by_the_next_worker,
    a_retry_that_fell_due_between_two_processes_goes_on,
    a_handle_that_is_dropped_lets_the_next_one_go_on,
    a_client_hears_of_the_end_of_a_run,
);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Drawn {
    float: f64,
    integers: (u8, u64, i32, u128),
    coin: bool,
    uuid: String,
    at: SystemTime,
}

fn draw() -> Drawn {
    Drawn {
        float: random(),
        integers: (random(), random(), random(), random()),
        coin: random(),
        uuid: uuid().to_string(),
        at: now(),
    }
}

#[step]
async fn keep(drawn: Drawn) -> Result<Drawn, std::convert::Infallible> {
    Ok(drawn)
}

#[workflow]
async fn draws(token: String) -> anyhow::Result<Vec<(Drawn, Drawn)>> {
    let mut hook = create_hook::<u64>().token(token).await?;
    let mut all = Vec::new();
    for _ in 0..3 {
        let drawn = draw();
        let kept = keep(draw_again(&drawn)).await?;
        hook.recv().await?;
        all.push((drawn, kept));
    }
    Ok(all)
}

/// The same once more, to be recorded.
fn draw_again(drawn: &Drawn) -> Drawn {
    Drawn {
        uuid: drawn.uuid.clone(),
        ..*drawn
    }
}

async fn what_is_drawn_is_the_same_in_every_replay(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(draws("t".into())).await.unwrap();
    for n in 0..3_usize {
        logged(&rewake, &run, "step_completed", n + 1).await;
        resume(&rewake, "t", &n).await;
    }
    // What a step was given when it was called, and what the last replay draws at the same place.
    for (drawn, kept) in run.result().await.unwrap() {
        assert_eq!(drawn, kept);
        assert!((0.0..1.0).contains(&drawn.float));
        let uuid: uuid::Uuid = drawn.uuid.parse().unwrap();
        assert_eq!(uuid.get_version_num(), 4);
    }
}

#[workflow]
async fn draws_once() -> anyhow::Result<(u128, String)> {
    Ok((random(), uuid().to_string()))
}

async fn what_is_drawn_differs_from_run_to_run(stage: Stage) {
    let rewake = stage.open().await;
    let first = rewake.start(draws_once()).await.unwrap();
    let second = rewake.start(draws_once()).await.unwrap();
    let (first, second) = (
        first.result().await.unwrap(),
        second.result().await.unwrap(),
    );
    assert_ne!(first.0, second.0);
    assert_ne!(first.1, second.1);
}

#[workflow]
async fn branches(token: String) -> anyhow::Result<Vec<String>> {
    let mut told = vec![format!("{} {}", random::<u64>(), uuid())];
    let mut secret = create_hook::<u64>().await?;
    let mut known = create_hook::<u64>()
        .token(token)
        .metadata(secret.token())
        .await?;
    told.push(secret.hook_id().to_string());
    told.push(note("before".into()).await?);
    let which = select! {
        n = known.recv() => format!("known {}", n?),
        n = secret.recv() => format!("secret {}", n?),
        () = sleep(hours(1)) => "nobody".to_owned(),
    };
    told.push(which);
    told.push(secret.token().to_string());
    known.recv().await?;
    told.push(note("after".into()).await?);
    Ok(told)
}

#[step]
async fn note(what: String, #[provided] probe: Probe) -> anyhow::Result<String> {
    probe.note(what);
    Ok(step_metadata().step_id.to_string())
}

async fn ids_tokens_and_branches_are_the_same_after_a_restart(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(branches("t".into())).await.unwrap();
    let id = run.id();
    let known = hook(&rewake, "t").await;
    let secret = known.metadata.clone().unwrap();
    let secret = secret.as_str().unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<Vec<String>>(id);
    assert_eq!(hook(&rewake, "t").await, known);
    let live = hook(&rewake, secret).await;
    let secret_id: HookId = live.hook_id;
    resume(&rewake, secret, &7).await;
    logged(&rewake, &run, "wait_cancelled", 1).await;
    let before = log(&rewake, &run).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<Vec<String>>(id);
    assert_eq!(
        log(&rewake, &run).await,
        before,
        "a restart appends nothing"
    );
    resume(&rewake, "t", &0).await;
    let told = run.result().await.unwrap();
    assert_eq!(told[1], secret_id.to_string());
    assert_eq!(told[3], "secret 7");
    assert_eq!(told[4], secret);
    assert_ne!(told[2], told[5]);
    assert_eq!(stage.probe.notes(), ["before", "after"]);
    let steps = log(&rewake, &run).await;
    let steps = steps.iter().filter_map(|event| match &event.kind {
        EventKind::StepCreated { step, .. } => Some(step.to_string()),
        _ => None,
    });
    assert_eq!(
        steps.collect::<Vec<_>>(),
        [told[2].clone(), told[5].clone()]
    );
}

#[workflow]
async fn gathers(token: String, n: usize) -> anyhow::Result<Vec<u64>> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    let mut all = Vec::new();
    while all.len() < n {
        all.push(numbers.recv().await?);
    }
    Ok(all)
}

async fn a_payload_that_nobody_was_woken_for_is_delivered_after_a_restart(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gathers("t".into(), 2)).await.unwrap();
    hook(&rewake, "t").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    // This one appends and wakes nobody: as if the process had died in between.
    let client = stage.builder().client_only().build().await.unwrap();
    for n in [1, 2] {
        let taken = client.resume_hook("t", &n).await.unwrap();
        assert_eq!(taken.expect("the hook lives").run_id, run.id());
    }
    let status = client.get_run::<()>(run.id()).status().await.unwrap();
    assert_eq!(status, RunStatus::Running);
    client.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<Vec<u64>>(run.id());
    assert_eq!(run.result().await.unwrap(), [1, 2]);
    assert_eq!(count(&rewake, &run, "hook_received").await, 2);
}

async fn a_payload_sent_between_two_processes_is_delivered(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gathers("t".into(), 20)).await.unwrap();
    let id = run.id();
    drop(run);
    let mut rewake = rewake;
    for n in 0..20_u64 {
        if n % 4 == 3 {
            rewake.shutdown(Duration::ZERO).await.unwrap();
            rewake = stage.open().await;
        }
        resume(&rewake, "t", &n).await;
    }
    let run = rewake.get_run::<Vec<u64>>(id);
    assert_eq!(run.result().await.unwrap(), (0..20).collect::<Vec<_>>());
}

#[workflow]
async fn naps(token: String, ms: u64) -> anyhow::Result<SystemTime> {
    let _hook = create_hook::<u64>().token(token).await?;
    sleep(Duration::from_millis(ms)).await;
    Ok(now())
}

async fn a_sleep_that_fell_due_between_two_processes_ends(stage: Stage) {
    let rewake = stage.open().await;
    let due = system_time() + Duration::from_millis(30);
    let run = rewake.start(naps("t".into(), 30)).await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();
    while system_time() < due {
        tokio::task::yield_now().await;
    }
    let rewake = stage.open().await;
    let run = rewake.get_run::<SystemTime>(run.id());
    // Workflows are given whole milliseconds.
    let woke = run.result().await.unwrap() + Duration::from_millis(1);
    assert!(woke >= due);
}

#[step]
async fn hangs_at_first(#[provided] probe: Probe) -> Result<u32, std::convert::Infallible> {
    if probe.note("began") == 1 {
        std::future::pending::<()>().await;
    }
    Ok(step_metadata().attempt)
}

#[workflow]
async fn waits_for_what_hangs() -> anyhow::Result<u32> {
    Ok(hangs_at_first().await?)
}

async fn a_step_that_was_aborted_is_taken_up_by_the_next_process(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(waits_for_what_hangs()).await.unwrap();
    stage.probe.noted("began").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<u32>(run.id());
    let attempt = run.result().await.unwrap();
    assert!(attempt <= 2, "{attempt}");
    assert_eq!(stage.probe.times("began"), 2);
    assert_eq!(count(&rewake, &run, "step_created").await, 1);
    assert_eq!(count(&rewake, &run, "step_completed").await, 1);
}

#[workflow]
async fn tries_once() -> anyhow::Result<String> {
    let error = hangs_at_first().max_retries(0).await.unwrap_err();
    Ok(error.message)
}

async fn a_step_without_retries_is_not_run_again_after_its_process_ended(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(tries_once()).await.unwrap();
    stage.probe.noted("began").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<String>(run.id());
    let message = run.result().await.unwrap();
    assert!(message.contains("did not end"), "{message}");
    assert_eq!(stage.probe.times("began"), 1, "it may have had its effect");
}

#[step]
async fn fills_the_place(#[provided] probe: Probe) -> Result<(), std::convert::Infallible> {
    probe.note("filled");
    probe.pass().await;
    Ok(())
}

#[workflow]
async fn fills() -> anyhow::Result<()> {
    Ok(fills_the_place().await?)
}

#[step]
async fn tells_its_attempt() -> Result<u32, std::convert::Infallible> {
    Ok(step_metadata().attempt)
}

#[workflow]
async fn wants_a_place(retries: u32) -> anyhow::Result<u32> {
    Ok(tells_its_attempt().max_retries(retries).await?)
}

async fn a_step_that_waits_for_a_place_has_not_begun_and_loses_nothing_with_its_process(
    stage: Stage,
) {
    let rewake = stage.builder().max_steps(1).build().await.unwrap();
    rewake.start(fills()).await.unwrap();
    stage.probe.noted("filled").await;
    let mut waiting = Vec::new();
    for retries in [0, 3] {
        let run = rewake.start(wants_a_place(retries)).await.unwrap();
        logged(&rewake, &run, "step_created", 1).await;
        waiting.push(run.id());
    }
    rewake.shutdown(Duration::ZERO).await.unwrap();

    stage.probe.open(2);
    let rewake = stage.builder().max_steps(1).build().await.unwrap();
    for run in waiting {
        let run = rewake.get_run::<u32>(run);
        assert_eq!(run.result().await.unwrap(), 1, "it is its first attempt");
        assert_eq!(count(&rewake, &run, "step_started").await, 1);
        assert_eq!(count(&rewake, &run, "step_retrying").await, 0);
    }
}

async fn a_run_started_by_a_client_is_driven_by_the_next_worker(stage: Stage) {
    let client = stage.builder().client_only().build().await.unwrap();
    let run = client.start(gathers("t".into(), 1)).await.unwrap();
    assert_eq!(run.status().await.unwrap(), RunStatus::Pending);
    let id = run.id();
    client.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    assert_eq!(resume(&rewake, "t", &1).await.run_id, id);
    assert_eq!(rewake.get_run::<Vec<u64>>(id).result().await.unwrap(), [1]);
}

async fn a_delayed_run_begins_in_the_next_process(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(draws_once()).delay(Duration::from_millis(40));
    let id = run.await.unwrap().id();
    rewake.shutdown(Duration::ZERO).await.unwrap();
    let rewake = stage.open().await;
    rewake.get_run::<(u128, String)>(id).result().await.unwrap();
}

async fn a_cancel_asked_of_a_client_is_carried_out_by_the_next_worker(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gathers("t".into(), 1)).await.unwrap();
    let id = run.id();
    hook(&rewake, "t").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();
    let client = stage.builder().client_only().build().await.unwrap();
    assert!(client.get_run::<()>(id).cancel("enough").await.unwrap());
    client.shutdown(Duration::ZERO).await.unwrap();

    let rewake = stage.open().await;
    let run = rewake.get_run::<Vec<u64>>(id);
    let error = run.result().await.unwrap_err();
    let reason = Some("enough".to_owned());
    assert_eq!(
        error,
        RunError::Cancelled {
            child: None,
            reason,
            terminated: false
        }
    );
    assert_eq!(rewake.get_hook_by_token("t").await.unwrap(), None);
}

#[step(max_retries = 1)]
async fn asks_for_time(of: String, #[provided] probe: Probe) -> anyhow::Result<u32> {
    match probe.note(&of) {
        1 => Err(RetryableError::new("later")
            .retry_after(Duration::from_millis(50))
            .into()),
        _ => Ok(step_metadata().attempt),
    }
}

#[workflow]
async fn gives_time() -> anyhow::Result<u32> {
    Ok(asks_for_time(workflow_metadata().run_id.to_string()).await?)
}

async fn a_retry_that_fell_due_between_two_processes_goes_on(stage: Stage) {
    // On a busy machine it falls due before the first process is gone: then that was another story.
    let run = loop {
        let rewake = stage.open().await;
        let run = rewake.start(gives_time()).await.unwrap();
        logged(&rewake, &run, "step_retrying", 1).await;
        rewake.shutdown(Duration::ZERO).await.unwrap();
        if stage.probe.times(run.id().as_ref()) == 1 {
            break run.id();
        }
    };
    let rewake = stage.open().await;
    assert_eq!(rewake.get_run::<u32>(run).result().await.unwrap(), 2);
    assert_eq!(stage.probe.times(run.as_ref()), 2);
}

async fn a_handle_that_is_dropped_lets_the_next_one_go_on(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(gathers("t".into(), 3)).await.unwrap();
    let id = run.id();
    resume(&rewake, "t", &1).await;
    drop((run, rewake));
    let rewake = stage.open().await;
    resume(&rewake, "t", &2).await;
    resume(&rewake, "t", &3).await;
    let run = rewake.get_run::<Vec<u64>>(id);
    assert_eq!(run.result().await.unwrap(), [1, 2, 3]);
    assert_eq!(count(&rewake, &run, "run_completed").await, 1);
    assert_eq!(count(&rewake, &run, "hook_created").await, 1);
}

async fn a_client_hears_of_the_end_of_a_run(stage: Stage) {
    let rewake = stage.open().await;
    let client = stage.builder().client_only().build().await.unwrap();
    let run = rewake.start(gathers("t".into(), 1)).await.unwrap();
    let seen = client.get_run::<Vec<u64>>(run.id());
    let result = tokio::spawn(async move { seen.result().await });
    resume(&rewake, "t", &1).await;
    assert_eq!(run.result().await.unwrap(), [1]);
    assert_eq!(result.await.unwrap().unwrap(), [1]);
}

/// What a file looks like when its process is killed at this moment: the copy has everything that
/// was acknowledged, and no more.
mod killed {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_copied_under_way_goes_on_where_it_was() {
        in_time(goes_on()).await;
    }

    async fn goes_on() {
        let stage = Stage::in_a_file();
        let rewake = stage.open().await;
        let run = rewake.start(branches("t".into())).await.unwrap();
        let known = hook(&rewake, "t").await;
        logged(&rewake, &run, "wait_created", 1).await;
        resume(&rewake, "t", &1).await;
        logged(&rewake, &run, "wait_cancelled", 1).await;
        resume(&rewake, "t", &2).await;

        let copy = stage.killed();
        let told = run.result().await.unwrap();
        rewake.shutdown(Duration::ZERO).await.unwrap();
        assert_eq!(hook_of(&copy).await.unwrap_or_else(|| known.clone()), known);
        let rewake = copy.open().await;
        let again = rewake.get_run::<Vec<String>>(run.id());
        assert_eq!(again.result().await.unwrap(), told);
        let names = events(&rewake, &again).await;
        assert_eq!(
            names
                .iter()
                .filter(|name| **name == "hook_received")
                .count(),
            2
        );
    }

    async fn hook_of(copy: &Stage) -> Option<Hook> {
        let client = copy.builder().client_only().build().await.unwrap();
        let found = client.get_hook_by_token("t").await.unwrap();
        client.shutdown(Duration::ZERO).await.unwrap();
        found
    }
}
