//! Texts and numbers that users hand over: idempotency keys, names, a public URL, limits. What
//! cannot be is refused with what to do, and nothing is changed.

use std::time::Duration;

use rewake::prelude::*;
use rewake::{
    AdmitError, InvalidKey, InvalidName, Limit, OpenError, PostError, Posted, ResumeError,
    RewakeBuilder, StartError,
};

use crate::stage::{Stage, hook, on_every_stage};

on_every_stage!(
    an_idempotency_key_has_between_1_and_512_bytes_without_control_characters,
    a_key_of_the_longest_kind_works_everywhere,
    nothing_is_kept_for_no_time,
    a_handle_is_only_opened_with_names_that_can_be,
    a_handle_is_only_opened_with_a_public_url_that_can_be_called,
    a_limit_of_zero_is_refused_where_nothing_could_be_done,
    the_highest_limits_are_no_limits,
);

#[workflow]
async fn takes_two(token: String) -> anyhow::Result<u64> {
    let mut hook = create_hook::<u64>().token(token).await?;
    Ok(hook.recv().await? + hook.recv().await?)
}

fn impossible() -> [(String, InvalidKey); 4] {
    [
        (String::new(), InvalidKey::Empty),
        ("x".repeat(513), InvalidKey::TooLong { len: 513 }),
        ("ß".repeat(300), InvalidKey::TooLong { len: 600 }),
        ("a\nb".to_owned(), InvalidKey::ControlCharacter),
    ]
}

async fn an_idempotency_key_has_between_1_and_512_bytes_without_control_characters(stage: Stage) {
    let rewake = stage.open().await;
    for (key, invalid) in impossible() {
        let call = || takes_two("t".into());
        let error = rewake.start(call()).idempotency_key(&*key).await;
        let error = error.unwrap_err();
        assert_eq!(error, StartError::InvalidKey(invalid));
        assert_eq!((error.code(), error.is_retryable()), ("INVALID_KEY", false));

        let error = rewake.resume_hook("t", &1).idempotency_key(&*key).await;
        assert_eq!(error, Err(ResumeError::InvalidKey(invalid)));
        let error = rewake.post("t", &1).idempotency_key(&*key).await;
        assert_eq!(error, Err(PostError::InvalidKey(invalid)));
        let admitted = rewake.resume_or_start("t", &1, call());
        let error = admitted.idempotency_key(&*key).await;
        assert_eq!(error, Err(AdmitError::InvalidKey(invalid)));
    }
    assert_eq!(rewake.runs().await.unwrap().data, []);
    assert_eq!(rewake.mailbox().await.unwrap().data, []);
}

async fn a_key_of_the_longest_kind_works_everywhere(stage: Stage) {
    let rewake = stage.open().await;
    let key = &*"x".repeat(512);
    let start = || rewake.start(takes_two("t".into())).idempotency_key(key);
    let run = start().await.unwrap();
    assert_eq!(start().await.unwrap().id(), run.id());
    hook(&rewake, "t").await;
    for _ in 0..2 {
        let resumed = rewake.resume_hook("t", &40).idempotency_key(key).await;
        assert!(resumed.unwrap().is_some());
    }
    let posted = rewake.post("t", &2).idempotency_key("k").await.unwrap();
    assert!(matches!(posted, Posted::Delivered(_)), "{posted:?}");
    assert_eq!(run.result().await, Ok(42));
}

async fn nothing_is_kept_for_no_time(stage: Stage) {
    let rewake = stage.open().await;
    let error = rewake.post("t", &1).keep_for(Duration::ZERO).await;
    assert_eq!(error, Err(PostError::KeptForNoTime));
    assert_eq!(rewake.mailbox().await.unwrap().data, []);
}

/// What opening with such a change fails with.
async fn refused(stage: &Stage, change: impl FnOnce(RewakeBuilder) -> RewakeBuilder) -> OpenError {
    change(stage.builder()).build().await.unwrap_err()
}

async fn a_handle_is_only_opened_with_names_that_can_be(stage: Stage) {
    let long = || "x".repeat(257);
    let empty = |what| format!("{}", InvalidName::Empty { what });
    let error = refused(&stage, |builder| builder.project("")).await;
    assert_eq!(
        (error.code(), error.to_string()),
        ("INVALID_NAME", empty("project"))
    );
    let error = refused(&stage, |builder| builder.environment("")).await;
    assert_eq!(error.to_string(), empty("environment"));
    let error = refused(&stage, |builder| builder.build_id("")).await;
    assert_eq!(error.to_string(), empty("build"));
    let error = refused(&stage, |builder| builder.environment(long())).await;
    assert!(error.to_string().contains("257 bytes"), "{error}");
    let error = refused(&stage, |builder| builder.owner(long())).await;
    assert!(error.to_string().contains("of the owner"), "{error}");
    let error = refused(&stage, |builder| builder.project("a\nb")).await;
    assert!(error.to_string().contains("control characters"), "{error}");
    // What can be, can be.
    let named = stage
        .builder()
        .project("Läden")
        .environment("x".repeat(256))
        .owner("");
    named.build().await.unwrap();
}

async fn a_handle_is_only_opened_with_a_public_url_that_can_be_called(stage: Stage) {
    for url in [
        "",
        "app.example",
        "ftp://app.example",
        "https://app.example/?a",
    ] {
        let error = refused(&stage, |builder| builder.public_url(url)).await;
        assert_eq!(error.code(), "INVALID_PUBLIC_URL", "{url}");
        assert!(!error.is_retryable());
    }
    let base = stage.builder().public_url("https://app.example/hooks/");
    base.build().await.unwrap();
}

async fn a_limit_of_zero_is_refused_where_nothing_could_be_done(stage: Stage) {
    for limit in [
        Limit::Token,
        Limit::Payload,
        Limit::Unread,
        Limit::UnreadBytes,
        Limit::LiveHooks,
    ] {
        let error = refused(&stage, |builder| builder.limit(limit, 0)).await;
        assert_eq!(error.code(), "NOTHING_ALLOWED", "{limit:?}");
        assert!(matches!(error, OpenError::Engine(_)), "{error}");
    }
    // No mailbox, nobody who waits, and no time: that is something to ask for.
    let builder = stage.builder().limit(Limit::Mailbox, 0);
    let builder = builder.limit(Limit::WaitingCallers, 0);
    let builder = builder
        .limit(Limit::CleanUpMs, 0)
        .limit(Limit::AbortGraceMs, 0);
    let rewake = builder.build().await.unwrap();
    let error = rewake.post("t", &1).await.unwrap_err();
    assert_eq!(error, PostError::MailboxFull { count: 0 });
}

async fn the_highest_limits_are_no_limits(stage: Stage) {
    let mut builder = stage.builder().max_steps(usize::MAX);
    for limit in [
        Limit::Token,
        Limit::Payload,
        Limit::Unread,
        Limit::UnreadBytes,
        Limit::WaitingCallers,
        Limit::Mailbox,
        Limit::KeepFor,
        Limit::LiveHooks,
        Limit::BodyMs,
        Limit::CleanUpMs,
        Limit::AbortGraceMs,
    ] {
        builder = builder.limit(limit, u64::MAX);
    }
    let rewake = builder.build().await.unwrap();
    let posted = rewake
        .post("t", &40)
        .keep_for(seconds(u64::MAX))
        .await
        .unwrap();
    assert!(matches!(posted, Posted::Kept { .. }), "{posted:?}");
    let run = rewake.start(takes_two("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    rewake.resume_hook("t", &2).await.unwrap();
    assert_eq!(run.result().await, Ok(42));
}
