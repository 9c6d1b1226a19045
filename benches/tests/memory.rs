//! The memory budget holds: what runs that wait take from the heap is what the budget allows, whatever
//! they wait with. The heap is counted by the allocator, so nothing here depends on the machine's load.

use std::alloc::System;
use std::time::Duration;

use cap::Cap;
use rewake::Durability;
use rewake::prelude::*;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// What resting runs may hold.
const BUDGET: usize = 24 << 20;
/// What the engine and the store hold beside them: rows that the writer remembers, maps, buffers.
const REST: usize = 12 << 20;
/// How often it is looked, with a question to the store in between: far more than it takes until those have
/// gone that must.
const LOOKS: usize = 100_000;

#[workflow]
async fn waits(n: u64) -> Result<u64, HookError> {
    create_hook::<u64>()
        .token(format!("one:{n}"))
        .await?
        .recv()
        .await
}

/// What it was given waits with it.
#[workflow]
async fn carries(n: u64, given: String) -> Result<usize, HookError> {
    let mut hook = create_hook::<usize>().token(format!("carries:{n}")).await?;
    Ok(given.len() + hook.recv().await?)
}

#[workflow]
async fn waits_for_any(n: u64) -> Result<u64, HookError> {
    let mut hooks = Vec::new();
    for m in 0..16 {
        let token = format!("any:{n}:{m}");
        hooks.push(create_hook::<u64>().token(token).await?);
    }
    hooks[0].recv().await
}

#[step(max_retries = 5)]
async fn fails(_given: String) -> anyhow::Result<()> {
    Err(RetryableError::new("not yet")
        .retry_after(Duration::from_hours(24))
        .into())
}

/// Waits for the next attempt of a step.
#[workflow]
async fn retries(given: String) -> anyhow::Result<()> {
    fails(given).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_stays_within_the_budget() {
    let before = HEAP.allocated();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let rewake = Rewake::builder()
        .store(format!("sqlite:{}/runs.db", folder.path().display()))
        .durability(Durability::Relaxed)
        .memory_budget(BUDGET)
        .build()
        .await
        .unwrap();
    let held = || HEAP.allocated().saturating_sub(before);

    for n in 0..6_000 {
        rewake.start(waits(n)).await.unwrap();
    }
    within(&rewake, held, "one hook each").await;
    for n in 0..2_000 {
        rewake.start(carries(n, "x".repeat(16_384))).await.unwrap();
    }
    within(&rewake, held, "an argument of 16 KiB each").await;
    for n in 0..1_500 {
        rewake.start(waits_for_any(n)).await.unwrap();
    }
    within(&rewake, held, "16 hooks each").await;
    for _ in 0..2_000 {
        rewake.start(retries("x".repeat(16_384))).await.unwrap();
    }
    within(&rewake, held, "a step to be tried again each").await;
    rewake.shutdown(Duration::from_secs(30)).await.unwrap();
}

/// Until those that must go have gone.
async fn within(rewake: &Rewake, held: impl Fn() -> usize, what: &str) {
    for _ in 0..LOOKS {
        if held() <= BUDGET + REST {
            return;
        }
        rewake.hooks().limit(1).await.expect("the store answers");
    }
    let (held, budget) = (held() >> 10, BUDGET >> 10);
    panic!("with {what} the heap holds {held} KiB, and the budget is {budget} KiB");
}
