//! A process that is opened on a copy goes on where the last one on the original has stopped.

use rewake::RunId;
use rewake::prelude::*;
use rewake_postgres::private_server::Database;
use tempfile::TempDir;

use crate::called::{copy, sqlite};
use crate::workflows::{close, doze, hook, open, resume, sum};

/// What a process has left in a store.
struct Left {
    half_way: RunId,
    keyed: RunId,
    asleep: RunId,
}

/// One run with one payload of two, one that was started under a key, one that sleeps, and a payload
/// for a run that does not exist yet.
async fn leave(store: &str) -> Left {
    let rewake = open(store).await;
    let half_way = rewake.start(sum("half-way".into(), 2)).await.unwrap();
    hook(&rewake, "half-way").await;
    let paid = rewake.resume_hook("half-way", &1_u64);
    assert!(paid.idempotency_key("pay-1").await.unwrap().is_some());
    let keyed = rewake.start(sum("keyed".into(), 1));
    let keyed = keyed.idempotency_key("start-1").await.unwrap();
    hook(&rewake, "keyed").await;
    rewake.post("posted", &40_u64).await.unwrap();
    let asleep = rewake.start(doze()).await.unwrap();
    let left = Left {
        half_way: half_way.id(),
        keyed: keyed.id(),
        asleep: asleep.id(),
    };
    close(rewake).await;
    left
}

async fn go_on(store: &str, left: &Left) {
    let rewake = open(store).await;
    // The repeat of a delivery gets its first answer, and is not delivered again.
    let again = rewake.resume_hook("half-way", &1_u64);
    assert!(again.idempotency_key("pay-1").await.unwrap().is_some());
    resume(&rewake, "half-way", 2).await;
    let half_way = rewake.get_run::<u64>(left.half_way);
    assert_eq!(half_way.result().await.unwrap(), 3);
    // The repeat of a start finds its run.
    let keyed = rewake.start(sum("keyed".into(), 1));
    let keyed = keyed.idempotency_key("start-1").await.unwrap();
    assert_eq!(keyed.id(), left.keyed);
    resume(&rewake, "keyed", 7).await;
    assert_eq!(keyed.result().await.unwrap(), 7);
    // What was posted reaches the hook that opens at last.
    let posted = rewake.start(sum("posted".into(), 2)).await.unwrap();
    resume_once_open(&rewake, "posted", 2).await;
    assert_eq!(posted.result().await.unwrap(), 42);
    let asleep = rewake.get_run::<String>(left.asleep);
    assert_eq!(asleep.result().await.unwrap(), "awake");
    close(rewake).await;
}

async fn resume_once_open(rewake: &Rewake, token: &str, amount: u64) {
    hook(rewake, token).await;
    resume(rewake, token, amount).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_one_file_to_another() {
    let directory = TempDir::new().unwrap();
    let from = sqlite(&directory.path().join("from.db"));
    let to = sqlite(&directory.path().join("to.db"));
    let left = leave(&from).await;
    copy(&from, &to);
    go_on(&to, &left).await;
    // The original is as it was: a second copy goes on likewise.
    let again = sqlite(&directory.path().join("again.db"));
    copy(&from, &again);
    go_on(&again, &left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_file_into_postgres() {
    let directory = TempDir::new().unwrap();
    let from = sqlite(&directory.path().join("from.db"));
    let database = Database::new().unwrap();
    let left = leave(&from).await;
    copy(&from, &database.url());
    go_on(&database.url(), &left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_into_a_file() {
    let directory = TempDir::new().unwrap();
    let to = sqlite(&directory.path().join("to.db"));
    let database = Database::new().unwrap();
    let left = leave(&database.url()).await;
    copy(&database.url(), &to);
    go_on(&to, &left).await;
}
