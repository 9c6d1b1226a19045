//! `cargo xtask test`: sets up what tests need, then runs every test of the workspace.

use anyhow::Result;

use crate::command::{self, Lockfile, Report, Stopwatch};
use crate::{database, setup};

const GET_NEXTEST: &str = "test: cargo-nextest is not installed, so `cargo test` runs them; to get it: \
     `cargo install --locked cargo-nextest`";

/// Runs every test whose name contains `filter`, or every test there is.
pub(crate) fn run(filter: Option<&str>, lockfile: Lockfile) -> Result<()> {
    let stopwatch = Stopwatch::start();
    setup::prepare()?;
    let tests = tests(filter, lockfile)?;
    let doc_tests = doc_tests(filter, lockfile)?;
    if let (Some(filter), 0) = (filter, tests + doc_tests) {
        anyhow::bail!("no test has a name that contains `{filter}`");
    }
    database::say_if_skipped();
    println!("\ntest: all passed: {tests} tests, {doc_tests} doc tests, in {stopwatch}");
    Ok(())
}

/// Runs the unit and integration tests and returns how many passed.
fn tests(filter: Option<&str>, lockfile: Lockfile) -> Result<u64> {
    if has_nextest()? {
        println!("test: cargo-nextest runs the tests");
        // A filter may name doc tests only; that nothing at all matched is noticed by our caller.
        let on_none = if filter.is_some() { "pass" } else { "fail" };
        let arguments = [
            "nextest",
            "run",
            "--workspace",
            "--all-features",
            "--no-tests",
            on_none,
        ];
        let mut nextest = command::cargo(&arguments, lockfile)?;
        nextest.args(database::left_out()).args(filter);
        if database::is_skipped() {
            nextest.args(["--filterset", "not test(postgres)"]);
        }
        return command::count_tests(nextest, Report::Stderr);
    }
    println!("{GET_NEXTEST}");
    let arguments = [
        "test",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
        "--lib",
        "--bins",
        "--tests",
    ];
    let mut test = command::cargo(&arguments, lockfile)?;
    test.args(database::left_out()).args(filter);
    if database::is_skipped() {
        test.args(["--", "--skip", "postgres"]);
    }
    command::count_tests(test, Report::Stdout)
}

/// Runs the examples in the documentation and returns how many passed.
fn doc_tests(filter: Option<&str>, lockfile: Lockfile) -> Result<u64> {
    let arguments = [
        "test",
        "--doc",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
    ];
    let mut test = command::cargo(&arguments, lockfile)?;
    test.args(database::left_out()).args(filter);
    command::count_tests(test, Report::Stdout)
}

fn has_nextest() -> Result<bool> {
    let nextest = command::cargo(&["nextest", "--version"], Lockfile::MayChange)?;
    Ok(command::succeeds(nextest))
}
