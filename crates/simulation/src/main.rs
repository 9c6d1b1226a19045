//! Simulates seeds for as long as one likes: `cargo run --release -p rewake-simulation -- --seed N
//! --count M`. What it finds is on standard output, how far it has come on standard error.

#![forbid(unsafe_code)]

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use rewake_simulation::{
    Counts, Report, Statement, Undelivered, Violation, deliver, missing, missing_delivery,
    missing_together, play_case, shrink, simulate, simulate_together,
};
use serde::Serialize;

/// How much of what happened before a violation is shown.
const LINES: usize = 400;
/// After so many seeds it is said how far it has come.
const PROGRESS: u64 = 5_000;

const USAGE: &str = "usage: rewake-simulation [--seed N] [--count M] [--shrink] [--case FILE] \
                     [--all] [--json]\n       rewake-simulation delivery [--seed N] [--count M] [--all] [--json]
       rewake-simulation nodes [--seed N] [--count M] [--all] [--json]";

/// What is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// The scenarios of the eight statements.
    #[default]
    Scenarios,
    /// The schedules of the delivery contract.
    Delivery,
    /// The scenarios of several nodes on one store.
    Nodes,
}

/// What is to be done.
#[derive(Debug, Default)]
struct Options {
    mode: Mode,
    seed: u64,
    count: u64,
    /// Make what fails small.
    shrink: bool,
    /// Play the case in a file.
    case: Option<String>,
    /// Show all that happened.
    all: bool,
    /// One JSON document instead of lines.
    json: bool,
}

/// What many seeds came to.
#[derive(Debug, Default, Serialize)]
struct Summary {
    seed: u64,
    count: u64,
    steps: u64,
    runs: u64,
    events: u64,
    processes: u64,
    crashes: u64,
    failed: Vec<Failed>,
    counts: Counts,
    missing: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Failed {
    seed: u64,
    statement: &'static str,
    problem: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    small: Option<serde_json::Value>,
}

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        say(USAGE);
        return ExitCode::from(2);
    };
    if options.mode == Mode::Delivery {
        return schedules(&options);
    }
    if let Some(file) = &options.case {
        return case(&options, file);
    }
    if options.shrink && options.count == 1 {
        return small(&options);
    }
    if options.count > 1 || options.json {
        return many(&options);
    }
    one(&options, options.simulate(options.seed, true))
}

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            count: 1,
            ..Self::default()
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "delivery" => options.mode = Mode::Delivery,
                "nodes" => options.mode = Mode::Nodes,
                "--all" => options.all = true,
                "--json" => options.json = true,
                "--shrink" => options.shrink = true,
                "--seed" => options.seed = args.next()?.parse().ok()?,
                "--count" => options.count = args.next()?.parse().ok()?,
                "--case" => options.case = Some(args.next()?),
                _ => return None,
            }
        }
        Some(options)
    }

    fn simulate(&self, seed: u64, traced: bool) -> Result<Report, Box<Violation>> {
        match self.mode {
            Mode::Nodes => simulate_together(seed, traced),
            Mode::Scenarios | Mode::Delivery => simulate(seed, traced),
        }
    }

    const fn lines(&self) -> usize {
        if self.all { usize::MAX } else { LINES }
    }
}

fn one(options: &Options, simulated: Result<Report, Box<Violation>>) -> ExitCode {
    match simulated {
        Ok(report) => {
            show(&report.trace, if options.all { usize::MAX } else { 0 });
            say(&format!(
                "it holds: {} steps, {} runs, {} events, {} processes, {} crashes",
                report.steps, report.runs, report.events, report.boots, report.crashes
            ));
            ExitCode::SUCCESS
        }
        Err(violation) => {
            show(&violation.trace, options.lines());
            say(&violation.to_string());
            ExitCode::FAILURE
        }
    }
}

fn case(options: &Options, file: &str) -> ExitCode {
    match std::fs::read_to_string(file) {
        Ok(json) => one(options, play_case(&json)),
        Err(error) => {
            say(&format!("{file} cannot be read: {error}"));
            ExitCode::from(2)
        }
    }
}

