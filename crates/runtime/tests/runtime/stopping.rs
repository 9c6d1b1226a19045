//! Shutdown, also where something else has failed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rewake_runtime::workflow::{Context as RunContext, Wait};

use crate::world::World;

async fn sleeps(run: Arc<RunContext>) {
    Wait::length(run, Duration::from_mins(1)).await;
}

#[test]
fn a_store_that_takes_nothing_does_not_keep_the_engine() {
    let world = World::new();
    let engine = world.open(world.builder(sleeps));
    let run = world.start(&engine);
    world.store.is_full();
    // The driver wants to record the end of the sleep, and cannot.
    world.pass(Duration::from_secs(61));
    let stopping = engine.clone();
    let stopped = async move { stopping.shutdown(Duration::from_secs(1)).await };
    let mut stopped = Box::pin(stopped);
    let has_stopped = (0..4).any(|_| {
        let has_stopped = stopped.as_mut().now_or_never().is_some();
        world.pass(Duration::from_secs(1));
        has_stopped
    });
    assert!(
        has_stopped,
        "shutdown waits for a driver that waits for the store"
    );
    assert_eq!(world.events(&engine, run).last(), Some(&"wait_created"));
}
