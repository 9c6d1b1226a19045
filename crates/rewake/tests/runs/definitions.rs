//! Hook definitions: shared by workflow and application, checked before anything is recorded.

use rewake::prelude::*;
use rewake::{HookDefinition, ResumeError};

use crate::stage::{Stage, count, on_every_stage};

on_every_stage!(row_10_an_invalid_payload_leaves_no_event_and_a_valid_one_is_delivered,);

static AMOUNTS: HookDefinition<u64> = define_hook("amounts").validate(|amount| {
    if *amount > 0 {
        Ok(())
    } else {
        Err("an amount is more than nothing".into())
    }
});

#[workflow]
async fn takes_an_amount() -> anyhow::Result<u64> {
    let mut amounts = AMOUNTS.create().token("amount").await?;
    Ok(amounts.recv().await?)
}

async fn row_10_an_invalid_payload_leaves_no_event_and_a_valid_one_is_delivered(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes_an_amount()).await.unwrap();
    while rewake.get_hook_by_token("amount").await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let refused = AMOUNTS.resume(&rewake, "amount", &0).await.unwrap_err();
    assert!(!refused.may_have_happened());
    let ResumeError::Invalid { hook, reason } = refused else {
        panic!("{refused}");
    };
    assert_eq!(hook, "amounts");
    assert_eq!(reason, "an amount is more than nothing");
    assert_eq!(count(&rewake, &run, "hook_received").await, 0);
    assert!(
        AMOUNTS
            .resume(&rewake, "amount", &7)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(run.result().await.unwrap(), 7);
    assert_eq!(count(&rewake, &run, "hook_received").await, 1);
}
