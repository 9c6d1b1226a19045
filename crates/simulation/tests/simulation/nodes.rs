//! Several nodes on one store: they die, stand still for longer than they are thought to live, and are not
//! told what others did.

use rewake_simulation::{Counts, hold_together, missing_together, simulate_together};

/// Holds the statements on these seeds; what never happens in them proves nothing.
fn hold_all(seeds: std::ops::Range<u64>) {
    let mut counts = Counts::new();
    for seed in seeds {
        for (name, count) in hold_together(seed).counts {
            *counts.entry(name).or_default() += count;
        }
    }
    assert_eq!(
        missing_together(&counts),
        [""; 0],
        "never happened; did: {counts:?}"
    );
}

#[test]
fn the_statements_hold_with_several_nodes() {
    hold_all(0..800);
}

#[test]
fn the_same_seed_gives_the_same_trace_with_several_nodes() {
    for seed in [1, 7, 42] {
        let first = simulate_together(seed, true).unwrap();
        assert!(first.trace.len() > 100, "{} lines", first.trace.len());
        assert_eq!(first, simulate_together(seed, true).unwrap());
    }
}
