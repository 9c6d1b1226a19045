//! Looking things up from outside: which hooks are live, and why a run does not go on.

use std::collections::BTreeSet;
use std::time::Duration;

use rewake::prelude::*;
use rewake::{AwaitedHook, QueryError, Reason, RunStatus, Why};

use crate::probe::Probe;
use crate::stage::{Stage, hook, logged, on_every_stage, parked};

on_every_stage!(
    hooks_are_listed_by_the_beginning_of_their_tokens,
    hooks_are_listed_by_run,
    all_hooks_are_listed_in_pages,
    a_random_token_is_found_by_run_only_and_shown_shortened,
    a_hook_past_its_time_is_not_listed,
    a_cursor_of_another_query_is_refused,
    hooks_of_another_environment_are_not_listed,
    why_tells_which_hook_and_the_call_that_resumes_it,
    why_gives_a_command_line_for_a_webhook,
    why_tells_which_sleep_and_which_step,
    why_tells_that_a_run_is_parked_and_its_hook_still_open,
    why_tells_that_nothing_is_awaited_once_a_run_has_ended,
    why_tells_until_when_a_run_must_not_begin,
    why_tells_of_a_run_that_no_worker_takes_up,
);

#[workflow]
async fn collects(tokens: Vec<String>) -> anyhow::Result<()> {
    let mut hooks = Vec::new();
    for token in tokens {
        hooks.push(create_hook::<u64>().token(token).await?);
    }
    for hook in &mut hooks {
        hook.recv().await?;
    }
    Ok(())
}

async fn collecting(rewake: &Rewake, tokens: &[&str]) -> Run<()> {
    let texts = tokens.iter().map(ToString::to_string).collect();
    let run = rewake.start(collects(texts)).await.unwrap();
    hook(rewake, tokens.last().unwrap()).await;
    run
}

fn tokens(page: &[rewake::ListedHook]) -> Vec<&str> {
    page.iter().map(|hook| hook.token.as_ref()).collect()
}

async fn hooks_are_listed_by_the_beginning_of_their_tokens(stage: Stage) {
    let rewake = stage.open().await;
    collecting(&rewake, &["b:2", "a:1"]).await;
    collecting(&rewake, &["b:1"]).await;
    let page = rewake.hooks().prefix("b:").await.unwrap();
    assert_eq!(tokens(&page.data), ["b:1", "b:2"]);
    assert_eq!(page.cursor, None);
    let first = rewake.hooks().prefix("b:").limit(1).await.unwrap();
    assert_eq!(tokens(&first.data), ["b:1"]);
    let rest = rewake.hooks().prefix("b:").cursor(first.cursor.unwrap());
    assert_eq!(tokens(&rest.await.unwrap().data), ["b:2"]);
}

async fn hooks_are_listed_by_run(stage: Stage) {
    let rewake = stage.open().await;
    collecting(&rewake, &["a:1"]).await;
    let run = collecting(&rewake, &["b:2", "a:2"]).await;
    let page = rewake.hooks().run(run.id()).await.unwrap();
    let found: BTreeSet<&str> = tokens(&page.data).into_iter().collect();
    assert_eq!(found, BTreeSet::from(["a:2", "b:2"]));
    assert!(page.data.iter().all(|hook| hook.run_id == run.id()));
    let both = rewake.hooks().run(run.id()).prefix("a").await.unwrap();
    assert_eq!(tokens(&both.data), ["a:2"]);
}

async fn all_hooks_are_listed_in_pages(stage: Stage) {
    let rewake = stage.open().await;
    let all = ["x:1", "x:2", "x:3", "y:1", "y:2"];
    collecting(&rewake, &all[..3]).await;
    collecting(&rewake, &all[3..]).await;
    let mut seen = Vec::new();
    let mut query = rewake.hooks().limit(2);
    loop {
        let page = query.await.unwrap();
        assert!(page.data.len() <= 2);
        seen.extend(page.data);
        let Some(cursor) = page.cursor else { break };
        query = rewake.hooks().limit(2).cursor(cursor);
    }
    let found: BTreeSet<&str> = tokens(&seen).into_iter().collect();
    assert_eq!((seen.len(), found), (5, BTreeSet::from(all)));
    // Runs of one millisecond are in no order of time, but always in that of their ids.
    let newest_first = |pair: &[rewake::ListedHook]| pair[0].run_id >= pair[1].run_id;
    assert!(seen.windows(2).all(newest_first), "{seen:?}");
}

