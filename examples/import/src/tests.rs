//! The workflows in memory, with mocked steps and no time to wait for.

use rewake::prelude::*;
use rewake::testing::{TestRewake, TestRewakeBuilder, crash_everywhere, never};
use rewake::{RunStatus, StepStatus};

use crate::batch::{Customer, Report, import_batch, read_batch, store};
use crate::progress::{Progress, progress};

const GOLDEN: &str = "tests/golden";

/// A batch of three, one of them damaged.
fn small() -> TestRewakeBuilder {
    let lines = ["Ada, ada@example.com", "Bob", "Eve, eve@example.com"];
    TestRewake::builder()
        .mock(read_batch, move |_| Ok(lines.map(str::to_owned).to_vec()))
        .mock(store, |_| Ok(()))
}

#[tokio::test]
async fn a_damaged_record_is_reported_and_stops_nobody() {
    let rewake = small().build().await;
    let run = rewake.start(import_batch("june".into())).await.unwrap();
    let report = run.result().await.unwrap();
    assert_eq!(report.imported, 2);
    assert_eq!(report.failed, ["record 2: `Bob` has no e-mail address"]);
    let stored = rewake
        .calls(store)
        .into_iter()
        .map(|(number, customer)| (number, customer.name));
    let mut stored: Vec<_> = stored.collect();
    stored.sort();
    assert_eq!(stored, [(1, "Ada".to_owned()), (3, "Eve".to_owned())]);
}

#[tokio::test]
async fn an_archive_that_is_down_for_a_while_gets_its_record_later() {
    let archive = |(number, _): (u32, Customer)| match step_metadata().attempt {
        1..=3 if number == 3 => Err("the archive is down".into()),
        _ => Ok(()),
    };
    let rewake = small().mock(store, archive).build().await;
    let run = rewake.start(import_batch("june".into())).await.unwrap();
    assert_eq!(run.result().await.unwrap().imported, 2);
    assert_eq!(rewake.calls(store).len(), 5);
}

#[tokio::test]
async fn an_archive_that_stays_down_fails_its_record_and_no_other() {
    let archive = |(number, _): (u32, Customer)| match number {
        3 => Err("the archive is down".into()),
        _ => Ok(()),
    };
    let rewake = small().mock(store, archive).build().await;
    let run = rewake.start(import_batch("june".into())).await.unwrap();
    let report = run.result().await.unwrap();
    assert_eq!((report.imported, report.failed.len()), (1, 2));
    assert!(
        report.failed[1].contains("the archive is down"),
        "{report:?}"
    );
    let third = rewake
        .runs()
        .parent(run.id())
        .attribute("record", "3")
        .await;
    let third = third.unwrap().data.remove(0);
    assert_eq!(third.status, RunStatus::Failed);
    let steps = rewake.steps(third.run).await.unwrap().data;
    assert_eq!((steps[0].status, steps[0].attempt), (StepStatus::Failed, 6));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_fails_the_batch() {
    let missing = |_| Err(FatalError::new("there is no such list").into());
    let rewake = small().mock(read_batch, missing).build().await;
    let run = rewake.start(import_batch("june".into())).await.unwrap();
    let error = run.result().await.unwrap_err();
    assert!(
        error.to_string().contains("there is no such list"),
        "{error}"
    );
}

#[tokio::test]
async fn whoever_looks_sees_how_far_it_is_and_cancelling_it_stops_all() {
    let rewake = small()
        .mock_async(store, async |(number, _)| match number {
            1 => Ok(()),
            _ => never().await,
        })
        .build()
        .await;
    let run = rewake.start(import_batch("june".into())).await.unwrap();
    rewake.settle().await;
    let seen = Progress {
        records: Some(3),
        imported: 1,
        failed: 1,
        open: 1,
        ..Progress::default()
    };
    assert_eq!(progress(&rewake, &run).await.unwrap(), seen);

    assert!(run.cancel("wrong batch").await.unwrap());
    let error = run.result().await.unwrap_err();
    assert!(
        matches!(error, RunError::Cancelled { reason: Some(reason), .. } if reason == "wrong batch")
    );
    rewake.settle().await;
    let stopped = Progress {
        open: 0,
        cancelled: 1,
        ..seen
    };
    assert_eq!(progress(&rewake, &run).await.unwrap(), stopped);
}

#[tokio::test]
async fn killed_anywhere_the_report_is_the_same() {
    let crashes = crash_everywhere(small, async |outside| {
        let run = outside.start(|| import_batch("june".into())).await;
        outside.result::<Report>(run).await
    })
    .await;
    assert!(crashes.survived >= crashes.writes, "{crashes:?}");
}

#[tokio::test]
async fn killed_anywhere_a_cancelled_batch_is_cancelled() {
    let waits = || small().mock_async(store, |_| never());
    let crashes = crash_everywhere(waits, async |outside| {
        let run = outside.start(|| import_batch("june".into())).await;
        outside
            .act(async |rewake| {
                let run = rewake.get_run::<Report>(run);
                rewake.settle().await;
                run.cancel("wrong batch").await.unwrap();
            })
            .await;
        outside.result::<Report>(run).await
    })
    .await;
    assert!(crashes.survived >= crashes.writes, "{crashes:?}");
}

#[tokio::test]
async fn recorded_logs_still_replay() {
    let rewake = small().build().await;
    let run = rewake.start(import_batch("june".into())).await.unwrap();
    run.result().await.unwrap();
    rewake.golden(format!("{GOLDEN}/batch.log"), run.id()).await;
    for (record, name) in [("1", "record.log"), ("2", "damaged.log")] {
        let child = rewake
            .runs()
            .parent(run.id())
            .attribute("record", record)
            .await;
        let child = child.unwrap().data.remove(0).run;
        rewake.golden(format!("{GOLDEN}/{name}"), child).await;
    }
}

#[tokio::test]
async fn the_log_of_a_cancelled_batch_still_replays() {
    let rewake = small().mock_async(store, |_| never()).build().await;
    let run = rewake.start(import_batch("june".into())).await.unwrap();
    rewake.settle().await;
    run.cancel("wrong batch").await.unwrap();
    run.result().await.unwrap_err();
    rewake
        .golden(format!("{GOLDEN}/cancelled.log"), run.id())
        .await;
}
