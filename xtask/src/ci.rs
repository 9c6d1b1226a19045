//! `cargo xtask ci`: everything that decides whether a change lands, cheapest first.

use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{self, Lockfile, Stopwatch};
use crate::{setup, test, tidy};

/// One check: its headline and what it does.
type Check = (&'static str, fn() -> Result<()>);

const CHECKS: &[Check] = &[
    ("setup", setup::prepare),
    ("format", format),
    ("clippy", clippy),
    ("tidy", || tidy::run(false)),
    ("test", || test::run(None, Lockfile::Locked)),
    ("docs", docs),
];

/// Runs every check in order and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let all = Stopwatch::start();
    for (headline, check) in CHECKS {
        println!("\n== {headline} ==");
        let stopwatch = Stopwatch::start();
        check().with_context(|| format!("ci stopped at {headline}, after {stopwatch}"))?;
        println!("== {headline}: {stopwatch} ==");
    }
    println!("\nci: all well, in {all}");
    Ok(())
}

fn format() -> Result<()> {
    // Formatting resolves nothing, so `cargo fmt` has no `--locked`.
    command::run(command::cargo(
        &["fmt", "--all", "--check"],
        Lockfile::MayChange,
    )?)
}

fn clippy() -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--all-features"];
    let mut clippy = command::cargo(&arguments, Lockfile::Locked)?;
    clippy.args(["--", "-D", "warnings"]);
    command::run(clippy)
}

fn docs() -> Result<()> {
    let arguments = ["doc", "--workspace", "--all-features", "--no-deps"];
    let mut doc: Command = command::cargo(&arguments, Lockfile::Locked)?;
    doc.env("RUSTDOCFLAGS", "-D warnings");
    command::run(doc)
}
