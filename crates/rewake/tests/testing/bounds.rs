//! What sleeping costs: nothing that grows with the number of sleepers.

use rewake::prelude::*;
use rewake::testing::TestRewake;

#[workflow]
async fn sleeps(n: u64) -> anyhow::Result<()> {
    sleep(days(1) + seconds(n)).await;
    Ok(())
}

/// More than the schedule would hold if it held all it is told of.
const SLEEPERS: u64 = 20_000;

#[tokio::test]
async fn sleepers_that_are_not_in_memory_cost_a_bounded_heap_and_nothing_at_start() {
    let evicting = |rewake: rewake::RewakeBuilder| rewake.memory_budget(0).verify(false);
    let rewake = TestRewake::builder().with(evicting).build().await;
    for n in 0..SLEEPERS {
        rewake.start(sleeps(n)).await.unwrap();
    }
    rewake.settle().await;
    assert_eq!(rewake.engine().resident_runs(), 0);
    let held = rewake.engine().scheduled_wake_ups();
    assert!(held <= 16_384, "{held} wake-ups are held");
    assert_eq!(rewake.timers(), 1, "one for whoever is next");

    let rewake = rewake.crash().await;
    rewake.settle().await;
    assert_eq!(rewake.engine().resident_runs(), 0);
    let held = rewake.engine().scheduled_wake_ups();
    assert!(held <= 4_096, "{held} wake-ups are held after a start");

    rewake.advance(days(1) + seconds(SLEEPERS)).await;
    let asleep = rewake.runs().status(rewake::RunStatus::Running).await;
    assert_eq!(asleep.unwrap().data, [], "all of them have been woken");
    assert_eq!(rewake.engine().scheduled_wake_ups(), 0);
    assert_eq!(rewake.timers(), 0);
}

#[workflow]
async fn gives_up_waiting(times: u64) -> anyhow::Result<u64> {
    let mut numbers = create_hook::<u64>().token("numbers").await?;
    let mut sum = 0;
    for _ in 0..times {
        sum += timeout(days(365), numbers.recv()).await??;
    }
    Ok(sum)
}

#[tokio::test]
async fn waits_that_were_given_up_leave_no_timer_behind() {
    const TIMES: u64 = 10_000;
    let unverified = |rewake: rewake::RewakeBuilder| rewake.verify(false);
    let rewake = TestRewake::builder().with(unverified).build().await;
    let run = rewake.start(gives_up_waiting(TIMES)).await.unwrap();
    rewake.wait_for_hook("numbers").await;
    for _ in 0..TIMES - 1 {
        rewake.settle().await;
        assert_eq!(rewake.timers(), 1, "that of the wait that is open");
        rewake.resume_hook("numbers", &1).await.unwrap();
    }
    rewake.settle().await;
    let entities = rewake.engine().entities(run.id()).await.unwrap();
    assert_eq!(entities.waits().len() as u64, TIMES);
    rewake.resume_hook("numbers", &1).await.unwrap();
    assert_eq!(run.result().await.unwrap(), TIMES);
    rewake.settle().await;
    assert_eq!(
        (rewake.timers(), rewake.engine().scheduled_wake_ups()),
        (0, 0)
    );
}
