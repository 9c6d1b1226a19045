//! Attributes that the workflow sets.

use std::collections::BTreeMap;

use super::driver::Driver;
use super::log::run;
use crate::attribute::InvalidAttribute;
use crate::event::{Correlation, EventKind};
use crate::id::{Place, StepId};
use crate::replay::Fed;

fn call(place: u64) -> StepId {
    StepId::derive(run(), Place(place), "attributes")
}

fn changes<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    BTreeMap::from(pairs)
}

fn many(from: usize, to: usize) -> BTreeMap<String, String> {
    (from..to)
        .map(|n| (format!("k{n}"), String::new()))
        .collect()
}

fn set(driver: &mut Driver, place: u64, changes: BTreeMap<String, String>) {
    driver
        .machine
        .set_attributes(call(place), changes)
        .expect("they can be set");
}

fn attributes(driver: &Driver) -> BTreeMap<String, String> {
    let run = driver.machine.entities().run();
    run.expect("the run has begun").attributes.clone()
}

#[test]
fn what_was_set_is_there_once_its_record_is_fed() {
    let mut driver = Driver::begun();
    set(
        &mut driver,
        0,
        changes([("team", "blue"), ("stage", "one")]),
    );
    assert_eq!(driver.record_names(), ["attr_set"]);
    assert!(!driver.machine.take_attributes_set(call(0)));
    assert_eq!(attributes(&driver), changes([("team", "red")]));
    let woken = Fed::Poll(Some(Correlation::Step(call(0))));
    assert_eq!(driver.append(), [woken]);
    assert!(driver.machine.take_attributes_set(call(0)));
    assert!(!driver.machine.take_attributes_set(call(0)));
    assert_eq!(
        attributes(&driver),
        changes([("team", "blue"), ("stage", "one")])
    );
    driver.assert_nothing_more();
}

#[test]
fn a_replay_takes_what_is_on_record() {
    let mut driver = Driver::begun();
    set(&mut driver, 0, changes([("stage", "new code")]));
    driver.by_worker(EventKind::AttrSet {
        changes: changes([("stage", "old code")]),
        call: call(0),
    });
    assert!(driver.machine.take_attributes_set(call(0)));
    assert_eq!(attributes(&driver)["stage"], "old code");
    driver.assert_nothing_more();
}

#[test]
fn a_dropped_call_leaves_nothing_but_its_record() {
    let mut driver = Driver::begun();
    set(&mut driver, 0, changes([("stage", "one")]));
    driver.machine.abandon_attributes(call(0));
    driver.append();
    assert!(!driver.machine.take_attributes_set(call(0)));
    assert_eq!(attributes(&driver)["stage"], "one");
    driver.assert_nothing_more();
}

#[test]
fn what_was_asked_for_and_is_not_on_record_counts_too() {
    let mut driver = Driver::begun();
    // With the one that the run began with there are 64.
    set(&mut driver, 0, many(0, 40));
    set(&mut driver, 1, many(20, 63));
    let refused = driver.machine.set_attributes(call(2), many(62, 64));
    assert_eq!(refused, Err(InvalidAttribute::TooMany { count: 65 }));
    assert_eq!(driver.record_names(), ["attr_set", "attr_set"]);
    // One that is there may be set again.
    set(&mut driver, 3, changes([("team", "blue"), ("k1", "x")]));
    driver.append();
    assert_eq!(attributes(&driver).len(), 64);
    let refused = driver
        .machine
        .set_attributes(call(4), changes([("more", "")]));
    assert_eq!(refused, Err(InvalidAttribute::TooMany { count: 65 }));
}
