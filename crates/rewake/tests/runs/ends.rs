//! Starting runs, asking about them, and how they end.

use std::time::Duration;

use rewake::prelude::*;
use rewake::{CancelError, RunId, RunStatus, StartError};
use rewake_core::time::Timestamp;

use crate::probe::Probe;
use crate::stage::{
    Stage, count, events, hook, log, logged, on_every_stage, parked, resume, system_time,
};

on_every_stage!(
    the_same_key_gives_the_run_already_started,
    other_arguments_under_a_key_are_an_error,
    another_workflow_under_a_key_is_an_error,
    callers_at_the_same_time_under_one_key_start_one_run,
    of_two_runs_the_later_has_the_greater_id,
    a_delayed_run_begins_when_its_time_has_come,
    an_id_that_exists_is_an_error,
    a_run_that_does_not_exist_is_unknown,
    a_run_is_running_until_it_ends,
    a_failed_run_tells_why,
    an_error_that_is_no_anyhow_tells_why_too,
    a_cancelled_run_ends_where_it_waits,
    a_run_can_be_cancelled_before_it_begins,
    a_run_that_has_ended_cannot_be_cancelled,
    a_step_under_way_does_not_keep_a_cancelled_run,
    cancelling_twice_is_harmless,
    a_workflow_awaited_in_another_is_part_of_its_run,
    the_error_of_a_workflow_awaited_in_another_can_be_handled,
    a_workflow_awaited_outside_says_what_to_write,
    a_workflow_knows_its_run,
    attributes_are_on_record,
    many_runs_at_once_all_end,
    a_workflow_may_call_itself,
    every_waiter_hears_of_the_end,
);

#[workflow]
async fn takes(token: String, n: u64) -> anyhow::Result<u64> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    Ok(n + numbers.recv().await?)
}

#[workflow]
async fn takes_as_well(token: String, n: u64) -> anyhow::Result<u64> {
    Ok(takes(token, n).await?)
}

async fn the_same_key_gives_the_run_already_started(stage: Stage) {
    let rewake = stage.open().await;
    let start = || rewake.start(takes("t".into(), 1)).idempotency_key("k");
    let first = start().await.unwrap();
    let again = start().await.unwrap();
    assert_eq!(first.id(), again.id());
    resume(&rewake, "t", &2).await;
    assert_eq!(again.result().await.unwrap(), 3);
    let later = start().await.unwrap();
    assert_eq!(later.id(), first.id(), "also when the run has ended");
    assert_eq!(later.result().await.unwrap(), 3);
    assert_eq!(count(&rewake, &first, "run_created").await, 1);
}

async fn other_arguments_under_a_key_are_an_error(stage: Stage) {
    let rewake = stage.open().await;
    let first = rewake.start(takes("t".into(), 1)).idempotency_key("k");
    let first = first.await.unwrap();
    let other = rewake.start(takes("t".into(), 2)).idempotency_key("k");
    let error = other.await.unwrap_err();
    assert_eq!(error, StartError::KeyReused { run: first.id() });
    assert!(error.to_string().contains("use another key"), "{error}");
}

async fn another_workflow_under_a_key_is_an_error(stage: Stage) {
    let rewake = stage.open().await;
    let first = rewake.start(takes("t".into(), 1)).idempotency_key("k");
    let first = first.await.unwrap();
    let other = rewake.start(takes_as_well("t".into(), 1));
    let error = other.idempotency_key("k").await.unwrap_err();
    assert_eq!(error, StartError::KeyReused { run: first.id() });
}

