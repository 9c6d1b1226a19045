//! `cargo xtask bench`: builds and starts the benchmarks, which live in `benches/`.

use anyhow::Result;

use crate::command::{self, Lockfile};

/// Measures what the arguments say; without any, everything.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let build = ["run", "--release", "--package", "rewake-bench", "--"];
    let mut bench = command::cargo(&build, Lockfile::MayChange)?;
    bench.args(arguments);
    command::run(bench)
}
