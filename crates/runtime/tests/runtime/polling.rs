//! How often a workflow is polled: once after each fed event, once more for each wake in a poll.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use rewake_core::replay::Received;
use rewake_core::token::Token;
use rewake_runtime::workflow::{Context as RunContext, HookSpec, RegisterHook};
use rewake_runtime::{Engine, Resume};

use crate::world::{World, text};

/// Registers a hook and receives until it ends, which it does not.
async fn receives(run: Arc<RunContext>) {
    let spec = HookSpec {
        token: Some(Token::parse("door", Token::MAX_LEN).unwrap()),
        ..HookSpec::default()
    };
    let mut hook = RegisterHook::new(run, spec).await.unwrap();
    while let Received::Payload(_) = hook.receive().await {}
}

/// Counts the polls of a body.
fn counted<F: Future<Output = ()>>(
    polls: &Arc<AtomicU32>,
    body: F,
) -> impl Future<Output = ()> + use<F> {
    let polls = Arc::clone(polls);
    let mut body = Box::pin(body);
    poll_fn(move |cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        body.as_mut().poll(cx)
    })
}

fn resume(world: &World, engine: &Engine) {
    let resume = Resume {
        token: "door".to_owned(),
        payload: text("{}"),
        key: None,
    };
    world.until(engine.resume(resume)).unwrap().unwrap();
    world.settle();
}

#[test]
fn each_fed_event_is_one_poll() {
    let world = World::new();
    let polls = Arc::new(AtomicU32::new(0));
    let polled = Arc::clone(&polls);
    let engine = world.open(world.builder(move |run| counted(&polled, receives(run))));
    world.start(&engine);
    // The beginning, and the registration of the hook.
    assert_eq!(polls.load(Ordering::Relaxed), 2);
    for payloads in 1..=3 {
        resume(&world, &engine);
        assert_eq!(polls.load(Ordering::Relaxed), 2 + payloads);
    }
}

#[test]
fn a_replay_polls_as_often_as_the_run_did() {
    let world = World::new();
    let polls = Arc::new(AtomicU32::new(0));
    let polled = Arc::clone(&polls);
    let evicts = world.builder(move |run| counted(&polled, receives(run)));
    let engine = world.open(evicts.memory_budget(0));
    world.start(&engine);
    polls.store(0, Ordering::Relaxed);
    resume(&world, &engine);
    // The two events that were there, and the payload.
    assert_eq!(polls.load(Ordering::Relaxed), 3);
}

#[test]
fn a_wake_in_a_poll_is_one_poll_more() {
    let world = World::new();
    let polls = Arc::new(AtomicU32::new(0));
    let polled = Arc::clone(&polls);
    let wakes_itself_once = move |run| {
        let mut woken = false;
        let wakes = poll_fn(move |cx| {
            if woken {
                return Poll::Ready(());
            }
            woken = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        counted(&polled, async move {
            wakes.await;
            receives(run).await;
        })
    };
    let engine = world.open(world.builder(wakes_itself_once));
    world.start(&engine);
    assert_eq!(polls.load(Ordering::Relaxed), 3);
}
