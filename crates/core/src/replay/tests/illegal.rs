//! Logs that were not written by Rewake, and drivers that feed them badly.

use super::driver::Driver;
use super::log::{Log, run, step, step_completed, step_started};
use crate::event::{EventKind, Frame, Position, Writer};
use crate::replay::{Divergence, Machine};
use crate::samples::payload;
use crate::transition::IllegalTransition;

#[test]
fn an_event_that_must_not_follow_is_reported_with_its_place_and_reason() {
    let mut driver = Driver::begun();
    let a = step(0, "a");
    let illegal = driver
        .try_feed(Writer::Worker, step_started(a, 1))
        .unwrap_err();
    let reason = IllegalTransition::StepMissing {
        event: "step_started",
        step: a,
    };
    assert_eq!(
        illegal,
        Divergence::Illegal {
            position: Position(3),
            reason
        }
    );
    assert_eq!(illegal.to_string(), "event 3 of the log is illegal");
    assert_eq!(
        (illegal.code(), illegal.position()),
        ("REPLAY_ILLEGAL_EVENT", Position(3))
    );
    let source = std::error::Error::source(&illegal).unwrap().to_string();
    assert_eq!(
        source,
        format!("`step_started` names step `{a}`, which does not exist")
    );
    assert_eq!(driver.machine.fed(), Position(2), "it was not taken in");
}

#[test]
fn nothing_follows_the_end() {
    let mut driver = Driver::begun();
    driver.machine.finish(Ok(payload("done")));
    driver.append();
    let late = step_completed(step(0, "a"), "late");
    let illegal = driver.try_feed(Writer::Worker, late).unwrap_err();
    assert_eq!(illegal.code(), "REPLAY_ILLEGAL_EVENT");
}

#[test]
fn an_outcome_that_is_recorded_twice_is_illegal() {
    let mut driver = Driver::begun();
    let a = driver.call_step("a");
    driver.append();
    driver.by_worker(step_started(a, 1));
    driver.by_worker(step_completed(a, "ok"));
    let again = driver.try_feed(Writer::Worker, step_completed(a, "ok"));
    assert_eq!(again.unwrap_err().code(), "REPLAY_ILLEGAL_EVENT");
}

#[test]
fn a_position_left_out_or_repeated_is_a_gap() {
    let log = Log::begun();
    let events: Vec<_> = log.frames().iter().flat_map(Frame::iter).collect();
    for (order, expected, found) in [([1, 0], 1, 2), ([0, 0], 2, 1)] {
        let mut machine = Machine::new(run());
        let fed = order.map(|place| machine.feed(events[place]));
        let gap = fed.into_iter().find_map(Result::err).unwrap();
        assert_eq!(
            gap,
            Divergence::Gap {
                expected: Position(expected),
                found: Position(found)
            }
        );
        assert_eq!(
            gap.to_string(),
            format!("event {found} was fed where event {expected} was due")
        );
        assert_eq!(
            (gap.code(), gap.position()),
            ("REPLAY_GAP", Position(found))
        );
    }
}

#[test]
fn the_first_error_stands() {
    let mut driver = Driver::begun();
    let a = step(0, "a");
    let first = driver
        .try_feed(Writer::Worker, step_started(a, 1))
        .unwrap_err();
    let later = driver.try_feed(Writer::Worker, EventKind::RunStarted);
    assert_eq!(later, Err(first.clone()));
    assert_eq!(driver.machine.rest(), Err(first.clone()));
    assert_eq!(driver.machine.divergence(), Some(&first));
}

#[test]
fn what_rest_found_stands_too() {
    let mut driver = Driver::begun();
    let a = step(0, "a");
    driver.by_worker(super::log::step_created(a, "a"));
    let first = driver.machine.rest().unwrap_err();
    driver.call_step("a");
    let later = driver.try_feed(Writer::Worker, step_started(a, 1));
    assert_eq!(later, Err(first.clone()));
    assert_eq!(driver.machine.rest(), Err(first));
}
