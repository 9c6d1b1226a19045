//! `cargo xtask bench`: builds and starts the benchmarks, which live in `benches/`.

use anyhow::Result;

use crate::command::{self, Lockfile};

/// Measures what the arguments say; without any, everything but the small parts, `micro`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (build, arguments): (&[&str], _) = match arguments.split_first() {
        Some((name, rest)) if name == "micro" => (
            &[
                "bench",
                "--package",
                "rewake-bench",
                "--bench",
                "micro",
                "--",
            ],
            rest,
        ),
        _ => (
            &[
                "run",
                "--profile",
                "shipped",
                "--package",
                "rewake-bench",
                "--",
            ],
            arguments,
        ),
    };
    let mut bench = command::cargo(build, Lockfile::MayChange)?;
    bench.args(arguments);
    command::run(bench)
}