#[workflow]
async fn listens() -> anyhow::Result<()> {
    let mut webhook = create_webhook().methods([http::Method::PUT]).await?;
    webhook.recv().await?;
    Ok(())
}

/// Starts a run with a webhook; its token.
async fn listening(rewake: &Rewake) -> (Run<()>, String) {
    let run = rewake.start(listens()).await.unwrap();
    logged(rewake, &run, "hook_created", 1).await;
    let page = rewake.hooks().run(run.id()).await.unwrap();
    let token = page.data[0].token.to_string();
    (run, token)
}

async fn a_random_token_is_found_by_run_only_and_shown_shortened(stage: Stage) {
    let rewake = stage.open().await;
    let (_, token) = listening(&rewake).await;
    let by_prefix = rewake.hooks().prefix(&token[..2]).await.unwrap();
    assert!(by_prefix.data.is_empty());
    let page = rewake.hooks().limit(1).await.unwrap();
    let json = serde_json::to_string(&page.data).unwrap();
    let shown = format!("{}…", &token[..4]);
    assert!(json.contains(&shown), "{json}");
    let written = format!("{json} {page:?}");
    assert!(!written.contains(&token), "{written}");
}

#[workflow]
async fn takes_for_a_moment(token: String) -> anyhow::Result<()> {
    let _hook = create_hook::<u64>()
        .token(token)
        .expires_in(Duration::ZERO)
        .await?;
    sleep(days(1)).await;
    Ok(())
}

async fn a_hook_past_its_time_is_not_listed(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(takes_for_a_moment("t".into())).await.unwrap();
    logged(&rewake, &run, "hook_created", 1).await;
    for query in [rewake.hooks(), rewake.hooks().prefix("t")] {
        assert!(query.await.unwrap().data.is_empty());
    }
}

async fn a_cursor_of_another_query_is_refused(stage: Stage) {
    let rewake = stage.open().await;
    let refused = rewake.hooks().cursor("b:1").await.unwrap_err();
    assert!(matches!(refused, QueryError::InvalidCursor(_)), "{refused}");
}

async fn hooks_of_another_environment_are_not_listed(stage: Stage) {
    let rewake = stage.open().await;
    let run = collecting(&rewake, &["b:1"]).await;
    rewake.shutdown(Duration::ZERO).await.unwrap();
    let other = stage.builder().environment("preview").build().await;
    let other = other.unwrap();
    for query in [
        other.hooks(),
        other.hooks().prefix("b"),
        other.hooks().run(run.id()),
    ] {
        assert!(query.await.unwrap().data.is_empty());
    }
    let why = other.get_run::<()>(run.id()).why().await;
    assert_eq!(why, Err(RunError::Unknown { run_id: run.id() }));
}

fn awaited_hook(why: &Why) -> &AwaitedHook {
    match &why.reasons[..] {
        [Reason::Hook(hook)] => hook,
        reasons => panic!("not one hook: {reasons:?}"),
    }
}

/// Why, once the run rests with nothing left to react to.
async fn why<T>(run: &Run<T>) -> Why {
    loop {
        let why = run.why().await.unwrap();
        let busy = |reason: &Reason| matches!(reason, Reason::Worker { .. });
        if !why.reasons.is_empty() && !why.reasons.iter().any(busy) {
            return why;
        }
        tokio::task::yield_now().await;
    }
}

async fn why_tells_which_hook_and_the_call_that_resumes_it(stage: Stage) {
    let rewake = stage.open().await;
    let run = collecting(&rewake, &["review:\"a\""]).await;
    let why = why(&run).await;
    assert_eq!(why.status, RunStatus::Running);
    let hook = awaited_hook(&why);
    assert_eq!(hook.token, "review:\"a\"");
    let call = r#"rewake.resume_hook("review:\"a\"", &payload).await?"#;
    assert_eq!((&*hook.wakes, hook.exact_call()), (call, call));
    assert_eq!((hook.until, hook.unread), (None, 0));
    let json = serde_json::to_value(&why).unwrap();
    assert_eq!(json["reasons"][0]["kind"], "hook");
    let since = json["reasons"][0]["since"].as_str().unwrap();
    assert!(since.ends_with('Z'), "{since}");
}

