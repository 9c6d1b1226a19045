//! Killed at each position of its log, it comes to the same.

use drip::{activation_of, onboard};
use rewake::days;
use rewake::testing::{Outside, crash_everywhere};

use crate::stories::post;

type Ending = Result<String, String>;

async fn everywhere(play: impl AsyncFn(&Outside) -> Ending) {
    let crashes = crash_everywhere(post, play).await;
    assert!(
        crashes.writes > 5 && crashes.survived >= crashes.writes,
        "{crashes:?}"
    );
}

#[tokio::test]
async fn who_does_nothing() {
    everywhere(async |outside| {
        let run = outside.start(|| onboard("ada".into(), days(1))).await;
        let ending = outside.result(run).await;
        assert_eq!(ending, Ok("ada will be called by a person".into()));
        ending
    })
    .await;
}

#[tokio::test]
async fn who_does_something() {
    everywhere(async |outside| {
        let run = outside.start(|| onboard("ada".into(), days(1))).await;
        outside.resume(&activation_of("ada"), "flown").await;
        let ending = outside.result(run).await;
        assert_eq!(ending, Ok("ada has flown".into()));
        ending
    })
    .await;
}

#[tokio::test]
async fn who_unsubscribes() {
    everywhere(async |outside| {
        let run = outside.start(|| onboard("ada".into(), days(1))).await;
        outside
            .act(async |rewake| rewake.wait_for_sleep().await)
            .await;
        let cancelled = outside.act(async |rewake| {
            let run = rewake.get_run::<String>(run);
            run.cancel("unsubscribed").await
        });
        cancelled.await.unwrap();
        outside.result(run).await
    })
    .await;
}
