//! A thousand seeds on every run of the tests, and the same seed twice.

use rewake_simulation::{compare_evictions, hold, simulate};

/// Holds the eight statements on these seeds.
fn hold_all(seeds: std::ops::Range<u64>) {
    let mut runs = 0;
    let mut crashes = 0;
    for seed in seeds {
        let report = hold(seed);
        runs += report.runs;
        crashes += u64::from(report.crashes);
    }
    assert!(runs > 0, "nothing was started");
    assert!(crashes > 0, "nothing went wrong");
}

#[test]
fn the_statements_hold_on_seeds_up_to_250() {
    hold_all(0..250);
}

#[test]
fn the_statements_hold_on_seeds_up_to_500() {
    hold_all(250..500);
}

#[test]
fn the_statements_hold_on_seeds_up_to_750() {
    hold_all(500..750);
}

#[test]
fn the_statements_hold_on_seeds_up_to_1000() {
    hold_all(750..1_000);
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