async fn callers_at_the_same_time_under_one_key_start_one_run(stage: Stage) {
    let rewake = stage.open().await;
    let starts = (0..20).map(|_| {
        let rewake = rewake.clone();
        tokio::spawn(async move {
            let start = rewake.start(takes("t".into(), 1)).idempotency_key("k");
            start.await.unwrap().id()
        })
    });
    let ids: Vec<RunId> = futures::future::try_join_all(starts).await.unwrap();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[workflow]
async fn begins() -> anyhow::Result<std::time::SystemTime> {
    Ok(workflow_metadata().started_at)
}

#[workflow]
async fn has_it_taken(token: String, n: u64) -> anyhow::Result<u64> {
    Ok(start_child(takes(token, n)).await?)
}

async fn of_two_runs_the_later_has_the_greater_id(stage: Stage) {
    let rewake = stage.open().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let run = rewake.start(takes(format!("a:{n}"), n)).await.unwrap();
        ids.push(run.id());
        let token = format!("b:{n}");
        let admitted = rewake.resume_or_start(&*token, &1, takes(token.clone(), n));
        ids.push(admitted.await.unwrap().run_id);
        let token = format!("c:{n}");
        let parent = rewake.start(has_it_taken(token.clone(), n)).await.unwrap();
        ids.extend([parent.id(), hook(&rewake, &token).await.run_id]);
    }
    assert!(ids.is_sorted_by(|one, later| one < later), "{ids:?}");
}

async fn a_delayed_run_begins_when_its_time_has_come(stage: Stage) {
    let rewake = stage.open().await;
    let not_before = system_time() + Duration::from_millis(60);
    let run = rewake.start(begins()).delay(Duration::from_millis(80));
    let run = run.await.unwrap();
    assert_eq!(run.status().await.unwrap(), RunStatus::Pending);
    assert!(run.result().await.unwrap() >= not_before);
}

async fn an_id_that_exists_is_an_error(stage: Stage) {
    let rewake = stage.open().await;
    let id = RunId::mint(Timestamp::from_millis(1_795_000_000_000), 7);
    let run = rewake.start(begins()).run_id(id).await.unwrap();
    assert_eq!(run.id(), id);
    let error = rewake.start(begins()).run_id(id).await.unwrap_err();
    assert_eq!(error, StartError::RunExists { run: id });
    run.result().await.unwrap();
}

async fn a_run_that_does_not_exist_is_unknown(stage: Stage) {
    let rewake = stage.open().await;
    let id = RunId::mint(Timestamp::from_millis(1_795_000_000_000), 8);
    let run = rewake.get_run::<()>(id);
    assert_eq!(run.id(), id);
    assert!(!run.exists().await.unwrap());
    let unknown = RunError::Unknown { run_id: id };
    assert_eq!(run.result().await, Err(unknown.clone()));
    assert_eq!(run.status().await, Err(unknown.clone()));
    assert_eq!(run.snapshot().await, Err(unknown));
    let error = run.cancel("no").await.unwrap_err();
    assert_eq!(error, CancelError::RunUnknown { run: id });
}

async fn a_run_is_running_until_it_ends(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes("t".into(), 1)).await.unwrap();
    hook(&rewake, "t").await;
    assert!(run.exists().await.unwrap());
    assert_eq!(run.status().await.unwrap(), RunStatus::Running);
    let snapshot = run.snapshot().await.unwrap();
    assert_eq!(snapshot.workflow, "runs::ends::takes");
    assert_eq!(snapshot.parked, None);
    assert_eq!(snapshot.ended_at, None);
    resume(&rewake, "t", &1).await;
    run.result().await.unwrap();
    let snapshot = run.snapshot().await.unwrap();
    assert_eq!(snapshot.status, RunStatus::Completed);
    assert!(snapshot.ended_at >= Some(snapshot.created_at));
}

#[workflow]
async fn fails() -> anyhow::Result<()> {
    use anyhow::Context;
    Err(std::fmt::Error)
        .context("no ink")
        .context("not printed")
}

