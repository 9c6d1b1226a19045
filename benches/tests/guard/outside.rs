//! Syncs, commits and rows: exact. Pages: at most so many.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::limits::{EXACT, Exact};
use super::{counts, program, sections};

#[test]
fn each_operation_costs_what_it_must_in_syncs_commits_rows_and_bytes() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let counters = target.join(format!("syncs-{}", std::process::id()));
    let mut command = counts(Command::new(program()));
    command
        .env("LD_PRELOAD", library(target))
        .env("REWAKE_SYNCS", &counters);
    let found = sections(&command.output().unwrap());
    std::fs::remove_file(counters).unwrap();
    let mut found: Vec<Exact> = found
        .iter()
        .filter(|section| section.commits > 0)
        .map(|section| Exact {
            name: section.name.clone().leak(),
            operations: section.operations,
            syncs: section.syncs,
            commits: section.commits,
            rows: section.rows,
            pages: section.written / 4120,
        })
        .collect();
    for (found, limit) in found.iter_mut().zip(EXACT) {
        println!("{found:?}");
        assert!(found.pages <= limit.pages, "{found:?}, at most {limit:?}");
        found.pages = limit.pages;
    }
    assert_eq!(found, EXACT, "found on the left, expected on the right");
}

/// Compiles the library, under a name of this process first: tests run beside each other.
fn library(target: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guard/syncs.c");
    let own = target.join(format!("syncs-{}.so", std::process::id()));
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(compiler)
        .args([
            "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared", "-o",
        ])
        .args([&own, &source])
        .arg("-ldl")
        .status()
        .expect("a C compiler, which SQLite needs too");
    assert!(built.success(), "the library is built");
    let library = target.join("syncs.so");
    std::fs::rename(own, &library).unwrap();
    library
}
