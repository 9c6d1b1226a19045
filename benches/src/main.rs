//! What Rewake costs beside bare commits on the same disk: `cargo xtask bench [NAME] [--quick]
//! [--json]`.
//!
//! Each workload is measured in the same program run as its floor, which writes the same rows without
//! an engine. The ratio of the two is what means something on another machine.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to the person at the terminal is what this program is for"
)]

mod args;
mod bench;
mod callers;
mod clock;
mod counts;
mod floor;
mod latency;
mod notes;
mod place;
mod postgres;
mod process;
mod report;
mod script;
mod still;
mod workflows;
mod workload;
mod world;

use std::num::NonZero;
use std::process::ExitCode;
use std::thread;

use anyhow::{Result, bail};
use tokio::runtime::Builder;

use crate::args::Args;
use crate::bench::Bench;
use crate::place::Place;
use crate::report::{Row, Table};

/// What one thread allocates another one lets go of, all the time: glibc's allocator takes the lock of
/// the first one's arena for that, and at full load a third of all time. An application chooses its
/// own; without the feature this one is measured with the system's.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(usage) => {
            eprintln!("bench: {usage}");
            return ExitCode::from(2);
        }
    };
    match begin(&args) {
        Ok(rows) if rows.iter().any(|row| row.void) => {
            eprintln!("bench: the floor moved by more than half: those rows are void");
            ExitCode::FAILURE
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn begin(args: &Args) -> Result<Vec<Row>> {
    if args.name.as_deref() == Some("counts") {
        // One thread for whoever asks: what is counted must not depend on who was faster.
        let runtime = Builder::new_current_thread().enable_time().build()?;
        println!("{}", runtime.block_on(counts::run(&args.dir, args.late))?);
        return Ok(Vec::new());
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers())
        .enable_all()
        .build()?;
    match &args.child {
        Some(child) => runtime
            .block_on(workload::restart::load(
                &child.path,
                child.waiting,
                child.active,
            ))
            .map(|()| Vec::new()),
        None => runtime.block_on(run(args)),
    }
}

/// Threads for callers, steps and HTTP, which mostly wait. The engine has threads of its own, and on
/// two processors as many of tokio's beside them take the processors from each other.
fn workers() -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    (processors / 2).max(1)
}

async fn run(args: &Args) -> Result<Vec<Row>> {
    let bench = Bench {
        place: Place::below(&args.dir)?,
        quick: args.quick,
        only: args.only.clone(),
    };
    let mut rows = Vec::new();
    for workload in workload::asked(args.name.as_deref()) {
        let began = clock::now();
        let found = (workload.run)(&bench).await?;
        eprintln!(
            "{} took {:.1} s",
            workload.name,
            began.elapsed().as_secs_f64()
        );
        if !args.json {
            eprint!("{}", Table(&found));
        }
        rows.extend(found);
    }
    if rows.is_empty() {
        bail!("there is no such workload; there are {}", workload::names());
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("{}", Table(&rows));
    }
    Ok(rows)
}
