//! Instructions: at most so many, counted by valgrind.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::limits::{INSTRUCTIONS, LATE_OVER_EARLY};
use super::{counts, program, sections};

#[test]
fn no_operation_takes_more_instructions_than_its_limit() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!(
            "skipped: instructions are counted by valgrind, which is not installed here; \
             `apt-get install valgrind` brings it"
        );
        return;
    }
    let found = counted();
    let mut over = String::new();
    for (name, limit) in INSTRUCTIONS {
        let found = found[*name];
        println!("{name}: {found} instructions an operation, at most {limit}");
        if found > *limit {
            writeln!(over, "{name}: {found} instructions, at most {limit}").unwrap();
        }
    }
    for (early, late) in LATE_OVER_EARLY {
        let (early, late) = (found[*early], found[*late]);
        if late * 100 > early * 105 {
            writeln!(over, "late in a run {late} instructions, early {early}").unwrap();
        }
    }
    assert!(over.is_empty(), "{over}");
}

/// Instructions of each operation, by its name.
fn counted() -> BTreeMap<String, u64> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let parts = target.join(format!("parts-{}", std::process::id()));
    std::fs::create_dir(&parts).unwrap();
    let out = parts.join("out");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind"])
        .arg("--dump-before=*mark_of_counts*")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program());
    let sections = sections(&counts(valgrind).output().unwrap());
    let found = sections.into_iter().map(|section| {
        let part = PathBuf::from(format!("{}.{}", out.display(), section.mark));
        (section.name, total(&part) / section.operations)
    });
    let found = found.collect();
    std::fs::remove_dir_all(parts).unwrap();
    found
}

/// What valgrind says a part came to.
fn total(part: &Path) -> u64 {
    let text = std::fs::read_to_string(part).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.expect("valgrind ends a part so").parse().unwrap()
}
