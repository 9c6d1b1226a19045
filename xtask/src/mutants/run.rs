//! Asks the tests about one bug after the other.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::edit::Broken;
use super::mutant::{Mutant, all};
use crate::command::{self, Lockfile, Stopwatch};

/// How nextest says that the build went well and a test did not.
const TESTS_FAILED: i32 = 100;

/// Tries the bug of this name, or all of them; one that no test catches is an error.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    let root = command::root()?;
    let chosen: Vec<_> = all()
        .filter(|mutant| name.is_none_or(|name| mutant.name == name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = all().map(|mutant| mutant.name).collect();
        bail!("there is no such mutant; there are: {}", names.join(", "));
    }
    for mutant in &chosen {
        refuse_if_changed(&root, mutant)?;
    }
    let mut table = Vec::new();
    let mut survived = 0;
    for mutant in chosen {
        println!("mutants: {}: {}", mutant.name, mutant.breaks);
        let stopwatch = Stopwatch::start();
        let red = try_one(&root, mutant)?;
        survived += usize::from(red.is_empty());
        let verdict = match red.first() {
            Some(first) => format!("caught by {}, such as {first}", red.len()),
            None => "SURVIVED".to_owned(),
        };
        table.push(format!("{:28} {verdict} ({stopwatch})", mutant.name));
        for test in &red {
            println!("  red: {test}");
        }
    }
    println!("\n{}", table.join("\n"));
    if survived > 0 {
        bail!("{survived} of the bugs survived the tests");
    }
    Ok(())
}

/// Somebody's work is not to be mixed with a bug.
fn refuse_if_changed(root: &Path, mutant: &Mutant) -> Result<()> {
    for edit in mutant.edits {
        let mut status = Command::new("git");
        status
            .current_dir(root)
            .args(["status", "--porcelain", "--", edit.file]);
        let said = status.output().context("cannot start git")?;
        if !said.status.success() || !said.stdout.is_empty() {
            bail!("{} has changes that are not committed", edit.file);
        }
    }
    Ok(())
}

/// Returns the tests that went red with the bug.
fn try_one(root: &Path, mutant: &Mutant) -> Result<Vec<String>> {
    let _broken = Broken::with(root, mutant.edits)?;
    let arguments = [
        "nextest",
        "run",
        "--all-features",
        "--no-fail-fast",
        "--color=never",
        "--failure-output=never",
        "--status-level=fail",
        "--final-status-level=none",
        "-p",
        mutant.package,
        "-E",
        mutant.filter,
    ];
    let mut nextest = command::cargo(&arguments, Lockfile::MayChange)?;
    let output = nextest
        .stdout(Stdio::null())
        .output()
        .context("cannot start cargo nextest")?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Ok(Vec::new()),
        Some(TESTS_FAILED) => Ok(red_in(&said)),
        Some(_) | None => bail!("`{}` was not put to the test:\n{said}", mutant.name),
    }
}

/// Returns the tests that nextest reports as failed: `FAIL [ 0.1s] (1/2) crate::binary name`.
fn red_in(said: &str) -> Vec<String> {
    let is_bad = |word: &str| word == "FAIL" || word == "TIMEOUT" || word.starts_with("SIG");
    let red = said.lines().filter_map(|line| {
        let (word, rest) = line.trim_start().split_once(" [")?;
        let (_, test) = rest.split_once("] ")?;
        let test = test.rsplit_once(") ").map_or(test, |(_, test)| test);
        is_bad(word.trim_end()).then(|| test.trim().to_owned())
    });
    red.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::edit::read;

    #[test]
    fn each_place_to_break_is_there_exactly_once() {
        let root = command::root().unwrap();
        for mutant in all() {
            for edit in mutant.edits {
                let text = read(&root.join(edit.file)).unwrap();
                let mutated = edit.apply(&text).unwrap_or_else(|error| {
                    panic!("{}: {error:#}", mutant.name);
                });
                assert_ne!(text, mutated, "{}", mutant.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_on_the_page() {
        let page = read(&command::root().unwrap().join("docs/mutants.md")).unwrap();
        for (place, mutant) in all().enumerate() {
            let row = format!("| `{}` |", mutant.name);
            assert_eq!(page.matches(&row).count(), 1, "{row}");
            let mut others = all().take(place);
            assert!(others.all(|other| other.name != mutant.name), "{row}");
        }
    }

    #[test]
    fn failed_tests_are_found_in_what_nextest_says() {
        let said = "        PASS [   0.004s] (1/4) rewake-core a::b\n\
                    \x20       FAIL [   0.004s] (2/4) rewake-core c::d\n\
                    \x20    SIGABRT [   1.004s] ( 3/4) rewake::runs e\n\
                    \x20    Summary [   0.9s] 4 tests run: 1 passed, 2 failed\n";
        assert_eq!(red_in(said), ["rewake-core c::d", "rewake::runs e"]);
    }
}
