//! A sync fails, each in turn. The store shuts, says that nobody knows, and serves again from the
//! next opening on; then the power is cut.

use super::disk::{Cache, Loss, Plan};
use super::life::Dice;
use super::trial::{Trial, course, extent, measure};

/// Fails every sync of a course, each in a trial of its own.
fn every_sync(cache: Cache, loss: Loss) {
    let (seed, _) = extent(0);
    let whole = measure(course(seed));
    assert!(whole.syncs > 20, "{whole:?}");
    let mut dice = Dice(seed);
    let (mut shuts, mut unknown, mut unopened) = (0, 0, 0);
    for sync in 1..=whole.syncs {
        let about = sync * whole.ops / whole.syncs;
        let cut = match dice.roll(3) {
            0 => None,
            1 => Some(about + 1 + dice.roll(10)),
            _ => Some(about + 1 + dice.roll(whole.ops / 4)),
        };
        let plan = Plan {
            seed: dice.roll(u64::MAX),
            sync: Some(sync),
            cut,
            cache,
            loss,
            ..Plan::default()
        };
        let mut trial = Trial::new();
        let trace = trial.live(course(seed), &plan);
        trial.holds(&(&plan, &trace));
        let noticed = trial.told.shuts + trial.told.unopened > 0;
        let ended = !trace.hurt.is_empty() && !trace.was_cut;
        // SQLite does not look at how syncing a directory ends.
        let told = trace.hurt.iter().any(|name| name != "directory");
        assert!(noticed || !ended || !told, "{plan:?} {trace:?}");
        shuts += trial.told.shuts;
        unknown += trial.told.unknown;
        unopened += trial.told.unopened;
    }
    assert!(
        shuts > 10 && unknown > 10 && unopened > 2,
        "{shuts} {unknown} {unopened}"
    );
}

#[test]
fn with_pages_kept_for_the_next_sync_what_was_acknowledged_is_there() {
    every_sync(Cache::Keep, Loss::All);
}

#[test]
fn with_pages_taken_for_written_what_was_acknowledged_is_there() {
    every_sync(Cache::Clean, Loss::Some);
}

#[test]
fn with_pages_dropped_what_was_acknowledged_is_there() {
    every_sync(Cache::Drop, Loss::Some);
}