async fn a_failed_run_tells_why(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(fails()).await.unwrap();
    let error = run.result().await.unwrap_err();
    let RunError::Failed {
        message, causes, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(message, "not printed");
    assert_eq!(causes, &["no ink", &std::fmt::Error.to_string()]);
    assert_eq!(error.to_string(), "the run failed: not printed");
    assert_eq!(run.status().await.unwrap(), RunStatus::Failed);
}

#[derive(Debug, thiserror::Error)]
#[error("the press stands still")]
struct Standstill(#[source] std::fmt::Error);

#[workflow]
async fn stands_still() -> Result<(), Standstill> {
    Err(Standstill(std::fmt::Error))
}

async fn an_error_that_is_no_anyhow_tells_why_too(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(stands_still()).await.unwrap();
    let Err(RunError::Failed {
        message, causes, ..
    }) = run.result().await
    else {
        panic!("it did not fail");
    };
    assert_eq!(message, "the press stands still");
    assert_eq!(causes, [std::fmt::Error.to_string()]);
}

async fn a_cancelled_run_ends_where_it_waits(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes("t".into(), 1)).await.unwrap();
    hook(&rewake, "t").await;
    assert!(run.cancel("not wanted").await.unwrap());
    let reason = Some("not wanted".to_owned());
    assert_eq!(
        run.result().await,
        Err(RunError::Cancelled {
            child: None,
            reason,
            terminated: false
        })
    );
    assert_eq!(run.status().await.unwrap(), RunStatus::Cancelled);
    let names = events(&rewake, &run).await;
    let tail = names
        .iter()
        .rposition(|name| *name == "run_cancel_requested");
    assert!(tail.is_some(), "{names:?}");
    assert_eq!(names.last(), Some(&"run_cancelled"));
}

async fn a_run_can_be_cancelled_before_it_begins(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(begins()).delay(Duration::from_hours(1));
    let run = run.await.unwrap();
    assert!(run.cancel("too early").await.unwrap());
    let error = run.result().await.unwrap_err();
    assert!(matches!(error, RunError::Cancelled { .. }), "{error}");
    assert_eq!(
        events(&rewake, &run).await,
        ["run_created", "run_cancel_requested", "run_cancelled"]
    );
}

async fn a_run_that_has_ended_cannot_be_cancelled(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(begins()).await.unwrap();
    run.result().await.unwrap();
    let before = log(&rewake, &run).await;
    assert!(!run.cancel("too late").await.unwrap());
    assert_eq!(log(&rewake, &run).await, before);
    let run = rewake.start(fails()).await.unwrap();
    run.result().await.unwrap_err();
    assert!(!run.cancel("too late").await.unwrap());
}

#[step]
async fn stays(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.note("stays");
    probe.pass().await;
    probe.note("goes");
    Ok(())
}

#[workflow]
async fn stays_long() -> anyhow::Result<()> {
    Ok(stays().await?)
}

async fn a_step_under_way_does_not_keep_a_cancelled_run(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(stays_long()).await.unwrap();
    stage.probe.noted("stays").await;
    assert!(run.cancel("enough").await.unwrap());
    run.result().await.unwrap_err();
    let before = log(&rewake, &run).await;
    stage.probe.open(1);
    assert_eq!(
        log(&rewake, &run).await,
        before,
        "its end is nobody's business"
    );
}

async fn cancelling_twice_is_harmless(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes("t".into(), 1)).await.unwrap();
    hook(&rewake, "t").await;
    let cancels = futures::join!(run.cancel("one"), run.cancel("two"), run.cancel("three"));
    let (one, two, three) = (cancels.0.unwrap(), cancels.1.unwrap(), cancels.2.unwrap());
    assert!(one || two || three);
    let error = run.result().await.unwrap_err();
    assert!(matches!(error, RunError::Cancelled { .. }), "{error}");
    assert_eq!(count(&rewake, &run, "run_cancelled").await, 1);
}

async fn a_workflow_awaited_in_another_is_part_of_its_run(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes_as_well("t".into(), 1)).await.unwrap();
    assert_eq!(resume(&rewake, "t", &4).await.run_id, run.id());
    assert_eq!(run.result().await.unwrap(), 5);
    assert_eq!(count(&rewake, &run, "run_created").await, 1);
}

