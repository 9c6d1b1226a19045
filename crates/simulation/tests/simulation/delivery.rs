//! Twenty thousand schedules of the delivery contract on every run of the tests, a hundred of them on
//! the embedded store in memory and a hundred on a file of it.

use rewake_simulation::{Counts, hold_delivery, missing_delivery};

/// Plays these schedules. Each part does everything that the whole is to do, and every fate becomes of
/// some payload.
fn hold_all(seeds: std::ops::Range<u64>) {
    let mut counts = Counts::new();
    for seed in seeds {
        for (name, count) in hold_delivery(seed).counts {
            *counts.entry(name).or_default() += count;
        }
    }
    let missing = missing_delivery(&counts);
    assert_eq!(missing, [""; 0], "never happened; did: {counts:?}");
}

#[test]
fn no_payload_is_lost_or_doubled_in_schedules_up_to_5000() {
    hold_all(0..5_000);
}

#[test]
fn no_payload_is_lost_or_doubled_in_schedules_up_to_10000() {
    hold_all(5_000..10_000);
}

#[test]
fn no_payload_is_lost_or_doubled_in_schedules_up_to_15000() {
    hold_all(10_000..15_000);
}

#[test]
fn no_payload_is_lost_or_doubled_in_schedules_up_to_20000() {
    hold_all(15_000..20_000);
}

#[test]
fn the_same_schedule_goes_the_same_way() {
    // The second is played on the embedded store, the third on a file of it.
    for seed in [3, 100, 250, 1_234] {
        assert_eq!(hold_delivery(seed), hold_delivery(seed));
    }
}
