//! A write is taken in part, finds no room, or fails; then the power is cut.

use super::disk::{Loss, Plan, Trace, Trouble};
use super::told::Told;
use super::trial::{Trial, course, extent, measure, picks};

fn some_writes(trouble: Trouble, usual: u64) -> Vec<(Told, Trace)> {
    let (seed, count) = extent(usual);
    let writes = measure(course(seed)).writes;
    let trial = |write| {
        let plan = Plan {
            seed: seed ^ (write << 8),
            write: Some(write),
            trouble,
            loss: Loss::Some,
            ..Plan::default()
        };
        let mut trial = Trial::new();
        let trace = trial.live(course(seed), &plan);
        trial.holds(&(&plan, &trace));
        (trial.told, trace)
    };
    picks(seed, count, writes).map(trial).collect()
}

#[test]
fn a_write_that_is_taken_in_part_is_finished() {
    for (told, _) in some_writes(Trouble::Short, 12) {
        assert_eq!((told.unknown, told.shuts), (0, 0));
    }
}

#[test]
fn what_finds_no_room_is_refused_and_the_store_goes_on() {
    let told = some_writes(Trouble::Full, 40);
    let refused = told
        .iter()
        .filter(|(told, _)| told.without_room > 0)
        .count();
    assert!(refused > 10, "{refused} of {}", told.len());
    assert!(told.iter().all(|(told, _)| told.unknown == 0));
}

#[test]
fn a_write_that_fails_shuts_the_store() {
    for (told, trace) in some_writes(Trouble::Io, 40) {
        // Another life may write less than the one that was measured.
        let noticed = told.shuts + told.unopened > 0;
        assert!(noticed || trace.hurt.is_empty(), "{trace:?}");
    }
}
