//! Workflow code that holds its thread.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rewake_runtime::workflow::Wait;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::world::World;

/// What was said to whoever runs the application, from warnings on.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "run" {
            write!(self.0, "{}: {value:?}; ", field.name()).unwrap();
        }
    }
}

/// What is said while a workflow holds its thread for so long, and then sleeps.
fn warnings(held: Duration) -> Vec<String> {
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || {
        let world = World::new();
        let blocks = {
            let world = world.clone();
            move |run| {
                let world = world.clone();
                async move {
                    Wait::length(Arc::clone(&run), Duration::from_hours(1)).await;
                    world.hold(held);
                    Wait::length(run, Duration::from_hours(1)).await;
                }
            }
        };
        let engine = world.open(world.builder(blocks));
        let run = world.start(&engine);
        world.pass(Duration::from_hours(3));
        let events = world.events(&engine, run);
        assert_eq!(
            events.last(),
            Some(&"run_completed"),
            "it goes on all the same"
        );
    });
    let warnings = warnings.0.lock().unwrap();
    warnings.clone()
}

#[test]
fn a_workflow_that_holds_its_thread_for_over_a_second_is_reported_with_the_event_it_reacted_to() {
    assert_eq!(
        warnings(Duration::from_millis(1_001)),
        [
            "message: the workflow held its thread for more than a second; whatever blocks or takes \
             long belongs in a step; workflow: \"main\"; event: 4; took: 1.001s; "
        ]
    );
}

#[test]
fn a_workflow_that_takes_a_second_is_not_reported() {
    assert_eq!(warnings(Duration::from_secs(1)), [""; 0]);
}
