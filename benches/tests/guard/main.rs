//! A guard on what can be counted: per operation, so many syncs, commits, rows and bytes, and no more
//! instructions than the limit. Nothing here measures time, so nothing here depends on the machine's
//! load.
//!
//! `rewake-bench counts` does the operations. Here it is run twice: above a library that counts syncs
//! and bytes, and inside valgrind, which counts instructions. Where there is no valgrind, that half is
//! left out, and says so. A change that moves a figure on purpose moves its limit in the same commit;
//! docs/performance.md tells what the figures are made of.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a guard that cannot go on has failed")]

mod instructions;
mod limits;
mod outside;

use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;

/// What `rewake-bench counts` says of an operation.
#[derive(Clone, Debug, Deserialize)]
struct Section {
    name: String,
    operations: u64,
    commits: u64,
    rows: u64,
    syncs: u64,
    written: u64,
    mark: u64,
}

/// The long runs of `counts` in these tests.
const LATE: u64 = 1_000;

/// `rewake-bench counts`, its files below `target`.
fn counts(mut runner: Command) -> Command {
    runner
        .arg("counts")
        .args(["--dir", env!("CARGO_TARGET_TMPDIR")])
        .args(["--late", &LATE.to_string()]);
    runner
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_rewake-bench"))
}

/// What it printed, which must be what was counted.
fn sections(output: &Output) -> Vec<Section> {
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    serde_json::from_str(&said).unwrap()
}
