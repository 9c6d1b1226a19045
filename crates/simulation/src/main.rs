//! Simulates seeds for as long as one likes: `cargo run -p rewake-simulation -- --seed N --count M`.

#![forbid(unsafe_code)]

use std::io::{Write, stdout};
use std::process::ExitCode;

use rewake_simulation::simulate;

/// How much of what happened before a violation is shown.
const LINES: usize = 400;

fn main() -> ExitCode {
    let mut seed = 0;
    let mut count = 1;
    let mut all = false;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--all" => all = true,
            "--seed" => seed = number(args.next()),
            "--count" => count = number(args.next()),
            _ => {
                say("usage: rewake-simulation [--seed N] [--count M] [--all]");
                return ExitCode::from(2);
            }
        }
    }
    if count > 1 {
        return many(seed, count);
    }
    let lines = if all { usize::MAX } else { LINES };
    match simulate(seed, true) {
        Ok(report) => {
            show(&report.trace, if all { lines } else { 0 });
            say(&format!(
                "seed {seed}: {} steps, {} runs, {} events, {} processes, {} crashes",
                report.steps, report.runs, report.events, report.boots, report.crashes
            ));
            ExitCode::SUCCESS
        }
        Err(violation) => {
            show(&violation.trace, lines);
            say(&violation.to_string());
            ExitCode::FAILURE
        }
    }
}

fn many(first: u64, count: u64) -> ExitCode {
    let mut failed = 0;
    for seed in first..first.saturating_add(count) {
        if let Err(violation) = simulate(seed, false) {
            failed += 1;
            say(&violation.to_string());
        }
    }
    say(&format!("{count} seeds from {first}: {failed} failed"));
    ExitCode::from(u8::from(failed > 0))
}

fn number(text: Option<String>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn show(trace: &[String], lines: usize) {
    for line in &trace[trace.len().saturating_sub(lines)..] {
        say(line);
    }
}

fn say(text: &str) {
    // Nobody reads what is written into a closed pipe.
    let _closed = writeln!(stdout(), "{text}");
}
