//! Two builds side by side, of which the new one has a changed workflow.

use rewake::{RunError, RunId};
use rewake_cluster::workflows::{Letter, order};

use crate::stage::Stage;

pub(crate) fn side_by_side() {
    let mut stage = Stage::new();
    let old = stage.start("worker", "old-1", &[("--build", "old")]);
    let first = begin(&stage, "first");
    let new = stage.start("worker", "new-1", &[("--build", "new")]);

    // The old worker stands still, a letter comes, and the new one finds that it cannot follow.
    old.freeze();
    resume(&stage, "first");
    let parked = stage.ask(async |rewake| {
        loop {
            let why = rewake.get_run::<String>(first).why().await.unwrap();
            if let Some(parked) = why.parked {
                return parked.build;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(
        parked, "new",
        "the park names the build that could not follow"
    );
    old.thaw();
    assert_eq!(result(&stage, first), "old");

    // What begins beside the old build may go on with either; without it, only the new one is left.
    old.end();
    let second = begin(&stage, "second");
    resume(&stage, "second");
    assert_eq!(result(&stage, second), "new");
    new.end();
}

/// Starts an order, and waits until it can be resumed.
fn begin(stage: &Stage, token: &str) -> RunId {
    stage.ask(async |rewake| {
        let run = rewake.start(order(token.to_owned())).await.unwrap();
        while rewake.get_hook_by_token(token).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        run.id()
    })
}

fn resume(stage: &Stage, token: &str) {
    let hook = stage.ask(async |rewake| {
        rewake
            .resume_hook(token, &Letter::Say("go on".to_owned()))
            .await
            .unwrap()
    });
    assert!(hook.is_some());
}

/// The run's result. Parked by one build is no end: another may still take it.
fn result(stage: &Stage, run: RunId) -> String {
    stage.ask(async |rewake| {
        loop {
            match rewake.get_run::<String>(run).result().await {
                Ok(result) => return result,
                Err(RunError::Parked { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    })
}