async fn why_gives_a_command_line_for_a_webhook(stage: Stage) {
    let rewake = stage.open().await;
    let (run, token) = listening(&rewake).await;
    let why = why(&run).await;
    let hook = awaited_hook(&why);
    let line =
        format!("curl -X PUT 'http://localhost:3000/.well-known/workflow/v1/webhook/{token}'");
    assert_eq!(hook.exact_call(), line);
    assert_eq!(hook.wakes, line.replace(&token, &hook.token));
    let written = format!("{} {why:?}", serde_json::to_string(&why).unwrap());
    assert!(!written.contains(&token), "{written}");
}

#[step(max_retries = 2)]
async fn is_held(#[provided] probe: Probe) -> anyhow::Result<()> {
    probe.pass().await;
    Ok(())
}

#[workflow]
async fn sleeps_and_works() -> anyhow::Result<()> {
    let ((), worked) = futures::join!(sleep(days(30)), is_held());
    Ok(worked?)
}

async fn why_tells_which_sleep_and_which_step(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(sleeps_and_works()).await.unwrap();
    logged(&rewake, &run, "wait_created", 1).await;
    let why = why(&run).await;
    let [
        Reason::Sleep { since, until, .. },
        Reason::Step {
            name, max_attempts, ..
        },
    ] = &why.reasons[..]
    else {
        panic!("not a sleep and a step: {:?}", why.reasons);
    };
    // The sleep counts from the event that its workflow reacted to, a little before its record.
    let slept = until.since(*since);
    assert!(slept <= days(30) && slept > days(29), "{slept:?}");
    assert!(name.ends_with("is_held"), "{name}");
    assert_eq!(*max_attempts, 3);
}

#[workflow]
async fn panics_with_a_hook(token: String) -> anyhow::Result<()> {
    let mut hook = create_hook::<u64>().token(token).await?;
    let n = hook.recv().await?;
    std::panic::resume_unwind(Box::new(format!("cannot go on with {n}")));
}

async fn why_tells_that_a_run_is_parked_and_its_hook_still_open(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(panics_with_a_hook("t".into())).await.unwrap();
    hook(&rewake, "t").await;
    rewake.resume_hook("t", &7).await.unwrap().unwrap();
    let (code, reason) = parked(&run).await;
    assert!(rewake.resume_hook("t", &8).await.unwrap().is_some());
    let why = run.why().await.unwrap();
    let told = why.parked.as_ref().unwrap();
    assert_eq!((&told.code, &told.reason), (&code, &reason));
    assert_eq!(awaited_hook(&why).unread, 2);
}

async fn why_tells_that_nothing_is_awaited_once_a_run_has_ended(stage: Stage) {
    let rewake = stage.open().await;
    let run = collecting(&rewake, &["t"]).await;
    rewake.resume_hook("t", &1).await.unwrap().unwrap();
    run.result().await.unwrap();
    let why = run.why().await.unwrap();
    assert_eq!((why.status, why.reasons), (RunStatus::Completed, vec![]));
}

async fn why_tells_until_when_a_run_must_not_begin(stage: Stage) {
    let rewake = stage.open().await;
    let run = rewake.start(listens()).delay(days(2)).await.unwrap();
    let why = run.why().await.unwrap();
    let [Reason::Begin { until }] = &why.reasons[..] else {
        panic!("not a beginning: {:?}", why.reasons);
    };
    let created = run.snapshot().await.unwrap().created_at;
    assert!(until.since(created) <= days(2), "{until:?}");
}

async fn why_tells_of_a_run_that_no_worker_takes_up(stage: Stage) {
    let client = stage.builder().client_only().build().await.unwrap();
    let run = client.start(collects(vec!["t".into()])).await.unwrap();
    let why = run.why().await.unwrap();
    assert!(
        matches!(
            why.reasons[..],
            [Reason::Worker {
                known_here: true,
                ..
            }]
        ),
        "{:?}",
        why.reasons
    );
}
