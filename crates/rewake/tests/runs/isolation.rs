//! Projects and environments on one store: another's is not found.

use std::time::Duration;

use rewake::prelude::*;
use rewake::{CancelError, RunId};

use crate::stage::{Stage, hook, on_every_stage, resume};

on_every_stage!(
    another_environment_sees_nothing,
    another_project_sees_nothing,
    the_same_token_may_be_live_in_each_environment,
    the_same_key_starts_a_run_in_each_environment,
    a_worker_takes_up_only_runs_of_its_own,
);

#[workflow]
async fn takes(token: String) -> anyhow::Result<u64> {
    let mut numbers = create_hook::<u64>().token(token).await?;
    Ok(numbers.recv().await?)
}

/// What is set apart, and the handle that goes with it. On a file one process works at a time.
async fn sees_nothing(stage: &Stage, run: RunId, handle: rewake::RewakeBuilder) {
    let other = handle.build().await.unwrap();
    assert_eq!(other.get_hook_by_token("t").await.unwrap(), None);
    assert_eq!(other.resume_hook("t", &1).await.unwrap(), None);
    let keyed = other.resume_hook("t", &1).idempotency_key("k");
    assert_eq!(keyed.await.unwrap(), None);
    let seen = other.get_run::<u64>(run);
    assert!(!seen.exists().await.unwrap());
    assert_eq!(seen.result().await, Err(RunError::Unknown { run_id: run }));
    assert_eq!(
        seen.cancel("no").await,
        Err(CancelError::RunUnknown { run })
    );
    assert!(other.engine().events(run).await.unwrap().is_empty());
    let page = other
        .engine()
        .runs(rewake_store::RunFilter::default(), None, 9);
    assert!(page.await.unwrap().runs.is_empty());
    other.shutdown(Duration::ZERO).await.unwrap();

    let own = stage.open().await;
    assert_eq!(resume(&own, "t", &2).await.run_id, run);
    assert_eq!(own.get_run::<u64>(run).result().await.unwrap(), 2);
}

async fn started(stage: &Stage) -> RunId {
    let own = stage.open().await;
    let run = own.start(takes("t".into())).await.unwrap().id();
    hook(&own, "t").await;
    own.shutdown(Duration::ZERO).await.unwrap();
    run
}

async fn another_environment_sees_nothing(stage: Stage) {
    let run = started(&stage).await;
    sees_nothing(&stage, run, stage.builder().environment("preview")).await;
}

async fn another_project_sees_nothing(stage: Stage) {
    let run = started(&stage).await;
    sees_nothing(&stage, run, stage.builder().project("shop")).await;
}

async fn the_same_token_may_be_live_in_each_environment(stage: Stage) {
    let own = started(&stage).await;
    let other = stage
        .builder()
        .environment("preview")
        .build()
        .await
        .unwrap();
    let run = other.start(takes("t".into())).await.unwrap();
    let taken = resume(&other, "t", &5).await;
    assert_eq!(taken.run_id, run.id());
    assert_eq!(taken.environment, "preview");
    assert_eq!(run.result().await.unwrap(), 5);
    other.shutdown(Duration::ZERO).await.unwrap();
    let rewake = stage.open().await;
    assert_eq!(hook(&rewake, "t").await.run_id, own);
}

async fn the_same_key_starts_a_run_in_each_environment(stage: Stage) {
    let mut ids = Vec::new();
    for environment in ["a", "b"] {
        let rewake = stage.builder().environment(environment);
        let rewake = rewake.build().await.unwrap();
        let run = rewake.start(takes(environment.into()));
        ids.push(run.idempotency_key("k").await.unwrap().id());
        rewake.shutdown(Duration::ZERO).await.unwrap();
    }
    assert_ne!(ids[0], ids[1]);
    // An id is nobody's twice.
    let rewake = stage.builder().environment("b").build().await.unwrap();
    rewake
        .start(takes("x".into()))
        .run_id(ids[0])
        .await
        .unwrap_err();
}

async fn a_worker_takes_up_only_runs_of_its_own(stage: Stage) {
    let client = stage.builder().client_only().build().await.unwrap();
    let run = client.start(takes("t".into())).await.unwrap().id();
    client.shutdown(Duration::ZERO).await.unwrap();
    let other = stage
        .builder()
        .environment("preview")
        .build()
        .await
        .unwrap();
    let own = other.start(takes("u".into())).await.unwrap();
    resume(&other, "u", &1).await;
    own.result().await.unwrap();
    assert_eq!(other.engine().resident_runs(), 0);
    other.shutdown(Duration::ZERO).await.unwrap();
    let client = stage.builder().client_only().build().await.unwrap();
    let status = client.get_run::<u64>(run).status().await.unwrap();
    assert_eq!(status, rewake::RunStatus::Pending);
}
