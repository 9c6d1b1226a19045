//! Five thousand seeds on every run of the tests, and the same seed twice.

mod delivery;
mod nodes;

use rewake_simulation::{Counts, compare_evictions, hold, missing, simulate};

/// Holds the statements on these seeds. Each part does everything that the whole is to do: what never
/// happens in it proves nothing.
fn hold_all(seeds: std::ops::Range<u64>) {
    let mut counts = Counts::new();
    for seed in seeds {
        for (name, count) in hold(seed).counts {
            *counts.entry(name).or_default() += count;
        }
    }
    assert_eq!(missing(&counts), [""; 0], "never happened; did: {counts:?}");
}

/// A test for each range of seeds, so that they run side by side.
macro_rules! hold_seeds {
    ($($name:ident: $seeds:expr;)*) => {
        $(
            #[test]
            fn $name() {
                hold_all($seeds);
            }
        )*
    };
}

hold_seeds! {
    the_statements_hold_on_seeds_up_to_625: 0..625;
    the_statements_hold_on_seeds_up_to_1250: 625..1_250;
    the_statements_hold_on_seeds_up_to_1875: 1_250..1_875;
    the_statements_hold_on_seeds_up_to_2500: 1_875..2_500;
    the_statements_hold_on_seeds_up_to_3125: 2_500..3_125;
    the_statements_hold_on_seeds_up_to_3750: 3_125..3_750;
    the_statements_hold_on_seeds_up_to_4375: 3_750..4_375;
    the_statements_hold_on_seeds_up_to_5000: 4_375..5_000;
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 7, 42, 251, 1_930] {
        let first = simulate(seed, true).unwrap();
        assert!(first.trace.len() > 100, "{} lines", first.trace.len());
        assert_eq!(first, simulate(seed, true).unwrap());
    }
}

#[test]
fn eviction_at_every_rest_leaves_the_same_logs() {
    let mut events = 0;
    for seed in 0..150 {
        match compare_evictions(seed) {
            Ok(compared) => events += compared,
            Err(problem) => panic!("seed {seed}: {problem}"),
        }
    }
    assert!(events > 1_000, "only {events} events were compared");
}

/// `REWAKE_SEED=42 cargo test -p rewake-simulation --test simulation -- one_seed --nocapture`
#[test]
fn one_seed_that_the_environment_names_holds() {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how a person names a seed to a test"
    )]
    let seed = std::env::var("REWAKE_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or(42);
    println!("seed {seed}");
    match simulate(seed, true) {
        Ok(report) => println!("{} steps, {} runs", report.steps, report.runs),
        Err(violation) => {
            let from = violation.trace.len().saturating_sub(200);
            violation.trace[from..]
                .iter()
                .for_each(|line| println!("{line}"));
            panic!("{violation}");
        }
    }
}
