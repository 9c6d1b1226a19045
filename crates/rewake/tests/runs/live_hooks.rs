//! How many live hooks a run may have.

use std::time::Duration;

use futures::future::join_all;
use rewake::prelude::*;
use rewake::{Limit, RunStatus};

use crate::stage::{Stage, count, hook, logged, on_every_stage, parked, resume};

on_every_stage!(
    as_many_as_a_run_may_have_are_fine_and_one_more_parks_it,
    hooks_asked_for_at_once_count_together_and_none_is_made,
    a_webhook_counts_like_any_other,
    a_hook_that_is_closed_makes_room,
    a_raised_limit_lets_a_parked_run_go_on,
    the_same_limit_lets_nothing_go_on,
    a_lowered_limit_does_not_disturb_what_is_on_record,
);

async fn open(stage: &Stage, limit: u64) -> Rewake {
    let builder = stage.builder().limit(Limit::LiveHooks, limit);
    builder.build().await.unwrap()
}

/// Opens `n` hooks, one after the other, and reads from the first.
#[workflow]
async fn opens(n: usize) -> anyhow::Result<usize> {
    let mut hooks = Vec::new();
    for place in 0..n {
        let hook = create_hook::<usize>().token(format!("t{place}")).await?;
        hooks.push(hook);
    }
    Ok(hooks[0].recv().await?)
}

async fn as_many_as_a_run_may_have_are_fine_and_one_more_parks_it(stage: Stage) {
    let rewake = open(&stage, 3).await;
    let run = rewake.start(opens(3)).await.unwrap();
    hook(&rewake, "t2").await;
    resume(&rewake, "t0", &7).await;
    assert_eq!(run.result().await.unwrap(), 7);

    let run = rewake.start(opens(4)).await.unwrap();
    let (code, reason) = parked(&run).await;
    assert_eq!(code, "TOO_MANY_HOOKS");
    let expected = "the run would have 4 live hooks, and may have 3; close or drop those that are \
                    done with before there are more, or raise `Limit::LiveHooks`";
    assert!(reason.ends_with(expected), "{reason}");
    assert_eq!(run.status().await.unwrap(), RunStatus::Running);
    assert_eq!(count(&rewake, &run, "hook_created").await, 3);
    // What it has lives on.
    let taken = rewake.resume_hook("t0", &8).await.unwrap();
    assert_eq!(taken.unwrap().run_id, run.id());
}

/// Opens `n` hooks at once.
#[workflow]
async fn opens_at_once(n: usize) -> anyhow::Result<usize> {
    let asked = (0..n).map(|place| create_hook::<usize>().token(format!("t{place}")));
    let mut hooks = Vec::new();
    for hook in join_all(asked).await {
        hooks.push(hook?);
    }
    Ok(hooks[0].recv().await?)
}

async fn hooks_asked_for_at_once_count_together_and_none_is_made(stage: Stage) {
    let rewake = open(&stage, 3).await;
    let run = rewake.start(opens_at_once(4)).await.unwrap();
    assert_eq!(parked(&run).await.0, "TOO_MANY_HOOKS");
    assert_eq!(count(&rewake, &run, "hook_created").await, 0);
    let run = rewake.start(opens_at_once(3)).await.unwrap();
    resume(&rewake, "t0", &7).await;
    assert_eq!(run.result().await.unwrap(), 7);
}

#[workflow]
async fn opens_a_webhook_too() -> anyhow::Result<()> {
    let _hook = create_hook::<usize>().await?;
    let _webhook = create_webhook().await?;
    Ok(())
}

async fn a_webhook_counts_like_any_other(stage: Stage) {
    let rewake = open(&stage, 1).await;
    let run = rewake.start(opens_a_webhook_too()).await.unwrap();
    assert_eq!(parked(&run).await.0, "TOO_MANY_HOOKS");
}

/// Opens hooks, one at a time, with and without a commit between the end of one and the next.
#[workflow]
async fn opens_one_at_a_time() -> anyhow::Result<usize> {
    let mut first = create_hook::<usize>().token("first").await?;
    first.close().await;
    let second = create_hook::<usize>().token("second").await?;
    drop(second);
    Ok(create_hook::<usize>().token("third").await?.recv().await?)
}

async fn a_hook_that_is_closed_makes_room(stage: Stage) {
    let rewake = open(&stage, 1).await;
    let run = rewake.start(opens_one_at_a_time()).await.unwrap();
    resume(&rewake, "third", &3).await;
    assert_eq!(run.result().await.unwrap(), 3);
}

async fn a_raised_limit_lets_a_parked_run_go_on(stage: Stage) {
    let rewake = open(&stage, 3).await;
    let run = rewake.start(opens(5)).await.unwrap();
    parked(&run).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    // By one, and it gets one further; the build is the same.
    let rewake = open(&stage, 4).await;
    let run = rewake.get_run::<usize>(run.id());
    logged(&rewake, &run, "hook_created", 4).await;
    let reason = loop {
        let (code, reason) = parked(&run).await;
        assert_eq!(code, "TOO_MANY_HOOKS");
        if reason.contains("may have 4") {
            break reason;
        }
    };
    assert!(reason.contains("would have 5 live hooks"), "{reason}");
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = open(&stage, 5).await;
    let run = rewake.get_run::<usize>(run.id());
    hook(&rewake, "t4").await;
    resume(&rewake, "t0", &7).await;
    assert_eq!(run.result().await.unwrap(), 7);
}

async fn the_same_limit_lets_nothing_go_on(stage: Stage) {
    let rewake = open(&stage, 3).await;
    let run = rewake.start(opens(4)).await.unwrap();
    let before = parked(&run).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();
    let rewake = open(&stage, 3).await;
    resume(&rewake, "t0", &7).await;
    let run = rewake.get_run::<usize>(run.id());
    assert_eq!(parked(&run).await, before);
    assert_eq!(count(&rewake, &run, "hook_created").await, 3);
}

/// Opens `n` hooks, reads one payload, opens another hook in place of two, and reads from that.
#[workflow]
async fn replaces(n: usize) -> anyhow::Result<usize> {
    let mut hooks = Vec::new();
    for place in 0..n {
        let hook = create_hook::<usize>().token(format!("t{place}")).await?;
        hooks.push(hook);
    }
    hooks[0].recv().await?;
    let close = hooks[0].recv().await?;
    hooks.truncate(n - close);
    let mut last = create_hook::<usize>().token("last").await?;
    Ok(last.recv().await?)
}

async fn a_lowered_limit_does_not_disturb_what_is_on_record(stage: Stage) {
    let rewake = open(&stage, 4).await;
    let run = rewake.start(replaces(4)).await.unwrap();
    hook(&rewake, "t3").await;
    rewake.shutdown(Duration::ZERO).await.unwrap();

    let rewake = open(&stage, 2).await;
    let run = rewake.get_run::<usize>(run.id());
    resume(&rewake, "t0", &0).await;
    hook(&rewake, "t3").await;
    // Another one counts all there are, and by then there is room.
    resume(&rewake, "t0", &3).await;
    resume(&rewake, "last", &9).await;
    assert_eq!(run.result().await.unwrap(), 9);
}
