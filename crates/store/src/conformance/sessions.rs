//! Sessions: how a worker learns how those before it ended, and which runs were to blame.

use super::event::step_created;
use super::stage::Stage;
use crate::error::{Failed, StoreError};

pub(super) async fn workers_that_did_not_end_cleanly_are_counted(stage: Stage<'_>) {
    for before in 0..3 {
        assert_eq!(stage.store.begin_session().await, Ok(before));
    }
}

pub(super) async fn a_clean_end_begins_the_count_anew(stage: Stage<'_>) {
    stage.store.begin_session().await.expect("it begins");
    stage.store.begin_session().await.expect("it begins");
    assert_eq!(stage.store.end_session().await, Ok(()));
    assert_eq!(stage.store.begin_session().await, Ok(0));
    assert_eq!(stage.store.begin_session().await, Ok(1));
}

pub(super) async fn unclean_ends_are_counted_for_the_runs_named(stage: Stage<'_>) {
    let (one, other) = (stage.started().await, stage.started().await);
    let unnamed = stage.started().await;
    let both = vec![other.run, one.run];
    assert_eq!(
        stage.store.count_crashes(stage.scope, both).await,
        Ok(vec![1, 1])
    );
    let one_alone = vec![one.run];
    assert_eq!(
        stage.store.count_crashes(stage.scope, one_alone).await,
        Ok(vec![2])
    );
    assert_eq!(one.row().await.crashes, 2);
    assert_eq!(other.row().await.crashes, 1);
    assert_eq!(unnamed.row().await.crashes, 0);
}

pub(super) async fn a_run_that_is_unknown_counts_nothing(stage: Stage<'_>) {
    let log = stage.started().await;
    let runs = vec![stage.run_id(), log.run];
    assert_eq!(
        stage.store.count_crashes(stage.scope, runs).await,
        Ok(vec![0, 1])
    );
}

pub(super) async fn counting_changes_nothing_else(stage: Stage<'_>) {
    let log = stage.started().await;
    let (mut before, wake_up) = (log.row().await, log.wake_up().await);
    let counted = stage.store.count_crashes(stage.scope, vec![log.run]).await;
    before.crashes = 1;
    assert_eq!(counted, Ok(vec![1]));
    assert_eq!(log.row().await, before);
    assert_eq!(log.wake_up().await, wake_up);
}

pub(super) async fn a_run_that_comes_to_rest_is_forgiven(stage: Stage<'_>) {
    let log = stage.started().await;
    let runs = vec![log.run];
    let counted = stage.store.count_crashes(stage.scope, runs).await;
    assert_eq!(counted, Ok(vec![1]));
    log.worker([step_created(1)]).ok().await;
    assert_eq!(log.row().await.crashes, 1);
    log.worker([]).rested().ok().await;
    assert_eq!(log.row().await.crashes, 0);
}

pub(super) async fn a_closed_store_serves_nothing(stage: Stage<'_>) {
    let log = stage.started().await;
    let request = log.worker([step_created(1)]).request().await;
    assert_eq!(stage.store.close().await, Ok(()));
    let append = stage.store.append(request).await;
    let closed = matches!(&append, Err(Failed::Store(StoreError::Closed { .. })));
    assert!(closed, "{append:?}");
    let question = stage.store.run(stage.scope, log.run).await;
    let closed = matches!(&question, Err(StoreError::Closed { .. }));
    assert!(closed, "{question:?}");
    assert_eq!(stage.store.close().await, Ok(()), "closing twice is once");
}
