//! `post`: a mailbox that exists before the run does.

use std::time::Duration;

use rewake::prelude::*;
use rewake::{Limit, PostError, Posted};

use crate::admission::sum;
use crate::stage::{Stage, count, hook, logged, on_every_stage, resume};

on_every_stage!(
    what_is_posted_before_the_run_waits_for_it,
    what_is_posted_before_the_hook_waits_for_it,
    a_live_hook_takes_what_is_posted,
    a_run_that_is_started_for_a_payload_gets_what_was_posted_first,
    what_is_kept_no_longer_is_delivered_to_nobody,
    what_is_left_unread_returns_for_its_remaining_time,
    the_same_key_gives_the_same_answer,
    a_full_mailbox_says_so,
    nothing_is_kept_for_longer_than_is_allowed,
    the_mailbox_is_listed_in_pages,
);

fn is_kept(posted: &Posted) -> bool {
    matches!(posted, Posted::Kept { .. })
}

async fn what_is_posted_before_the_run_waits_for_it(stage: Stage) {
    let rewake = stage.open().await;
    for amount in [1, 2] {
        let posted = rewake.post("t", &amount).keep_for(hours(1)).await.unwrap();
        assert!(is_kept(&posted), "{posted:?}");
    }
    let run = rewake.start(sum("t".into(), 3)).await.unwrap();
    logged(&rewake, &run, "hook_received", 2).await;
    assert_eq!(rewake.mailbox().await.unwrap().data, []);
    resume(&rewake, "t", &3).await;
    assert_eq!(run.result().await.unwrap(), 6);
}

#[workflow]
async fn opens_late(token: String) -> anyhow::Result<Vec<u64>> {
    let mut go = create_hook::<bool>().token(format!("{token}:go")).await?;
    go.recv().await?;
    let mut amounts = create_hook::<u64>().token(token).await?;
    Ok(vec![amounts.recv().await?, amounts.recv().await?])
}

async fn what_is_posted_before_the_hook_waits_for_it(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(opens_late("t".into())).await.unwrap();
    hook(&rewake, "t:go").await;
    for amount in [1, 2] {
        assert!(is_kept(&rewake.post("t", &amount).await.unwrap()));
    }
    resume(&rewake, "t:go", &true).await;
    assert_eq!(run.result().await.unwrap(), [1, 2]);
}

async fn a_live_hook_takes_what_is_posted(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sum("t".into(), 1)).await.unwrap();
    let live = hook(&rewake, "t").await;
    let posted = rewake.post("t", &7).await.unwrap();
    assert_eq!(posted, Posted::Delivered(live));
    assert_eq!(run.result().await.unwrap(), 7);
}

async fn a_run_that_is_started_for_a_payload_gets_what_was_posted_first(stage: Stage) {
    let rewake = stage.open().await;
    rewake.post("t", &1).await.unwrap();
    let call = sum("t".into(), 2);
    let admission = rewake.resume_or_start("t", &2, call).await.unwrap();
    assert!(admission.started);
    let run = rewake.get_run::<u64>(admission.run_id);
    assert_eq!(run.result().await.unwrap(), 3);
}

async fn what_is_kept_no_longer_is_delivered_to_nobody(stage: Stage) {
    let rewake = stage.open().await;
    let brief = Duration::from_millis(1);
    rewake.post("t", &1).keep_for(brief).await.unwrap();
    while !rewake.mailbox().await.unwrap().data.is_empty() {
        tokio::task::yield_now().await;
    }
    let run = rewake.start(sum("t".into(), 1)).await.unwrap();
    resume(&rewake, "t", &5).await;
    assert_eq!(run.result().await.unwrap(), 5);
    assert_eq!(count(&rewake, &run, "hook_received").await, 1);
}

#[workflow]
async fn drops_its_hook(token: String) -> anyhow::Result<()> {
    let hook = create_hook::<u64>().token(token.as_str()).await?;
    let mut go = create_hook::<bool>().token(format!("{token}:go")).await?;
    go.recv().await?;
    drop(hook);
    go.recv().await?;
    Ok(())
}

async fn what_is_left_unread_returns_for_its_remaining_time(stage: Stage) {
    let rewake = stage.open().await;
    let Posted::Kept { until } = rewake.post("t", &1).keep_for(hours(1)).await.unwrap() else {
        panic!("nobody holds the token");
    };
    let run = rewake.start(drops_its_hook("t".into())).await.unwrap();
    logged(&rewake, &run, "hook_received", 1).await;
    resume(&rewake, "t:go", &true).await;
    logged(&rewake, &run, "hook_disposed", 1).await;
    let kept = rewake.mailbox().await.unwrap().data;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].until, kept[0].token.as_str()), (until, "t…"));
    // Whoever opens the token next reads it.
    let next = rewake.start(sum("t".into(), 1)).await.unwrap();
    assert_eq!(next.result().await.unwrap(), 1);
    resume(&rewake, "t:go", &true).await;
    run.result().await.unwrap();
    assert_eq!(run.unread().await.unwrap(), []);
}

async fn the_same_key_gives_the_same_answer(stage: Stage) {
    let rewake = stage.open().await;
    let post = |amount: u64| rewake.post("t", &amount).idempotency_key("k");
    let first = post(1).await.unwrap();
    assert_eq!(post(1).await.unwrap(), first);
    assert_eq!(rewake.mailbox().await.unwrap().data.len(), 1);
    assert_eq!(post(2).await, Err(PostError::KeyReused));
}

async fn a_full_mailbox_says_so(stage: Stage) {
    let rewake = stage.builder().limit(Limit::Mailbox, 1);
    let rewake = rewake.build().await.unwrap();
    rewake.post("a", &1).await.unwrap();
    let error = rewake.post("b", &1).await.unwrap_err();
    assert_eq!(error, PostError::MailboxFull { count: 1 });
    assert!(error.is_retryable());
}

async fn nothing_is_kept_for_longer_than_is_allowed(stage: Stage) {
    let rewake = stage.open().await;
    let too_long = days(90) + Duration::from_millis(1);
    let error = rewake.post("t", &1).keep_for(too_long).await.unwrap_err();
    assert_eq!(error.code(), "KEPT_TOO_LONG");
    let null = rewake.post("t", &()).await.unwrap_err();
    assert_eq!(null.code(), "NULL_PAYLOAD");
    assert_eq!(rewake.mailbox().await.unwrap().data, []);
    rewake.post("t", &1).keep_for(days(90)).await.unwrap();
}

async fn the_mailbox_is_listed_in_pages(stage: Stage) {
    let rewake = stage.open().await;
    for token in ["first", "second", "third"] {
        rewake.post(token, &1).await.unwrap();
    }
    let first = rewake.mailbox().limit(2).await.unwrap();
    let second = rewake.mailbox().limit(2).cursor(first.cursor.unwrap());
    let second = second.await.unwrap();
    let tokens = first.data.iter().chain(&second.data);
    let tokens: Vec<_> = tokens.map(|mail| mail.token.as_str()).collect();
    assert_eq!(tokens, ["firs…", "seco…", "thir…"]);
    assert_eq!(second.cursor, None);
    rewake.mailbox().cursor("elsewhere").await.unwrap_err();
}
