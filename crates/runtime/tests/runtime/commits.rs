//! How many appends things take: each is a commit that somebody waits for.

use std::sync::{Arc, Mutex};

use futures_channel::oneshot;
use rewake_core::event::StepOptions;
use rewake_runtime::workflow::{Context as RunContext, StepFuture};
use rewake_runtime::{Engine, Start, Step};

use crate::world::{World, text};

/// Steps that end when the test says so.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<Vec<oneshot::Sender<()>>>>);

impl Gate {
    fn step(&self) -> Step {
        let gate = self.clone();
        Step {
            name: "waits".to_owned(),
            place: "here".to_owned(),
            run: Arc::new(move |_| {
                let (sender, opened) = oneshot::channel();
                gate.0.lock().unwrap().push(sender);
                Box::pin(async move {
                    let _ = opened.await;
                    Ok(text("1"))
                })
            }),
        }
    }

    /// Lets the attempts end that are under way.
    fn open(&self) {
        for sender in self.0.lock().unwrap().drain(..) {
            let _ = sender.send(());
        }
    }
}

async fn two_steps(run: Arc<RunContext>) {
    let options = StepOptions {
        max_retries: 3,
        timeout_ms: None,
        backoff_ms: 1_000,
    };
    for _ in 0..2 {
        StepFuture::new(Arc::clone(&run), "waits", text("[]"), options).await;
    }
}

fn engine(world: &World, gate: &Gate, places: usize) -> Engine {
    world.open(
        world
            .builder_with(two_steps, vec![gate.step()])
            .max_steps(places),
    )
}

#[test]
fn a_step_is_one_append() {
    let (world, gate) = (World::new(), Gate::default());
    let engine = engine(&world, &gate, 10);
    let run = world.start(&engine);
    assert_eq!(world.store.appends(), 0);
    for _ in 0..2 {
        gate.open();
        world.settle();
    }
    // Each of the steps, and the end.
    assert_eq!(world.store.appends(), 3);
    let ended = world.until(engine.run(run)).unwrap().unwrap();
    assert!(ended.status.is_terminal());
}

#[test]
fn a_step_that_waits_for_a_place_is_one_append() {
    let (world, gate) = (World::new(), Gate::default());
    let engine = engine(&world, &gate, 1);
    for _ in 0..2 {
        world
            .until(engine.start(Start::new("main", text("[]"))))
            .unwrap();
    }
    world.settle();
    // One is under way, one waits for its place; neither needs to be on record.
    assert_eq!(world.store.appends(), 0);
    for _ in 0..4 {
        gate.open();
        world.settle();
    }
    assert_eq!(world.store.appends(), 6);
}

#[test]
fn after_a_crash_the_step_it_left_is_announced_and_those_after_it_are_not() {
    let (world, gate) = (World::new(), Gate::default());
    let run = world.start(&engine(&world, &gate, 10));
    world.crash();
    let before = world.store.appends();
    let engine = engine(&world, &gate, 10);
    // Its start.
    assert_eq!(world.store.appends() - before, 1);
    assert_eq!(world.events(&engine, run).last(), Some(&"step_started"));
    for _ in 0..2 {
        gate.open();
        world.settle();
    }
    // Each of the steps, and the end.
    assert_eq!(world.store.appends() - before, 4);
    let ended = world.until(engine.run(run)).unwrap().unwrap();
    assert!(ended.status.is_terminal());
}

#[test]
fn after_a_crash_a_step_that_has_waited_for_a_place_is_announced_too() {
    let (world, gate) = (World::new(), Gate::default());
    let first = engine(&world, &gate, 2);
    let runs = [world.start(&first), world.start(&first)];
    // Both were under way.
    world.crash();
    let engine = engine(&world, &gate, 1);
    let last_of = |run| world.events(&engine, run).last().copied();
    let under_way = runs.map(|run| last_of(run) == Some("step_started"));
    let waits = under_way.iter().position(|under_way| !under_way).unwrap();
    gate.open();
    world.settle();
    assert_eq!(last_of(runs[waits]), Some("step_started"));
}
