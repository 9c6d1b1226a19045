//! Runs that an earlier process left: they are read together, and what comes meanwhile is heard.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join;
use rewake_core::event::{Event, EventKind};
use rewake_core::id::RunId;
use rewake_core::token::Token;
use rewake_runtime::workflow::{ChildFuture, Context as RunContext, HookSpec, RegisterHook, Wait};
use rewake_runtime::{Engine, Resume};

use crate::world::{World, text};

const HOUR: Duration = Duration::from_hours(1);

async fn sleeps_an_hour(run: Arc<RunContext>) {
    Wait::length(run, HOUR).await;
}

/// Starts so many runs, and has all of them fall due while no process is there.
fn left_overdue(world: &World, runs: usize) -> Vec<RunId> {
    let engine = world.open(world.builder(sleeps_an_hour));
    let runs = (0..runs).map(|_| world.start(&engine)).collect();
    world.until(engine.shutdown(Duration::ZERO)).unwrap();
    world.hold(HOUR);
    world.store.asked();
    runs
}

fn have_ended(world: &World, engine: &Engine, runs: &[RunId]) -> bool {
    let mut each = runs.iter().map(|run| world.events(engine, *run));
    each.all(|events| events.last() == Some(&"run_completed"))
}

#[test]
fn runs_that_were_left_are_read_together() {
    let world = World::new();
    let runs = left_overdue(&world, 70);
    let engine = world.open(world.builder(sleeps_an_hour));
    // Thirty-two, thirty-two and six.
    assert_eq!(world.store.asked(), [0, 3]);
    assert!(have_ended(&world, &engine, &runs));
}

#[test]
fn where_one_of_them_is_damaged_the_others_read_for_themselves() {
    let world = World::new();
    let mut runs = left_overdue(&world, 5);
    world.store.is_damaged(runs.remove(2));
    let engine = world.open(world.builder(sleeps_an_hour));
    // All five; a damaged one is not counted.
    assert_eq!(world.store.asked(), [4, 1]);
    assert!(have_ended(&world, &engine, &runs));
}

#[test]
fn an_engine_that_stops_while_it_reads_ahead_leaves_them_for_the_next() {
    let world = World::new();
    let runs = left_overdue(&world, 5);
    let let_go = world.store.holds_reading_ahead();
    let engine = world.open(world.builder(sleeps_an_hour));
    assert!(!have_ended(&world, &engine, &runs[..1]));
    let mut stopping = pin!(engine.shutdown(Duration::ZERO));
    assert!(stopping.as_mut().now_or_never().is_none());
    let_go.send(()).unwrap();
    world.until(stopping).unwrap();
    let engine = world.open(world.builder(sleeps_an_hour));
    assert!(have_ended(&world, &engine, &runs));
}

fn door() -> HookSpec {
    HookSpec {
        token: Some(Token::parse("door", Token::MAX_LEN).unwrap()),
        ..HookSpec::default()
    }
}

fn knock(world: &World, engine: &Engine) {
    let resume = Resume {
        token: "door".to_owned(),
        payload: text("{}"),
        key: None,
    };
    world.until(engine.resume(resume)).unwrap().unwrap();
}

async fn sleeps_and_reads(run: Arc<RunContext>) {
    let hook = RegisterHook::new(Arc::clone(&run), door());
    let mut hook = hook.await.unwrap();
    Wait::length(run, HOUR).await;
    for _ in 0..2 {
        let _payload = hook.receive().await;
    }
}

#[test]
fn a_payload_that_comes_while_its_run_is_read_ahead_is_heard() {
    let world = World::new();
    let engine = world.open(world.builder(sleeps_and_reads));
    let run = world.start(&engine);
    world.until(engine.shutdown(Duration::ZERO)).unwrap();
    world.hold(HOUR);
    let let_go = world.store.holds_reading_ahead();
    let engine = world.open(world.builder(sleeps_and_reads));
    knock(&world, &engine);
    knock(&world, &engine);
    assert_eq!(world.events(&engine, run).last(), Some(&"hook_received"));
    world.store.asked();
    let_go.send(()).unwrap();
    world.settle();
    // What was read ahead may be older than what was heard, so its driver asks.
    assert_eq!(world.store.asked(), [1, 0]);
    assert!(have_ended(&world, &engine, &[run]));
}

fn is_child(run: &RunContext) -> bool {
    run.with(|machine| {
        let run = machine.entities().run();
        run.is_some_and(|run| run.parent.is_some())
    })
}

async fn waits(run: Arc<RunContext>) {
    let mut hook = RegisterHook::new(run, door()).await.unwrap();
    let _payload = hook.receive().await;
}

/// Begins itself as its child, and sleeps meanwhile.
async fn sleeps_beside_its_child(run: Arc<RunContext>) {
    if is_child(&run) {
        return waits(run).await;
    }
    let child = ChildFuture::new(Arc::clone(&run), "main", text("[]"));
    let _both = join(child, Wait::length(run, HOUR)).await;
}

/// Another build, which cannot follow the parent.
async fn is_lost(run: Arc<RunContext>) {
    assert!(is_child(&run), "this is what is tested");
    waits(run).await;
}

/// Has a run begin its child, and fall due while no process is there.
fn left_overdue_with_its_child(world: &World) -> (RunId, RunId) {
    let engine = world.open(world.builder(sleeps_beside_its_child));
    let parent = world.start(&engine);
    let events: Vec<Event> = world.until(engine.events(parent)).unwrap();
    let begun = events.iter().find_map(|event| match &event.kind {
        EventKind::StepCreated { child, .. } => *child,
        _ => None,
    });
    world.until(engine.shutdown(Duration::ZERO)).unwrap();
    world.hold(HOUR);
    (parent, begun.unwrap().run)
}

#[test]
fn a_child_that_ends_while_its_parent_is_read_ahead_is_heard_of() {
    let world = World::new();
    let (parent, child) = left_overdue_with_its_child(&world);
    let let_go = world.store.holds_reading_ahead();
    let engine = world.open(world.builder(sleeps_beside_its_child));
    knock(&world, &engine);
    world.settle();
    assert!(have_ended(&world, &engine, &[child]));
    assert!(!have_ended(&world, &engine, &[parent]));
    world.store.asked();
    let_go.send(()).unwrap();
    world.settle();
    // What was read ahead may be older than what was heard, so its driver asks.
    assert_eq!(world.store.asked(), [1, 0]);
    assert!(have_ended(&world, &engine, &[parent]));
}

#[test]
fn a_run_that_is_ended_while_it_is_read_ahead_takes_its_child_along() {
    let world = World::new();
    let (parent, child) = left_overdue_with_its_child(&world);
    let let_go = world.store.holds_reading_ahead();
    let engine = world.open(world.builder(is_lost));
    assert!(world.until(engine.terminate(parent, None)).unwrap());
    let_go.send(()).unwrap();
    world.settle();
    let events = world.events(&engine, child);
    assert_eq!(events.last(), Some(&"run_cancelled"), "{events:?}");
}

#[test]
fn a_log_of_which_little_is_read_ahead_is_read_to_its_end() {
    let world = World::new();
    let runs = left_overdue(&world, 2);
    world.store.reads_little_ahead();
    let engine = world.open(world.builder(sleeps_an_hour));
    assert_eq!(world.store.asked(), [0, 1]);
    assert!(have_ended(&world, &engine, &runs));
}
