//! The example's own workflow, evicted at every rest, leaves the log it leaves when it stays.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../src/review.rs"]
mod review;
#[path = "../src/say.rs"]
#[expect(dead_code, reason = "only what the workflow says is said here")]
mod say;

use http::Request;
use rewake::{Hook, Rewake, Run};

use review::{Decision, Journal, review};

/// Waits until the run has a hook of this kind.
async fn hook(rewake: &Rewake, run: &Run<String>, is_webhook: bool) -> Hook {
    loop {
        let hooks = rewake.hooks().run(run.id()).await.unwrap().data;
        if let Some(hook) = hooks.into_iter().find(|hook| hook.is_webhook == is_webhook) {
            return Hook::clone(&hook);
        }
        tokio::task::yield_now().await;
    }
}

/// Drives a review to its end; the names of its events in order.
async fn log(memory: usize) -> Vec<&'static str> {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("approval.db");
    let rewake = Rewake::builder()
        .store(format!("sqlite:{}", db.display()))
        .public_url("http://127.0.0.1:3000")
        .provide(Journal::beside(&db))
        .memory_budget(memory)
        .verify(true)
        .build()
        .await
        .unwrap();
    let run = rewake.start(review("handbook".into())).await.unwrap();
    // Each thing happens once the one before is on record, so that both logs have one order.
    recorded(&rewake, &run, "wait_created", 1).await;
    let decision = Decision {
        approved: true,
        comment: "fine".into(),
    };
    assert!(
        rewake
            .resume_hook("review:handbook", &decision)
            .await
            .unwrap()
            .is_some()
    );
    recorded(&rewake, &run, "step_completed", 2).await;
    let webhook = hook(&rewake, &run, true).await;
    let report = Request::post("/").body("{\"copies\": 2}").unwrap();
    let answer = rewake.resume_webhook(&webhook.token, report).await.unwrap();
    assert_eq!(&answer.body()[..], b"thanks for 2 copies\n");
    assert_eq!(
        run.result().await.unwrap(),
        "handbook: approved (fine), 2 copies printed"
    );
    let events = rewake.engine().events(run.id()).await.unwrap();
    events.iter().map(|event| event.kind.name()).collect()
}

/// Waits until so many events of a name are on record.
async fn recorded(rewake: &Rewake, run: &Run<String>, name: &str, times: usize) {
    let count = async || {
        let events = rewake.engine().events(run.id()).await.unwrap();
        events
            .iter()
            .filter(|event| event.kind.name() == name)
            .count()
    };
    while count().await < times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eviction_at_every_rest_leaves_the_same_log() {
    let stayed = log(usize::MAX).await;
    assert!(stayed.len() > 15, "{stayed:?}");
    assert_eq!(log(0).await, stayed);
}
