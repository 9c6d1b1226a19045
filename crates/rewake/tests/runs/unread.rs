//! What a run accepted and did not read.

use rewake::prelude::*;

use crate::stage::{Stage, hook, logged, on_every_stage, resume};

on_every_stage!(
    what_a_run_leaves_behind_is_listed,
    what_a_dropped_receiver_leaves_behind_is_listed_while_the_run_goes_on,
    the_token_of_a_webhook_is_shortened,
    a_run_that_reads_everything_leaves_nothing,
);

/// Reads `n` of what came before it was let go.
#[workflow]
async fn reads_some(n: usize) -> anyhow::Result<Vec<String>> {
    let mut words = create_hook::<String>().token("words").await?;
    let mut go = create_hook::<bool>().token("go").await?;
    go.recv().await?;
    let mut read = Vec::new();
    while read.len() < n {
        read.push(words.recv().await?);
    }
    Ok(read)
}

async fn words<T>(run: &Run<T>) -> Vec<String> {
    let unread = run.unread().await.unwrap();
    unread.iter().map(|left| left.decode().unwrap()).collect()
}

async fn what_a_run_leaves_behind_is_listed(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_some(1)).await.unwrap();
    hook(&rewake, "go").await;
    for word in ["a", "b", "c"] {
        resume(&rewake, "words", word).await;
    }
    assert_eq!(words(&run).await, [""; 0], "they may be read yet");
    resume(&rewake, "go", &true).await;
    assert_eq!(run.result().await.unwrap(), ["a"]);
    assert_eq!(words(&run).await, ["b", "c"]);
    let unread = run.unread().await.unwrap();
    assert_eq!(unread[0].token, "words");
    assert!(unread[0].position < unread[1].position);
    unread[0].decode::<u64>().unwrap_err();
    assert_eq!(run.snapshot().await.unwrap().unread, 2);
}

#[workflow]
async fn drops_and_goes_on() -> anyhow::Result<()> {
    let words = create_hook::<String>().token("words").await?;
    let mut go = create_hook::<bool>().token("go").await?;
    go.recv().await?;
    drop(words);
    go.recv().await?;
    Ok(())
}

async fn what_a_dropped_receiver_leaves_behind_is_listed_while_the_run_goes_on(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(drops_and_goes_on()).await.unwrap();
    hook(&rewake, "go").await;
    resume(&rewake, "words", "a").await;
    resume(&rewake, "go", &true).await;
    logged(&rewake, &run, "hook_disposed", 1).await;
    assert_eq!(words(&run).await, ["a"]);
    resume(&rewake, "go", &true).await;
    run.result().await.unwrap();
    assert_eq!(words(&run).await, ["a"]);
}

#[workflow]
async fn ignores_its_webhook() -> anyhow::Result<()> {
    let _requests = create_webhook().await?;
    create_hook::<bool>().token("go").await?.recv().await?;
    Ok(())
}

async fn the_token_of_a_webhook_is_shortened(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(ignores_its_webhook()).await.unwrap();
    hook(&rewake, "go").await;
    let hooks = rewake.hooks().run(run.id()).await.unwrap().data;
    let webhook = hooks.iter().find(|hook| hook.is_webhook).unwrap();
    let request = http::Request::post("/").body("x").unwrap();
    let token = webhook.token.to_string();
    rewake.resume_webhook(&token, request).await.unwrap();
    resume(&rewake, "go", &true).await;
    run.result().await.unwrap();
    let unread = run.unread().await.unwrap();
    assert_eq!(unread.len(), 1);
    assert_eq!(unread[0].token, format!("{}…", &token[..4]));
    assert_eq!(unread[0].decode::<WebhookRequest>().unwrap().bytes(), "x");
}

async fn a_run_that_reads_everything_leaves_nothing(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(reads_some(2)).await.unwrap();
    hook(&rewake, "go").await;
    for word in ["a", "b"] {
        resume(&rewake, "words", word).await;
    }
    resume(&rewake, "go", &true).await;
    run.result().await.unwrap();
    assert_eq!(words(&run).await, [""; 0]);
    let nowhere = rewake.get_run::<()>("wrun_01KA5TV5000000000000000007".parse().unwrap());
    assert_eq!(nowhere.unread().await.unwrap(), []);
}