#[workflow]
async fn handles() -> anyhow::Result<String> {
    match fails().await {
        Err(RunError::Failed { message, .. }) => Ok(message),
        other => anyhow::bail!("{other:?}"),
    }
}

async fn the_error_of_a_workflow_awaited_in_another_can_be_handled(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(handles()).await.unwrap();
    assert_eq!(run.result().await.unwrap(), "not printed");
}

async fn a_workflow_awaited_outside_says_what_to_write(_: Stage) {
    let error = begins().await.unwrap_err();
    assert_eq!(error, RunError::NotInWorkflow);
    assert!(
        error.to_string().contains("rewake.start(call).await"),
        "{error}"
    );
}

#[workflow]
async fn knows_itself() -> anyhow::Result<(String, String, Option<String>)> {
    let about = workflow_metadata();
    Ok((about.run_id.to_string(), about.workflow_name, about.url))
}

async fn a_workflow_knows_its_run(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(knows_itself()).await.unwrap();
    let expected = (
        run.id().to_string(),
        "runs::ends::knows_itself".to_owned(),
        Some("http://localhost:3000".to_owned()),
    );
    assert_eq!(run.result().await.unwrap(), expected);
}

async fn attributes_are_on_record(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(begins()).attribute("customer", "7");
    let run = run.attribute("plan", "a").attribute("plan", "b").await;
    let run = run.unwrap();
    run.result().await.unwrap();
    let entities = rewake.engine().entities(run.id()).await.unwrap();
    let attributes = &entities.run().unwrap().attributes;
    assert_eq!(attributes["customer"], "7");
    assert_eq!(attributes["plan"], "b");
}

#[workflow]
async fn naps(n: u64) -> anyhow::Result<u64> {
    sleep(Duration::from_millis(n % 7)).await;
    Ok(n)
}

async fn many_runs_at_once_all_end(stage: Stage) {
    let rewake = stage.open().await;
    let starts = (0..200).map(|n| rewake.start(naps(n)).into_future());
    let runs = futures::future::try_join_all(starts).await.unwrap();
    for (n, run) in runs.iter().enumerate() {
        assert_eq!(run.result().await.unwrap(), n as u64);
    }
}

#[workflow]
async fn counts_down(from: u64) -> anyhow::Result<u64> {
    if from == 0 {
        return Ok(0);
    }
    sleep(Duration::ZERO).await;
    Ok(1 + counts_down(from - 1).await?)
}

async fn a_workflow_may_call_itself(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(counts_down(5)).await.unwrap();
    assert_eq!(run.result().await.unwrap(), 5);
    assert_eq!(count(&rewake, &run, "wait_completed").await, 5);
}

async fn every_waiter_hears_of_the_end(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes("t".into(), 1)).await.unwrap();
    let waiters: Vec<_> = (0..10)
        .map(|_| {
            let run = run.clone();
            tokio::spawn(async move { run.result().await })
        })
        .collect();
    logged(&rewake, &run, "hook_created", 1).await;
    resume(&rewake, "t", &1).await;
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap().unwrap(), 2);
    }
}

#[workflow]
async fn never_heard_of() -> anyhow::Result<()> {
    parks().await?;
    Ok(())
}

#[workflow]
async fn parks() -> anyhow::Result<()> {
    panic!("on purpose");
}

mod parked_inside {
    use super::*;

    on_every_stage!(a_panic_in_a_nested_workflow_parks_the_run_that_awaits_it);

    async fn a_panic_in_a_nested_workflow_parks_the_run_that_awaits_it(stage: Stage) {
        let rewake = stage.open().await;
        let run = rewake.start(never_heard_of()).await.unwrap();
        let (code, reason) = parked(&run).await;
        assert_eq!(code, "WORKFLOW_PANICKED");
        assert!(reason.contains("never_heard_of"), "{reason}");
        assert_eq!(run.status().await.unwrap(), RunStatus::Running);
    }
}
