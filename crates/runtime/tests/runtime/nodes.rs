//! Several nodes on one store: each in a world of its own, which can end without the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::event::EventKind;
use rewake_core::id::{EventId, RunId};
use rewake_core::payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_runtime::workflow::{Context as RunContext, HookSpec, RegisterHook, StepFuture, Wait};
use rewake_runtime::{Engine, Resume, RunOutcome, Step};
use rewake_store::memory::MemoryStore;
use rewake_store::{Create, Join, Nodes, Queries, RunRow, ScopeId, Sessions};

use crate::world::{World, text};

const SCOPE: ScopeId = ScopeId(0);

/// Two worlds on one store, whose clock is the first one's.
fn two_worlds() -> (World, World, MemoryStore) {
    let (one, other) = (World::new(), World::new());
    let store = MemoryStore::shared(one.time());
    (one, other, store)
}

/// Time passes in all of them.
fn pass(worlds: &[&World], span: Duration) {
    let slice = Duration::from_millis(100);
    let mut left = span;
    while !left.is_zero() {
        for world in worlds {
            world.pass(slice);
        }
        left = left.saturating_sub(slice);
    }
}

async fn receives_once(run: Arc<RunContext>) {
    let spec = HookSpec {
        token: Some(Token::parse("door", Token::MAX_LEN).unwrap()),
        ..HookSpec::default()
    };
    let mut hook = RegisterHook::new(run, spec).await.unwrap();
    let _payload = hook.receive().await;
}

async fn sleeps(run: Arc<RunContext>) {
    Wait::length(run, Duration::from_mins(1)).await;
}

async fn works(run: Arc<RunContext>) {
    let _result = StepFuture::new(
        run,
        "work",
        text("[]"),
        rewake_core::event::StepOptions::default(),
    )
    .await;
}

/// A step that never ends by itself, and says how often it began.
fn endless(begun: &Arc<AtomicUsize>) -> Step {
    let begun = Arc::clone(begun);
    Step {
        name: "work".to_owned(),
        place: "here".to_owned(),
        run: Arc::new(move |_| {
            begun.fetch_add(1, Ordering::SeqCst);
            futures_util::future::pending().boxed()
        }),
    }
}

fn resume(world: &World, engine: &Engine) {
    let resume = Resume {
        token: "door".to_owned(),
        payload: text("{}"),
        key: None,
    };
    world.until(engine.resume(resume)).unwrap().unwrap();
}

fn row(store: &MemoryStore, run: RunId) -> RunRow {
    let row = store.run(SCOPE, run).now_or_never().unwrap();
    row.unwrap().unwrap()
}

fn has_completed(world: &World, engine: &Engine, run: RunId) -> bool {
    let outcome = engine.outcome(run).now_or_never();
    world.settle();
    matches!(outcome, Some(Ok(RunOutcome::Completed(_))))
}

#[test]
fn whoever_only_calls_wakes_the_node_that_has_the_run() {
    let (one, other, store) = two_worlds();
    let engine = one.open(one.builder_on(&store, receives_once, Vec::new()));
    let client = other.open(
        other
            .builder_on(&store, receives_once, Vec::new())
            .client_only(true),
    );
    let run = one.start(&engine);
    resume(&other, &client);
    one.settle();
    assert!(
        has_completed(&one, &engine, run),
        "without any time passing"
    );
    assert_eq!(client.resident_runs(), 0);
}

#[test]
fn a_run_that_a_client_starts_is_taken_up_by_one_node() {
    let (one, other, store) = two_worlds();
    let engine = one.open(one.builder_on(&store, sleeps, Vec::new()));
    let client = other.open(
        other
            .builder_on(&store, sleeps, Vec::new())
            .client_only(true),
    );
    let run = other.start(&client);
    assert_eq!(row(&store, run).node, None);
    one.settle();
    assert!(row(&store, run).node.is_some());
    assert_eq!(engine.resident_runs(), 1);
}

#[test]
fn what_is_due_is_due_by_the_stores_clock() {
    let (one, other, store) = two_worlds();
    other.pass(Duration::from_hours(1));
    let ahead = other.open(other.builder_on(&store, sleeps, Vec::new()));
    let run = other.start(&ahead);
    pass(&[&one, &other], Duration::from_secs(59));
    assert!(!has_completed(&other, &ahead, run), "its clock is ahead");
    pass(&[&one, &other], Duration::from_secs(2));
    assert!(has_completed(&other, &ahead, run));
}

#[test]
fn the_runs_of_a_dead_node_go_on_elsewhere_within_three_seconds() {
    let (one, other, store) = two_worlds();
    let (begun_here, begun_there) = (Arc::default(), Arc::default());
    let first = one.open(one.builder_on(&store, works, vec![endless(&begun_here)]));
    let second = other.open(other.builder_on(&store, works, vec![endless(&begun_there)]));
    let run = one.start(&first);
    pass(&[&one, &other], Duration::from_secs(5));
    assert_eq!(begun_there.load(Ordering::SeqCst), 0, "its node lives");
    one.crash();
    pass(&[&one, &other], Duration::from_secs(3));
    let events = other.events(&second, run);
    assert!(
        events.contains(&"step_retrying"),
        "it is taken over: {events:?}"
    );
    pass(&[&one, &other], Duration::from_secs(2));
    assert_eq!(begun_here.load(Ordering::SeqCst), 1);
    assert_eq!(begun_there.load(Ordering::SeqCst), 1);
    let events = other.events(&second, run);
    let started = events.iter().filter(|name| **name == "step_started");
    assert_eq!(started.count(), 2, "each start is on record: {events:?}");
    assert_eq!(row(&store, run).crashes, 0, "it has come to rest since");
}

