//! Runs that an earlier process left: they are read together, and what comes meanwhile is heard.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::id::RunId;
use rewake_core::token::Token;
use rewake_runtime::workflow::{Context as RunContext, HookSpec, RegisterHook, Wait};
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

/// Reads for as long as it is told to.
async fn sleeps_and_reads(run: Arc<RunContext>) {
    let spec = HookSpec {
        token: Some(Token::parse("door", Token::MAX_LEN).unwrap()),
        ..HookSpec::default()
    };
    let mut hook = RegisterHook::new(Arc::clone(&run), spec).await.unwrap();
    Wait::length(run, HOUR).await;
    for _ in 0..2 {
        let _payload = hook.receive().await;
    }
}

#[test]
fn a_payload_that_comes_while_its_run_is_read_ahead_is_heard_after_what_was_read() {
    let world = World::new();
    let engine = world.open(world.builder(sleeps_and_reads));
    let run = world.start(&engine);
    world.until(engine.shutdown(Duration::ZERO)).unwrap();
    world.hold(HOUR);
    let let_go = world.store.holds_reading_ahead();
    let engine = world.open(world.builder(sleeps_and_reads));
    for _ in 0..2 {
        let resume = Resume {
            token: "door".to_owned(),
            payload: text("{}"),
            key: None,
        };
        world.until(engine.resume(resume)).unwrap().unwrap();
    }
    assert_eq!(world.events(&engine, run).last(), Some(&"hook_received"));
    let_go.send(()).unwrap();
    world.settle();
    assert!(have_ended(&world, &engine, &[run]));
}
