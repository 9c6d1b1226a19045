//! What happens between two commits, or while a caller goes away.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::event::EventKind;
use rewake_core::id::{EventId, RunId};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_runtime::workflow::{Context as RunContext, HookSpec, RegisterHook};
use rewake_runtime::{Engine, Resume, Start, WebhookDelivery};
use rewake_store::{Answer, Append, ChunkRow, Condition, Kin, Log, Queries, ScopeId, Streams};

use crate::world::{World, text};

fn token() -> Token {
    Token::parse("door", Token::MAX_LEN).unwrap()
}

async fn receives_once(run: Arc<RunContext>) {
    let spec = HookSpec {
        token: Some(token()),
        expires_in: Some(Duration::from_mins(1)),
        ..HookSpec::default()
    };
    let mut hook = RegisterHook::new(run, spec).await.unwrap();
    let _payload_or_expired = hook.receive().await;
}

async fn receives_at_leisure(run: Arc<RunContext>) {
    let spec = HookSpec {
        token: Some(token()),
        ..HookSpec::default()
    };
    let mut hook = RegisterHook::new(run, spec).await.unwrap();
    let _payload = hook.receive().await;
}

fn resume(engine: &Engine) -> impl Future<Output = ()> + use<> {
    let engine = engine.clone();
    async move {
        let payload = text("{}");
        let resume = Resume {
            token: "door".to_owned(),
            payload,
            key: None,
        };
        engine.resume(resume).await.unwrap().unwrap();
    }
}

/// Polls once, as far as the request's commit, and then goes away.
fn begin_and_drop(request: impl Future) {
    let mut request = Box::pin(request);
    let polled = request.poll_unpin(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
}

#[test]
fn a_payload_whose_sender_has_gone_wakes_its_run() {
    let world = World::new();
    let engine = world.open(world.builder(receives_once));
    let run = world.start(&engine);
    world.store.is_slow();
    begin_and_drop(resume(&engine));
    world.settle();
    let events = world.events(&engine, run);
    assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
}

async fn serves_once(run: Arc<RunContext>) {
    let spec = HookSpec {
        token: Some(token()),
        is_webhook: true,
        ..HookSpec::default()
    };
    let mut hook = RegisterHook::new(run, spec).await.unwrap();
    let _request = hook.receive().await;
}

#[test]
fn a_request_whose_answer_was_lost_wakes_its_run() {
    let world = World::new();
    let engine = world.open(world.builder(serves_once));
    let run = world.start(&engine);
    world.store.loses_next_answer();
    let delivery = WebhookDelivery {
        token: "door".to_owned(),
        payload: text("{}"),
        key: None,
    };
    let delivered = world.until(engine.deliver_webhook(delivery));
    assert!(delivered.is_err_and(|error| error.may_have_happened()));
    world.settle();
    let events = world.events(&engine, run);
    assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
}

#[test]
fn an_answer_that_another_process_gave_is_found_when_the_time_runs_out() {
    let world = World::new();
    let engine = world.open(world.builder(receives_once));
    let run = world.start(&engine);
    let caller = engine.caller().unwrap();
    let stream = engine.answer_stream("door", None);
    let within = Duration::from_secs(30);
    let mut waiting = pin!(caller.answer(run, stream, within, None));
    let polled = waiting.poll_unpin(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
    let answer = Answer {
        scope: ScopeId(0),
        run,
        stream: stream.to_string(),
        chunk: ChunkRow {
            writer: None,
            payload: text("1"),
        },
    };
    world.until(world.store.answer(answer)).unwrap();
    world.pass(within);
    assert_eq!(world.until(waiting), Ok(text("1")));
}

#[test]
fn a_run_that_is_noticed_for_nothing_writes_nothing() {
    let world = World::new();
    let engine = world.open(world.builder(receives_once));
    let run = world.start(&engine);
    let (events, appends) = (world.events(&engine, run), world.store.appends());
    for _ in 0..3 {
        engine.notice(run, None);
        world.settle();
    }
    assert_eq!(world.events(&engine, run), events);
    assert_eq!(world.store.appends(), appends);
}

#[test]
fn a_run_that_is_evicted_takes_its_payload_all_the_same() {
    let world = World::new();
    let engine = world.open(world.builder(receives_once));
    let run = world.start(&engine);
    assert_eq!(engine.resident_runs(), 1);
    assert!(engine.evict(run));
    world.settle();
    assert_eq!(engine.resident_runs(), 0);
    assert!(!engine.evict(run), "it is not in memory");
    world.until(resume(&engine));
    world.settle();
    let events = world.events(&engine, run);
    assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
}

#[test]
fn a_run_whose_starter_has_gone_is_driven() {
    let world = World::new();
    let engine = world.open(world.builder(receives_once));
    world.store.is_slow();
    let starting = engine.clone();
    begin_and_drop(async move { starting.start(Start::new("main", text("[]"))).await });
    world.settle();
    let hook = world.until(engine.hook_by_token("door")).unwrap();
    assert!(hook.is_some(), "the run has not begun");
}

#[test]
fn a_hook_that_somebody_else_has_expired_is_not_expired_again() {
    let world = World::new();
    let engine = world.open(world.builder(receives_once));
    let run = world.start(&engine);
    world.pass(Duration::from_secs(30));
    // Whoever finds the hook overdue says so between the worker's look at its log and its commit.
    world.store.before_next_append(move |store| {
        let scope = ScopeId(0);
        let held = store.token(scope, token()).now_or_never().unwrap();
        let hook = held.unwrap().unwrap().hook;
        let expire = Append {
            scope,
            run,
            id: EventId::mint(Timestamp::ZERO, 1),
            conditions: vec![Condition::HookLive {
                hook,
                token: token(),
            }],
            events: vec![EventKind::HookExpired { hook }],
            release: vec![token()],
            kin: Kin::default(),
            answers: Vec::new(),
            mark: None,
            since: None,
            repeat: false,
        };
        store.append(expire).now_or_never().unwrap().unwrap();
    });
    world.pass(Duration::from_secs(30));
    let events = world.events(&engine, run);
    let expired = events.iter().filter(|name| **name == "hook_expired");
    assert_eq!(expired.count(), 1, "{events:?}");
    assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
}

fn is_at_rest(world: &World, run: RunId) -> bool {
    let row = world.store.memory.run(ScopeId(0), run);
    world.until(row).unwrap().unwrap().wake_at.is_none()
}

#[test]
fn a_run_that_waits_is_on_record_as_at_rest_soon() {
    let world = World::new();
    let engine = world.open(world.builder(receives_at_leisure));
    let run = world.start(&engine);
    assert!(!is_at_rest(&world, run), "that may wait for company");
    world.pass(Duration::from_millis(20));
    assert!(is_at_rest(&world, run));
}

#[test]
fn a_mark_that_came_to_nothing_is_made_again() {
    let world = World::new();
    let engine = world.open(world.builder(receives_at_leisure));
    let run = world.start(&engine);
    let before = world.store.appends();
    world.store.is_busy_for(2);
    world.pass(Duration::from_secs(1));
    assert!(is_at_rest(&world, run));
    assert_eq!(world.store.appends(), before + 3);
}

#[test]
fn what_a_mark_was_to_say_is_said_by_whoever_leaves_before_it_is_written() {
    let world = World::new();
    let engine = world.open(world.builder(receives_at_leisure));
    let run = world.start(&engine);
    world.until(engine.shutdown(Duration::ZERO)).unwrap();
    assert!(is_at_rest(&world, run));
}
