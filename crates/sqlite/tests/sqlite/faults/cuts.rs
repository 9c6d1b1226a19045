//! The power is cut, at any operation, also while the store is opened after it was cut before.

use super::disk::{Loss, Plan};
use super::life::{Course, Dice};
use super::trial::{Trial, course, extent, measure, picks};

fn trial(seed: u64, cut: u64, loss: Loss) {
    let plan = Plan {
        seed: seed ^ (cut << 8),
        cut: Some(cut),
        loss,
        ..Plan::default()
    };
    let mut trial = Trial::new();
    trial.live(course(seed), &plan);
    trial.holds(&plan);
}

#[test]
fn with_all_lost_that_was_not_synced_what_was_acknowledged_is_there() {
    let (seed, count) = extent(60);
    let ops = measure(course(seed)).ops;
    for cut in picks(seed, count, ops) {
        trial(seed, cut, Loss::All);
    }
}

#[test]
fn with_some_lost_and_some_torn_what_was_acknowledged_is_there() {
    let (seed, count) = extent(60);
    let ops = measure(course(seed)).ops;
    for cut in picks(seed + 1, count, ops) {
        trial(seed, cut, Loss::Some);
    }
}

#[test]
fn with_cuts_while_it_recovers_what_was_acknowledged_is_there() {
    let (seed, count) = extent(24);
    let first = course(seed);
    let ops = measure(first).ops;
    let mut dice = Dice(seed);
    for cut in picks(seed + 2, count, ops) {
        let mut trial = Trial::new();
        let plans = [
            cut,
            1 + dice.roll(24),
            1 + dice.roll(24),
            1 + dice.roll(ops),
        ];
        for (life, cut) in plans.into_iter().enumerate() {
            let seed = dice.roll(u64::MAX);
            let plan = Plan {
                seed,
                cut: Some(cut),
                loss: if life == 1 { Loss::All } else { Loss::Some },
                ..Plan::default()
            };
            trial.live(Course { seed, ..first }, &plan);
        }
        trial.holds(&plans);
    }
}
