//! What a process leaves of parents and children when it ends, and what the next one makes of it.

use std::sync::Arc;

use rewake_core::event::{Event, EventKind};
use rewake_core::id::{EventId, RunId};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_runtime::Engine;
use rewake_runtime::workflow::{ChildFuture, Context as RunContext, HookSpec, RegisterHook};
use rewake_store::{Append, Kin, Lineage, Log, Queries, ScopeId};

use crate::world::{World, text};

const SCOPE: ScopeId = ScopeId(0);

fn is_child(run: &RunContext) -> bool {
    run.with(|machine| {
        let run = machine.entities().run();
        run.is_some_and(|run| run.parent.is_some())
    })
}

async fn waits_for_a_payload(run: Arc<RunContext>) {
    let spec = HookSpec {
        token: Some(Token::parse("door", Token::MAX_LEN).unwrap()),
        ..HookSpec::default()
    };
    let mut hook = RegisterHook::new(run, spec).await.unwrap();
    let _payload = hook.receive().await;
}

/// Starts itself as its child, and waits for that.
async fn parent_or_child(run: Arc<RunContext>) {
    if is_child(&run) {
        return waits_for_a_payload(run).await;
    }
    let _ended = ChildFuture::new(run, "main", text("[]")).await;
}

/// Starts a child of a workflow that no build here knows.
async fn parent_of_a_stranger(run: Arc<RunContext>) {
    let _ended = ChildFuture::new(run, "elsewhere", text("[]")).await;
}

fn child_of(world: &World, engine: &Engine, parent: RunId) -> RunId {
    let events: Vec<Event> = world.until(engine.events(parent)).unwrap();
    let child = events.iter().find_map(|event| match &event.kind {
        EventKind::StepCreated { child, .. } => *child,
        _ => None,
    });
    child.expect("the child is on record").run
}

/// Ends a run as a process does that dies before it tells anybody.
fn end_unheard(world: &World, run: RunId, token: Option<&str>) {
    let token = token.map(|token| Token::parse(token, Token::MAX_LEN).unwrap());
    let end = Append {
        scope: SCOPE,
        run,
        id: EventId::mint(Timestamp::ZERO, 9),
        conditions: Vec::new(),
        events: vec![EventKind::RunCancelled {
            reason: None,
            terminated: true,
        }],
        release: token.into_iter().collect(),
        kin: Kin::default(),
        answers: Vec::new(),
        mark: None,
        since: None,
        repeat: false,
    };
    world.until(world.store.memory.append(end)).unwrap();
}

#[test]
fn a_childs_end_that_nobody_was_told_of_is_found_by_the_next_process() {
    let world = World::new();
    let engine = world.open(world.builder(parent_or_child));
    let parent = world.start(&engine);
    let child = child_of(&world, &engine, parent);
    end_unheard(&world, child, Some("door"));
    world.crash();
    let engine = world.open(world.builder(parent_or_child));
    let events = world.events(&engine, parent);
    assert_eq!(
        events[2..],
        ["step_created", "step_failed", "run_completed"]
    );
    let owed = world.until(world.store.memory.owed_runs(SCOPE, None, 9));
    assert_eq!(owed, Ok(Vec::new()));
}

#[test]
fn a_parents_end_that_nobody_was_told_of_is_told_by_the_next_process() {
    let world = World::new();
    let engine = world.open(world.builder(parent_or_child));
    let parent = world.start(&engine);
    let child = child_of(&world, &engine, parent);
    end_unheard(&world, parent, None);
    world.crash();
    let engine = world.open(world.builder(parent_or_child));
    let events = world.events(&engine, child);
    let expected = ["run_cancel_requested", "hook_disposed", "run_cancelled"];
    assert_eq!(events[3..], expected);
    let row = world.until(world.store.memory.run(SCOPE, parent));
    let row = row.unwrap().unwrap();
    assert_eq!((row.wake_at, row.children), (None, 0));
}

#[test]
fn a_child_whose_workflow_is_unknown_is_asked_to_end_and_waits_for_who_knows_it() {
    let world = World::new();
    let engine = world.open(world.builder(parent_of_a_stranger));
    let parent = world.start(&engine);
    let child = child_of(&world, &engine, parent);
    assert_eq!(world.events(&engine, child), ["run_created"]);
    let terminated = world.until(engine.terminate(parent, None));
    assert_eq!(terminated, Ok(true));
    world.settle();
    let expected = ["run_created", "run_cancel_requested"];
    assert_eq!(world.events(&engine, child), expected);
    let row = world.until(world.store.memory.run(SCOPE, child));
    assert!(
        row.unwrap().unwrap().wake_at.is_some(),
        "it will be taken up"
    );
}

#[test]
fn a_parent_at_rest_is_woken_by_nothing_but_its_childs_end() {
    let world = World::new();
    let engine = world.open(world.builder(parent_or_child));
    let parent = world.start(&engine);
    // What the child has yet to say of its rest goes on record first.
    world.pass(std::time::Duration::from_secs(1));
    let appends = world.store.appends();
    world.pass(std::time::Duration::from_hours(24));
    assert_eq!(world.store.appends(), appends);
    let row = world.until(world.store.memory.run(SCOPE, parent));
    assert_eq!(row.unwrap().unwrap().wake_at, None);
}
