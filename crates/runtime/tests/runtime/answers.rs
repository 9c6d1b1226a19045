//! Answers to webhooks' requests that a workflow gives: each goes with the record of its step.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::id::{RunId, StepId};
use rewake_core::payload::Payload;
use rewake_core::replay::StepOutcome;
use rewake_runtime::step::respond;
use rewake_runtime::workflow::{Context as RunContext, StepFuture};
use rewake_runtime::{AnswerError, Builder, Engine, Start};
use rewake_store::{Answer, ChunkRow, ScopeId, Streams};

use crate::world::{World, text};

/// What `respond` said to the workflow.
type Said = Arc<Mutex<Vec<Result<(), AnswerError>>>>;

fn stream(engine: &Engine) -> String {
    engine.answer_stream("door", Some("key")).to_string()
}

/// A workflow that answers at once, and ends.
fn answers(world: &World) -> (Builder, Said, Arc<Mutex<String>>) {
    let (said, on) = (Said::default(), Arc::<Mutex<String>>::default());
    let (hears, stream) = (Arc::clone(&said), Arc::clone(&on));
    let main = move |run: Arc<RunContext>| {
        let (hears, stream) = (Arc::clone(&hears), stream.lock().unwrap().clone());
        async move {
            let input = respond::input(&stream, &text("\"its own\"")).unwrap();
            let step = StepFuture::new(run, respond::NAME, input, respond::OPTIONS);
            match step.await {
                StepOutcome::Completed(verdict) => {
                    hears.lock().unwrap().push(respond::verdict(&verdict));
                }
                StepOutcome::Failed { error, .. } => panic!("it cannot fail: {error:?}"),
            }
        }
    };
    (world.builder(main), said, on)
}

fn engine(world: &World) -> (Engine, Said) {
    let (builder, said, on) = answers(world);
    let engine = world.open(builder);
    *on.lock().unwrap() = stream(&engine);
    (engine, said)
}

/// A run that was started, and whose driver has not begun.
fn started(world: &World, engine: &Engine) -> RunId {
    let started = engine.start(Start::new("main", text("[]")));
    let started = started.now_or_never().expect("a store in memory is quick");
    assert_eq!(world.store.appends(), 0);
    started.unwrap().run
}

/// What a caller hears that has waited since before the run began.
fn heard(world: &World, engine: &Engine, run: RunId) -> Payload {
    let caller = engine.caller().unwrap();
    let stream = engine.answer_stream("door", Some("key"));
    let since = caller.listen(run);
    let within = Duration::from_mins(1);
    let answer = caller.answer(run, stream, within, Some(since));
    world.until(answer).unwrap()
}

#[test]
fn there_is_no_answer_without_the_record_of_its_step() {
    let world = World::new();
    let (engine, said) = engine(&world);
    world.store.is_full();
    let run = world.start(&engine);
    let stands = world
        .store
        .memory
        .first_chunk(ScopeId(0), run, stream(&engine));
    assert_eq!(world.until(stands).unwrap(), None);
    assert!(said.lock().unwrap().is_empty(), "nothing is on record");
}

#[test]
fn an_answer_and_its_step_are_one_append() {
    let world = World::new();
    let (engine, said) = engine(&world);
    let run = started(&world, &engine);
    assert_eq!(heard(&world, &engine, run), text("\"its own\""));
    world.settle();
    assert_eq!(*said.lock().unwrap(), [Ok(())]);
    // The other is the end.
    assert_eq!(world.store.appends(), 2);
}

#[test]
fn a_caller_hears_an_answer_of_whose_commit_no_word_came() {
    let world = World::new();
    let (engine, said) = engine(&world);
    let run = started(&world, &engine);
    world.store.loses_next_append();
    assert_eq!(heard(&world, &engine, run), text("\"its own\""));
    world.settle();
    assert_eq!(*said.lock().unwrap(), [Ok(())]);
}

#[test]
fn of_two_who_answer_the_first_is_heard_and_the_second_told() {
    let world = World::new();
    let (engine, said) = engine(&world);
    let run = started(&world, &engine);
    let other = Answer {
        scope: ScopeId(0),
        run,
        stream: stream(&engine),
        chunk: ChunkRow {
            writer: Some(StepId::from_bytes([7; 16])),
            payload: text("\"another's\""),
        },
    };
    world.store.before_next_append(move |store| {
        let answered = store.answer(other).now_or_never().unwrap();
        assert!(answered.unwrap().first);
    });
    assert_eq!(heard(&world, &engine, run), text("\"another's\""));
    world.settle();
    assert_eq!(*said.lock().unwrap(), [Err(AnswerError::AlreadyAnswered)]);
    // The refused one, the record, and the end.
    assert_eq!(world.store.appends(), 3);
}
