//! What a run's events and steps are shown as.

use rewake::StepStatus;
use rewake::prelude::*;
use rewake::testing::TestRewake;

#[step]
async fn doubles(n: u64) -> anyhow::Result<u64> {
    Ok(2 * n)
}

#[step(max_retries = 0)]
async fn fails() -> anyhow::Result<u64> {
    anyhow::bail!("not today")
}

#[workflow]
async fn calls() -> anyhow::Result<u64> {
    let doubled = doubles(1).await?;
    let failed = fails().await;
    sleep(days(1)).await;
    Ok(doubled + failed.unwrap_or(7))
}

#[tokio::test]
async fn events_come_oldest_first_a_page_at_a_time() {
    let rewake = TestRewake::new().await;
    let run = rewake.start(calls()).await.unwrap();
    run.result().await.unwrap();
    let whole = rewake.events(run.id()).await.unwrap();
    assert_eq!(whole.cursor, None);
    let positions: Vec<u64> = whole.data.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
    let (mut paged, mut page) = (Vec::new(), rewake.events(run.id()).limit(3).await.unwrap());
    while let Some(cursor) = page.cursor {
        assert_eq!(page.data.len(), 3);
        paged.extend(page.data);
        page = rewake
            .events(run.id())
            .limit(3)
            .cursor(cursor)
            .await
            .unwrap();
    }
    paged.extend(page.data);
    assert_eq!(paged, whole.data);
    let last = serde_json::to_value(whole.data.last().unwrap()).unwrap();
    assert_eq!(last["eventType"], "run_completed");
    assert_eq!(last["runId"], run.id().to_string());
}

#[tokio::test]
async fn steps_come_in_the_order_of_their_calls() {
    let rewake = TestRewake::new().await;
    let run = rewake.start(calls()).await.unwrap();
    rewake.wait_for_sleep().await;
    let first = rewake.steps(run.id()).limit(1).await.unwrap();
    let rest = rewake
        .steps(run.id())
        .cursor(first.cursor.unwrap())
        .await
        .unwrap();
    assert_eq!(rest.cursor, None);
    let steps: Vec<_> = first.data.into_iter().chain(rest.data).collect();
    let shown = steps.iter().map(|step| {
        let name = step.name.rsplit("::").next().unwrap();
        (
            name,
            step.status,
            step.attempt,
            step.max_attempts,
            step.error.as_deref(),
        )
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("doubles", StepStatus::Completed, 1, 4, None),
            ("fails", StepStatus::Failed, 1, 1, Some("not today")),
        ]
    );
}

#[tokio::test]
async fn of_a_run_that_is_not_there_is_nothing_to_be_shown() {
    let rewake = TestRewake::new().await;
    let unknown = TestRewake::builder().seed(7).build().await;
    let run = rewake.start(calls()).await.unwrap().id();
    assert_eq!(unknown.events(run).await.unwrap().data, []);
    assert_eq!(unknown.steps(run).await.unwrap().data, []);
    rewake.events(run).cursor("here").await.unwrap_err();
    rewake.steps(run).cursor("here").await.unwrap_err();
}