fn small(options: &Options) -> ExitCode {
    let Some(small) = shrink(options.seed) else {
        say(&format!("seed {} holds", options.seed));
        return ExitCode::SUCCESS;
    };
    if options.json {
        say(&small.to_json());
    } else {
        show(&small.trace, options.lines());
        say(&small.to_string());
    }
    ExitCode::FAILURE
}

/// Scenarios of the eight statements.
fn many(options: &Options) -> ExitCode {
    let mut summary = Summary::of(options);
    summary.play(options, |summary, seed| {
        match options.simulate(seed, false) {
            Ok(report) => summary.add(report),
            Err(violation) => summary.fail(options, &violation),
        }
    });
    summary.missing = match options.mode {
        Mode::Nodes => missing_together(&summary.counts),
        Mode::Scenarios | Mode::Delivery => missing(&summary.counts),
    };
    summary.show(options)
}

/// Schedules of the delivery contract, each against the model.
fn schedules(options: &Options) -> ExitCode {
    let mut summary = Summary::of(options);
    summary.play(options, |summary, seed| match deliver(seed) {
        Ok(report) => summary.add(report),
        Err(undelivered) => summary.lose(options, &undelivered),
    });
    if options.count > 1 {
        summary.missing = missing_delivery(&summary.counts);
    }
    summary.show(options)
}

fn add_counts(counts: &mut Counts, more: Counts) {
    for (name, count) in more {
        *counts.entry(name).or_default() += count;
    }
}

impl Summary {
    fn of(options: &Options) -> Self {
        Self {
            seed: options.seed,
            count: options.count,
            ..Self::default()
        }
    }

    /// Plays each seed, and says now and then how far it has come.
    fn play(&mut self, options: &Options, mut play: impl FnMut(&mut Self, u64)) {
        let (first, count) = (options.seed, options.count);
        for seed in first..first.saturating_add(count) {
            play(self, seed);
            let done = seed - first + 1;
            if done.is_multiple_of(PROGRESS) && done < count {
                tell(&format!("{done} of {count}, {} failed", self.failed.len()));
            }
        }
    }

    /// Takes a schedule that the model does not accept.
    fn lose(&mut self, options: &Options, undelivered: &Undelivered) {
        if !options.json {
            if options.count == 1 {
                show(&undelivered.trace, options.lines());
            }
            say(&undelivered.to_string());
        }
        self.failed.push(Failed {
            seed: undelivered.seed,
            statement: Statement::Delivered.name(),
            problem: undelivered.problem.clone(),
            small: Some(undelivered.small.clone().into()),
        });
    }

    fn add(&mut self, report: Report) {
        self.steps += report.steps;
        self.runs += report.runs;
        self.events += report.events;
        self.processes += u64::from(report.boots);
        self.crashes += u64::from(report.crashes);
        add_counts(&mut self.counts, report.counts);
    }

    fn fail(&mut self, options: &Options, violation: &Violation) {
        let small = options.shrink.then(|| shrink(violation.seed)).flatten();
        if !options.json {
            say(&violation.to_string());
            if let Some(small) = &small {
                say(&small.to_string());
            }
        }
        let small = small.and_then(|small| serde_json::from_str(&small.to_json()).ok());
        self.failed.push(Failed {
            seed: violation.seed,
            statement: violation.statement.name(),
            problem: violation.problem.clone(),
            small,
        });
    }

    fn show(&self, options: &Options) -> ExitCode {
        if options.json {
            say(&serde_json::to_string_pretty(self).unwrap_or_default());
        } else {
            for (name, count) in &self.counts {
                say(&format!("{count:>12}  {name}"));
            }
            let Self {
                steps,
                runs,
                events,
                processes,
                crashes,
                ..
            } = self;
            say(&format!(
                "{steps} steps, {runs} runs, {events} events, {processes} processes, {crashes} crashes"
            ));
            if !self.missing.is_empty() {
                say(&format!("never happened: {}", self.missing.join(", ")));
            }
            let failed = self.failed.len();
            say(&format!(
                "{} seeds from {}: {failed} failed",
                self.count, self.seed
            ));
        }
        ExitCode::from(u8::from(!self.failed.is_empty()))
    }
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

fn tell(text: &str) {
    let _closed = writeln!(stderr(), "{text}");
}
