//! A cancelled run: what of it is polled, and when it ends.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::id::RunId;
use rewake_core::replay::Received;
use rewake_core::token::Token;
use rewake_runtime::workflow::{Context as RunContext, HookSpec, RegisterHook, Shield};
use rewake_runtime::{Builder, Engine, Resume};

use crate::world::{World, text};

/// How often the body, and the shield in it, were polled.
#[derive(Clone, Default)]
struct Polls {
    body: Arc<AtomicU32>,
    shield: Arc<AtomicU32>,
}

impl Polls {
    fn take(&self) -> (u32, u32) {
        let take = |polls: &AtomicU32| polls.swap(0, Ordering::Relaxed);
        (take(&self.body), take(&self.shield))
    }
}

/// Receives from a hook until that is given the word, inside a shield.
async fn receives(run: Arc<RunContext>) {
    let spec = HookSpec {
        token: Some(Token::parse("door", Token::MAX_LEN).unwrap()),
        ..HookSpec::default()
    };
    let mut hook = RegisterHook::new(run, spec).await.unwrap();
    while let Received::Payload(payload) = hook.receive().await {
        if payload == text("\"enough\"") {
            return;
        }
    }
}

async fn counted(polls: Arc<AtomicU32>, body: impl Future<Output = ()>) {
    let mut body = Box::pin(body);
    poll_fn(move |cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        body.as_mut().poll(cx)
    })
    .await;
}

fn shields(world: &World, polls: &Polls) -> Builder {
    let polls = polls.clone();
    world.builder(move |run| {
        let inner = counted(Arc::clone(&polls.shield), receives(Arc::clone(&run)));
        let shield = Shield::new(run, inner.boxed());
        counted(Arc::clone(&polls.body), shield)
    })
}

fn resume(world: &World, engine: &Engine, payload: &str) {
    let resume = Resume {
        token: "door".to_owned(),
        payload: text(payload),
        key: None,
    };
    world.until(engine.resume(resume)).unwrap().unwrap();
    world.settle();
}

fn cancel(world: &World, engine: &Engine, run: RunId) {
    assert!(world.until(engine.cancel(run, None)).unwrap());
    world.settle();
}

#[test]
fn once_a_run_is_cancelled_its_shields_are_polled_and_nothing_else() {
    let world = World::new();
    let polls = Polls::default();
    let engine = world.open(shields(&world, &polls));
    let run = world.start(&engine);
    assert_eq!(polls.take(), (2, 2));
    cancel(&world, &engine, run);
    assert_eq!(polls.take(), (0, 1), "at the request");
    resume(&world, &engine, "1");
    assert_eq!(polls.take(), (0, 1), "at each event");
    resume(&world, &engine, "\"enough\"");
    assert_eq!(polls.take(), (0, 1));
    let names = world.events(&engine, run);
    assert_eq!(names.last(), Some(&"run_cancelled"), "{names:?}");
}

#[test]
fn a_replay_of_a_cancelled_run_polls_as_often_as_the_run_did() {
    let world = World::new();
    let polls = Polls::default();
    let engine = world.open(shields(&world, &polls).memory_budget(0));
    let run = world.start(&engine);
    cancel(&world, &engine, run);
    polls.take();
    resume(&world, &engine, "1");
    // The beginning and the registration; the request, and the payload.
    assert_eq!(polls.take(), (2, 4));
}

#[test]
fn a_shield_that_does_not_end_is_dropped_when_its_time_is_over() {
    let world = World::new();
    let polls = Polls::default();
    let engine = world.open(shields(&world, &polls).memory_budget(0));
    let run = world.start(&engine);
    cancel(&world, &engine, run);
    world.pass(Duration::from_secs(599));
    let names = world.events(&engine, run);
    assert_eq!(names.last(), Some(&"wait_created"), "{names:?}");
    world.pass(Duration::from_secs(1));
    let names = world.events(&engine, run);
    let end = ["wait_completed", "hook_disposed", "run_cancelled"];
    assert_eq!(names[names.len() - 3..], end);
}

#[test]
fn the_bound_counts_from_the_request_also_where_the_process_was_away() {
    let world = World::new();
    let polls = Polls::default();
    let engine = world.open(shields(&world, &polls));
    let run = world.start(&engine);
    cancel(&world, &engine, run);
    world.crash();
    world.hold(Duration::from_secs(700));
    let engine = world.open(shields(&world, &polls));
    world.pass(Duration::from_secs(1));
    let names = world.events(&engine, run);
    assert_eq!(names.last(), Some(&"run_cancelled"), "{names:?}");
}
