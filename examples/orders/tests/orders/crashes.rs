//! Killed at each position of its log, an order comes to the same.

use orders::{Payment, arrange_shipping, collection_of, fulfil, payment_of};
use rewake::testing::{Outside, TestRewakeBuilder, crash_everywhere, never};

use crate::scene::{all_is_well, bicycle, declined};

type Ending = Result<String, String>;

async fn everywhere(scene: impl Fn() -> TestRewakeBuilder, play: impl AsyncFn(&Outside) -> Ending) {
    let crashes = crash_everywhere(scene, play).await;
    assert!(
        crashes.writes > 5 && crashes.survived >= crashes.writes,
        "{crashes:?}"
    );
}

#[tokio::test]
async fn an_order_that_is_fulfilled() {
    everywhere(all_is_well, async |outside| {
        let run = outside.start(|| fulfil(bicycle())).await;
        outside
            .resume(&payment_of(1), &Payment { confirmed: true })
            .await;
        outside.resume(&collection_of(1), "Mo").await;
        let ending = outside.result(run).await;
        assert_eq!(ending, Ok("Mo is on the way with the bicycle".into()));
        ending
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_courier_is_slow() {
    let slow = || {
        all_is_well().mock_async(arrange_shipping, |_| async {
            if rewake::step_metadata().attempt == 1 {
                never::<()>().await;
            }
            Ok(())
        })
    };
    everywhere(slow, async |outside| {
        let run = outside.start(|| fulfil(bicycle())).await;
        outside
            .resume(&payment_of(1), &Payment { confirmed: true })
            .await;
        outside.resume(&collection_of(1), "Mo").await;
        outside.result(run).await
    })
    .await;
}

#[tokio::test]
async fn an_order_that_fails_and_is_taken_back() {
    let refusing = || all_is_well().mock(arrange_shipping, declined);
    everywhere(refusing, async |outside| {
        let run = outside.start(|| fulfil(bicycle())).await;
        outside
            .resume(&payment_of(1), &Payment { confirmed: true })
            .await;
        outside.result(run).await
    })
    .await;
}

#[tokio::test]
async fn an_order_that_runs_out_of_time() {
    everywhere(all_is_well, async |outside| {
        let run = outside.start(|| fulfil(bicycle())).await;
        outside.result(run).await
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_cancelled() {
    everywhere(all_is_well, async |outside| {
        let run = outside.start(|| fulfil(bicycle())).await;
        outside
            .resume(&payment_of(1), &Payment { confirmed: true })
            .await;
        outside
            .act(async |rewake| rewake.wait_for_hook(collection_of(1)).await)
            .await;
        // Once the courier has promised to come, or what is taken back would not be the same.
        outside
            .act(async |rewake| rewake.wait_for_sleep().await)
            .await;
        let run = |rewake: &rewake::testing::TestRewake| rewake.get_run::<String>(run);
        let cancelled = outside.act(async |rewake| run(rewake).cancel("changed her mind").await);
        cancelled.await.unwrap();
        outside
            .act(async |rewake| run(rewake).result().await.map_err(|e| e.to_string()))
            .await
    })
    .await;
}
