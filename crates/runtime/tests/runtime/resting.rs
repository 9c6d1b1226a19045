//! Runs at rest: what they cost, and when they are looked at again.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_runtime::Start;
use rewake_runtime::workflow::{Context as RunContext, Wait};

use crate::world::{World, text};

async fn sleeps_a_day(run: Arc<RunContext>) {
    Wait::length(run, Duration::from_hours(24)).await;
}

#[test]
fn a_sleep_costs_one_commit() {
    let world = World::new();
    let engine = world.open(world.builder(sleeps_a_day));
    let run = world.start(&engine);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.events(&engine, run).last(), Some(&"wait_created"));
    assert_eq!(world.store.appends(), 1);
}

#[test]
fn a_driver_gives_way_while_somebody_outside_waits() {
    let world = World::new();
    let engine = world.open(world.builder(sleeps_a_day));
    let sleeps = world.start(&engine);
    world.pass(Duration::from_hours(1));
    assert_eq!(world.gave_way(), 0);
    world.store.is_slow();
    let mut waits = pin!(engine.start(Start::new("main", text("[]"))));
    assert!(waits.as_mut().now_or_never().is_none());
    world.pass(Duration::from_hours(23));
    let events = world.events(&engine, sleeps);
    assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
    assert!(world.gave_way() > 0);
}

#[test]
fn a_delayed_start_does_not_hide_sleepers_of_an_earlier_process() {
    let world = World::new();
    let engine = world.open(world.builder(sleeps_a_day));
    let run = world.start(&engine);
    world.until(engine.shutdown(Duration::ZERO)).unwrap();
    let engine = world.until(world.builder(sleeps_a_day).open()).unwrap();
    // Before what was left has been gone through.
    let mut later = Start::new("main", text("[]"));
    later.delay = Some(Duration::from_secs(1_000_000));
    world.until(engine.start(later)).unwrap();
    world.pass(Duration::from_hours(24));
    let events = world.events(&engine, run);
    assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
}

#[test]
fn a_parked_run_goes_on_although_the_store_was_busy_when_it_was_let_go() {
    let world = World::new();
    let panics = |_| async { panic!("not today") };
    let engine = world.open(world.builder(panics).build_id("old"));
    let run = world.start(&engine);
    let parked = world.until(engine.run(run)).unwrap().unwrap().parked;
    assert!(parked.is_some());
    world.until(engine.shutdown(Duration::ZERO)).unwrap();
    world.store.is_busy_for(1);
    let engine = world.open(world.builder(sleeps_a_day).build_id("new"));
    world.pass(Duration::from_secs(86_401));
    let events = world.events(&engine, run);
    assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
}

#[test]
fn a_run_that_is_damaged_keeps_no_other_from_being_taken_up() {
    let world = World::new();
    let engine = world.open(world.builder(sleeps_a_day));
    let (damaged, due) = (world.start(&engine), world.start(&engine));
    world.pass(Duration::from_hours(1));
    let later = world.start(&engine);
    world.crash();
    world.store.is_damaged(damaged);
    world.pass(Duration::from_hours(23));
    let engine = world.open(world.builder(sleeps_a_day));
    world.pass(Duration::from_hours(1));
    for run in [due, later] {
        let events = world.events(&engine, run);
        assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
    }
}

#[test]
fn of_many_runs_that_are_overdue_only_some_are_in_memory_at_once() {
    let world = World::new();
    let engine = world.open(world.builder(sleeps_a_day));
    let runs: Vec<_> = (0..600).map(|_| world.start(&engine)).collect();
    world.until(engine.shutdown(Duration::ZERO)).unwrap();
    world.pass(Duration::from_hours(24));
    let engine = world.until(world.builder(sleeps_a_day).open()).unwrap();
    let resident = Arc::<AtomicUsize>::default();
    let (seen, there) = (Arc::clone(&resident), engine.clone());
    world
        .store
        .before_next_append(move |_| seen.store(there.resident_runs(), Ordering::SeqCst));
    world.settle();
    // Thirty-two at a time, while there are fewer than that.
    assert_eq!(resident.load(Ordering::SeqCst), 128);
    for run in runs {
        let events = world.events(&engine, run);
        assert_eq!(events.last(), Some(&"run_completed"), "{events:?}");
    }
}
