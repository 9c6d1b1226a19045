//! `now()`, `random()` and places: the same in every replay.

use super::driver::Driver;
use super::log::{cancel_requested, step_completed, step_started, wait_completed};
use crate::event::EventKind;
use crate::id::Place;
use crate::replay::{Entropy, Fed};
use crate::samples::{at, run_created};

#[test]
fn randomness_grows_from_the_seed_in_the_log() {
    let mut driver = Driver::begun();
    let drawn: [u8; 16] = driver.machine.entropy().bytes();
    assert_eq!(drawn, Entropy::new([7; 16]).bytes::<16>());
    let mut again = Driver::begun();
    again.call_step("a");
    again.append();
    assert_eq!(drawn, again.machine.entropy().bytes::<16>());
}

#[test]
fn another_seed_draws_otherwise() {
    let mut driver = Driver::new();
    let EventKind::RunCreated { workflow, .. } = run_created() else {
        unreachable!("that is what it makes");
    };
    let mut created = run_created();
    if let EventKind::RunCreated { seed, .. } = &mut created {
        *seed = [8; 16];
    }
    driver.by_outsider(created);
    let drawn: [u8; 16] = driver.machine.entropy().bytes();
    assert_eq!(drawn, Entropy::new([8; 16]).bytes::<16>(), "{workflow}");
}

#[test]
fn places_count_the_calls_as_they_are_written() {
    let mut driver = Driver::begun();
    let places = [(); 3].map(|()| driver.machine.place());
    assert_eq!(places, [Place(0), Place(1), Place(2)]);
}

#[test]
fn now_is_the_time_of_the_event_that_the_workflow_reacts_to() {
    let mut driver = Driver::new();
    driver.by_outsider(run_created());
    assert_eq!(driver.machine.now(), at(1_000));
    driver.by_worker(EventKind::RunStarted);
    assert_eq!(driver.machine.now(), at(2_000));
    let a = driver.call_step("a");
    let w = driver.begin_wait(9_000);
    driver.append();
    driver.by_worker(step_started(a, 1));
    assert_eq!(driver.machine.now(), at(2_000), "it saw neither of them");
    driver.by_worker(step_completed(a, "ok"));
    assert_eq!(driver.machine.now(), at(5_000));
    driver.by_outsider(wait_completed(w));
    assert_eq!(driver.machine.now(), at(6_000));
    assert_eq!(driver.outsider(cancel_requested()), Fed::Cancel);
    assert_eq!(driver.machine.now(), at(7_000));
}
