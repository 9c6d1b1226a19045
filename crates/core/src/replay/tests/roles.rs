//! Roles: what a store and a machine must agree on about each event.

use super::driver::Driver;
use crate::event::{Disposal, EventKind, Position, Role};
use crate::replay::Fed;
use crate::replay::command::Key;
use crate::samples::{self, every_kind};

/// The events that must stand in a log before `kind` may.
fn before(kind: &EventKind) -> Vec<EventKind> {
    let needed: &[&str] = match kind.name() {
        "step_started" => &["step_created"],
        "step_completed" | "step_failed" | "step_retrying" => &["step_created", "step_started"],
        "hook_received" | "hook_disposed" | "hook_expired" => &["hook_created"],
        "wait_completed" | "wait_cancelled" => &["wait_created"],
        _ => &[],
    };
    let sample = |name: &&str| every_kind().into_iter().find(|kind| kind.name() == *name);
    needed.iter().filter_map(sample).collect()
}

fn fed(kind: EventKind) -> Fed {
    match kind.name() {
        "run_created" => Driver::new().outsider(kind),
        "run_started" => {
            let mut driver = Driver::new();
            driver.by_outsider(samples::run_created());
            driver.worker(kind)
        }
        _ => {
            let mut driver = Driver::begun();
            for earlier in before(&kind) {
                driver.by_worker(earlier);
            }
            driver.worker(kind)
        }
    }
}

fn with_a_drop() -> Vec<EventKind> {
    let dropped = EventKind::HookDisposed {
        hook: samples::hook(),
        by: Disposal::Dropped,
    };
    every_kind().into_iter().chain([dropped]).collect()
}

#[test]
fn facts_and_awaited_records_are_fed_and_nothing_else_is() {
    for kind in with_a_drop() {
        let (name, role) = (kind.name(), kind.role());
        let woken = kind.correlation_id();
        let expected = match role {
            Role::Fact if name == "run_cancel_requested" => Fed::Cancel,
            Role::Fact | Role::AwaitedRecord => Fed::Poll(woken),
            Role::Record | Role::Note => Fed::Nothing,
        };
        assert_eq!(fed(kind), expected, "{name} is a {role:?}");
    }
}

#[test]
fn records_have_a_key_and_facts_have_none() {
    for kind in with_a_drop() {
        let expected = match kind.role() {
            Role::Record | Role::AwaitedRecord => true,
            Role::Fact => false,
            // A run is cancelled at its workflow's word, or over its head.
            Role::Note => kind.name() == "run_cancelled",
        };
        assert_eq!(Key::of(&kind).is_some(), expected, "{}", kind.name());
    }
}

#[test]
fn names_are_distinct_and_the_sdks() {
    let kinds = every_kind();
    let names: Vec<_> = kinds.iter().map(EventKind::name).collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), 22);
    assert!(
        names
            .iter()
            .all(|name| name.chars().all(|c| c == '_' || c.is_ascii_lowercase()))
    );
}

#[test]
fn an_append_builds_on_what_a_worker_wrote_last() {
    let mut driver = Driver::new();
    driver.by_outsider(samples::run_created());
    assert_eq!(driver.machine.worker_position(), Position::START);
    driver.by_worker(EventKind::RunStarted);
    driver.by_outsider(super::log::cancel_requested());
    assert_eq!(driver.machine.worker_position(), Position(2));
    assert_eq!(driver.machine.fed(), Position(3));
}