#[test]
fn a_node_that_stood_still_leaves_its_runs_to_whoever_has_them() {
    let (one, other, store) = two_worlds();
    let (begun_here, begun_there) = (Arc::default(), Arc::default());
    let first = one.open(one.builder_on(&store, works, vec![endless(&begun_here)]));
    let second = other.open(other.builder_on(&store, works, vec![endless(&begun_there)]));
    let run = one.start(&first);
    let leased = row(&store, run).node;
    // The store's clock goes on, and nothing of the first node does.
    for _ in 0..40 {
        one.hold(Duration::from_millis(100));
        other.pass(Duration::from_millis(100));
    }
    assert_ne!(row(&store, run).node, leased);
    assert_eq!(second.resident_runs(), 1);
    pass(&[&one, &other], Duration::from_secs(2));
    assert_eq!(first.resident_runs(), 0, "it has gone without a trace");
    pass(&[&one, &other], Duration::from_secs(20));
    assert_eq!(first.resident_runs(), 0);
    assert_eq!(begun_there.load(Ordering::SeqCst), 1);
}

#[test]
fn a_node_that_is_shut_down_gives_up_at_once_what_it_has_not_at_hand() {
    let (one, other, store) = two_worlds();
    let begun = Arc::default();
    let first = one.open(
        one.builder_on(&store, receives_once, Vec::new())
            .memory_budget(0),
    );
    let _second = other.open(other.builder_on(&store, receives_once, vec![endless(&begun)]));
    let run = one.start(&first);
    pass(&[&one, &other], Duration::from_secs(1));
    assert_eq!(first.resident_runs(), 0);
    one.until(first.shutdown(Duration::from_mins(1))).unwrap();
    other.settle();
    let client = other.open(
        other
            .builder_on(&store, receives_once, Vec::new())
            .client_only(true),
    );
    resume(&other, &client);
    other.settle();
    assert!(
        has_completed(&other, &client, run),
        "without any time passing"
    );
}

#[test]
fn a_run_that_a_new_build_cannot_follow_goes_on_with_an_old_one() {
    let (one, other, store) = two_worlds();
    let third = World::new();
    let first = one.open(
        one.builder_on(&store, receives_once, Vec::new())
            .build_id("old"),
    );
    let run = one.start(&first);
    one.crash();
    let new = other.open(other.builder_on(&store, sleeps, Vec::new()).build_id("new"));
    pass(&[&one, &other], Duration::from_secs(3));
    resume(&other, &new);
    pass(&[&one, &other], Duration::from_secs(1));
    let parked = row(&store, run).parked.unwrap();
    assert!(parked.is_by("new") && !parked.is_by("old"), "{parked:?}");
    let old = third.open(
        third
            .builder_on(&store, receives_once, Vec::new())
            .build_id("old"),
    );
    assert!(has_completed(&third, &old, run), "it is claimed at once");
}

#[test]
fn a_run_that_ends_its_nodes_is_parked_and_no_other_is() {
    let (one, _, store) = two_worlds();
    let scope = store.scope("default".to_owned(), "default".to_owned());
    assert_eq!(scope.now_or_never().unwrap(), Ok(SCOPE));
    let dead = Join {
        scope: SCOPE,
        name: "dead".to_owned(),
        build: "unknown".to_owned(),
        workflows: Vec::new(),
    };
    let dead = store.join(dead).now_or_never().unwrap().unwrap();
    let [culprit, suspect, innocent] = [1, 2, 3].map(|n| {
        let run = RunId::mint(Timestamp::from_millis(1), n);
        let created = rewake_store::Log::create(
            &store,
            Create {
                scope: SCOPE,
                run,
                id: EventId::mint(Timestamp::from_millis(1), n << 32),
                events: vec![run_created(), EventKind::RunStarted],
                key: None,
                node: Some(dead),
            },
        );
        created.now_or_never().unwrap().unwrap();
        run
    });
    for runs in [vec![culprit, suspect], vec![culprit]] {
        let counted = store.count_crashes(SCOPE, runs).now_or_never().unwrap();
        counted.unwrap();
    }
    one.pass(Duration::from_secs(2));
    let engine = one.open(one.builder_on(&store, sleeps, Vec::new()));
    pass(&[&one], Duration::from_secs(1));
    let parked = row(&store, culprit).parked.unwrap();
    assert_eq!(row(&store, culprit).crashes, 3, "{parked:?}");
    for run in [suspect, innocent] {
        assert_eq!(row(&store, run).parked, None);
        assert_eq!(row(&store, run).crashes, 0);
        assert_eq!(one.events(&engine, run).last(), Some(&"wait_created"));
    }
}

fn run_created() -> EventKind {
    EventKind::RunCreated {
        workflow: "main".to_owned(),
        input: payload::encode(&Vec::<u8>::new()).unwrap(),
        build: "unknown".to_owned(),
        seed: [7; 16],
        flags: 0,
        parent: None,
        not_before: None,
        continued_from: None,
        attributes: std::collections::BTreeMap::new(),
        created_by: rewake_core::event::CreatedBy::Start,
    }
}
