//! Other programs: cargo above all. Knows how to start them, how long they took, and how to count
//! the tests they report; knows nothing of why they are run.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Whether cargo may write `Cargo.lock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lockfile {
    /// As on a developer's machine, where a manifest may just have been edited.
    MayChange,
    /// As in `ci`, where the committed file must already fit the manifests.
    Locked,
}

/// Returns the root of the repository.
pub(crate) fn root() -> Result<PathBuf> {
    let Some(manifest) = env::var_os("CARGO_MANIFEST_DIR") else {
        return env::current_dir().context("cannot tell where the repository is");
    };
    let root = Path::new(&manifest).parent();
    Ok(root
        .context("the folder of `xtask` has no parent")?
        .to_owned())
}

/// Returns a call of the cargo that runs this program, in the root of the repository.
pub(crate) fn cargo(arguments: &[&str], lockfile: Lockfile) -> Result<Command> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(root()?).args(arguments);
    if lockfile == Lockfile::Locked {
        command.arg("--locked");
    }
    Ok(command)
}

/// Runs a program to its end; one that reports failure is an error.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let shown = show(&command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Tells whether a program can be started and reports success; its output is dropped.
pub(crate) fn succeeds(mut command: Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Which stream of a program carries its report of the tests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Report {
    Stdout,
    Stderr,
}

/// Runs a test program, passes its output through, and counts the tests that passed.
pub(crate) fn count_tests(mut command: Command, report: Report) -> Result<u64> {
    let shown = show(&command);
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    match report {
        Report::Stdout => command.stdout(Stdio::piped()),
        Report::Stderr => command.stderr(Stdio::piped()),
    };
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let passed = match (stdout, stderr) {
        (Some(stdout), _) => pass_through(stdout, std::io::stdout()),
        (None, Some(stderr)) => pass_through(stderr, std::io::stderr()),
        (None, None) => Ok(0),
    };
    let status = child
        .wait()
        .with_context(|| format!("lost sight of `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    passed.with_context(|| format!("cannot read what `{shown}` says"))
}

fn pass_through(from: impl Read, mut to: impl Write) -> Result<u64> {
    let mut passed = 0;
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        passed += passed_in(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(passed)
}

/// Returns the number of tests that a closing line of libtest or nextest reports as passed.
fn passed_in(line: &str) -> u64 {
    let line = without_colour(line);
    let line = line.trim_start();
    if !line.starts_with("test result:") && !line.starts_with("Summary [") {
        return 0;
    }
    let mut before = "";
    for word in line.split_whitespace() {
        if word.trim_end_matches([',', ';']) == "passed" {
            return before.parse().unwrap_or(0);
        }
        before = word;
    }
    0
}

fn without_colour(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, text)| text));
    }
    plain
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Measures how long something took, for display only.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a build tool shows real durations; nothing is decided by them"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

impl fmt::Display for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0.elapsed(), f)
    }
}

fn write_seconds(elapsed: Duration, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let whole = elapsed.as_secs();
    if whole >= 60 {
        return write!(f, "{} min {} s", whole / 60, whole % 60);
    }
    write!(f, "{:.1} s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        let libtest = "test result: ok. 12 passed; 0 failed; 1 ignored; finished in 0.01s\n";
        assert_eq!(passed_in(libtest), 12);
        let nextest = "     Summary [   0.021s] 31 tests run: 30 passed, 1 failed, 0 skipped\n";
        assert_eq!(passed_in(nextest), 30);
        let coloured = "\u{1b}[32;1m     Summary\u{1b}[0m [ 0.0s] \u{1b}[1m2\u{1b}[0m tests run: \
                        \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped\n";
        assert_eq!(passed_in(coloured), 2);
    }

    #[test]
    fn a_line_of_a_test_itself_is_not_counted() {
        assert_eq!(passed_in("we saw 7 passed\n"), 0);
        assert_eq!(passed_in("test result: FAILED\n"), 0);
    }

    #[test]
    fn what_passes_through_is_unchanged() {
        let mut seen = Vec::new();
        let said = b"a\nSummary [ 1s] 3 tests run: 3 passed\nno newline".as_slice();
        assert_eq!(pass_through(said, &mut seen).unwrap(), 3);
        assert_eq!(seen, said);
    }

    #[test]
    fn a_failed_program_is_named_with_its_arguments() {
        let mut command = Command::new("rustc");
        command.arg("--no-such-option").stderr(Stdio::null());
        let error = run(command).expect_err("rustc has no such option");
        assert!(
            error
                .to_string()
                .starts_with("`rustc --no-such-option` failed")
        );
    }
}
