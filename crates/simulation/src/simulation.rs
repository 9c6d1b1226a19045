//! One simulation: turmoil, then quiet, then everything must come to its end and be as promised.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;

use crate::check;
use crate::fault::{Fault, draw_setup};
use crate::outsider;
use crate::prng::{Prng, Stream};
use crate::process::Setup;
use crate::scenario::Scenario;
use crate::scheduler::OUTSIDE;
use crate::statement::{Problem, Statement};
use crate::tally::Counts;
use crate::turmoil::{clear_away, seen, turmoil};
use crate::world::{World, lock};

/// So many steps without coming to rest are too many.
const MOST_STEPS: u64 = 100_000;
/// Nodes that share the store are at rest when nothing was written for so many milliseconds: all that is
/// tried again later was.
const QUIET: u64 = 12_000;
/// So many steps are enough for every process to stop.
const PATIENCE: u64 = 50_000;
/// The build that takes over at the end.
pub(crate) const LAST_BUILD: &str = "last";

/// What a simulation went through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Steps of the world.
    pub steps: u64,
    /// Runs that were started.
    pub runs: u64,
    /// Events in their logs.
    pub events: u64,
    /// Processes that were started.
    pub boots: u32,
    /// Processes that ended without saying so.
    pub crashes: u32,
    /// How often each operation, action and fault really happened.
    pub counts: Counts,
    /// What happened, line by line, where it was asked for.
    pub trace: Vec<String>,
}

/// Something that must not be was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// What does not hold.
    pub statement: Statement,
    /// What was seen.
    pub problem: String,
    /// What happened before, where it was asked for.
    pub trace: Vec<String>,
}

impl Violation {
    pub(crate) fn of(seed: u64, failure: Failure) -> Self {
        Self {
            seed,
            statement: failure.problem.statement,
            problem: failure.problem.text,
            trace: failure.trace,
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            seed,
            statement,
            problem,
            ..
        } = self;
        write!(
            f,
            "seed {seed}: {statement}: {problem}\n\
             repeat it:    REWAKE_SEED={seed} cargo test -p rewake-simulation --test simulation -- one_seed --nocapture\n\
             or, traced:   cargo run -p rewake-simulation -- --seed {seed}\n\
             make it small: cargo run --release -p rewake-simulation -- --seed {seed} --shrink"
        )
    }
}

impl std::error::Error for Violation {}

/// Simulates what a seed stands for. `traced` keeps what happens, line by line.
///
/// # Errors
///
/// [`Violation`] where something must not be.
pub fn simulate(seed: u64, traced: bool) -> Result<Report, Box<Violation>> {
    let scenario = Scenario::of(seed);
    play(&scenario, traced).map_err(|failure| Box::new(Violation::of(seed, *failure)))
}

/// Simulates what a seed stands for with several nodes that share the store: they die, stand still for
/// longer than they are thought to live, and are not told what others did.
///
/// # Errors
///
/// [`Violation`] where something must not be.
pub fn simulate_together(seed: u64, traced: bool) -> Result<Report, Box<Violation>> {
    let scenario = Scenario::together(seed);
    play(&scenario, traced).map_err(|failure| Box::new(Violation::of(seed, *failure)))
}

/// Simulates several nodes, and panics where something must not be.
///
/// # Panics
///
/// Where something must not be.
pub fn hold_together(seed: u64) -> Report {
    simulate_together(seed, false).unwrap_or_else(|violation| {
        panic!(
            "nodes, seed {seed}: {}: {}\n\
             traced: cargo run -p rewake-simulation -- nodes --seed {seed}",
            violation.statement, violation.problem
        )
    })
}

/// Simulates, and panics where something must not be: with the smallest case that was found to show
/// it, the seed, and the commands that repeat it.
///
/// # Panics
///
/// Where something must not be.
pub fn hold(seed: u64) -> Report {
    match simulate(seed, false) {
        Ok(report) => report,
        Err(violation) => {
            let small = crate::shrink::shrink(seed).map(|small| small.to_string());
            panic!("{violation}\n{}", small.unwrap_or_default())
        }
    }
}

/// How a scenario failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) problem: Problem,
    /// All that went wrong before on purpose.
    pub(crate) faults: Vec<Fault>,
    pub(crate) trace: Vec<String>,
}

/// Plays a scenario.
///
/// # Errors
///
/// What must not be.
pub(crate) fn play(scenario: &Scenario, traced: bool) -> Result<Report, Box<Failure>> {
    let world = World::new(scenario, traced);
    let simulated = catch_unwind(AssertUnwindSafe(|| live(&world, scenario)));
    // Whatever happened, nothing of this world may reach the next one.
    let ended = catch_unwind(AssertUnwindSafe(|| world.end()));
    let simulated = simulated
        .unwrap_or_else(|panic| Err(panicked(&*panic)))
        .and_then(|()| ended.map_err(|panic| panicked(&*panic)))
        .and_then(|()| seen(&world));
    if simulated.is_err() {
        write_logs(&world);
    }
    let trace = world.take_trace();
    match simulated {
        Ok(()) => Ok(report(&world, trace)),
        Err(problem) => Err(Box::new(Failure {
            problem,
            faults: std::mem::take(&mut lock(&world.faults).happened),
            trace,
        })),
    }
}

pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Problem {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let words = text.unwrap_or_default();
    Statement::Order.broken(format!("it panicked: {words}"))
}

/// Adds the logs to the trace.
fn write_logs(world: &World) {
    let shadow = world.shadow();
    for (run, followed) in shadow.runs() {
        for frame in &followed.frames {
            let (writer, at) = (frame.writer, frame.at);
            for event in frame.iter() {
                let position = event.position;
                world.trace(|| format!("log  {run} {position} {at:?} {writer:?} {:?}", event.kind));
            }
        }
    }
}

pub(crate) fn report(world: &World, trace: Vec<String>) -> Report {
    let shadow = world.shadow();
    let processes = lock(&world.processes);
    Report {
        steps: world.steps.load(Ordering::Relaxed),
        runs: shadow.runs().len() as u64,
        events: shadow.runs().keys().map(|run| shadow.head(*run).0).sum(),
        boots: processes.boots,
        crashes: processes.crashes,
        counts: world.ledger.tally.counts(),
        trace,
    }
}

fn live(world: &Arc<World>, scenario: &Scenario) -> Result<(), Problem> {
    let ledger = world.ledger.open();
    world.trace(|| format!("{:?}", world.settings));
    outsider::send_out(world, &scenario.acts);
    if world.shared {
        for n in 0..3 {
            let mut prng = Prng::at(world.seed, Stream::Last, (2, n));
            let setup = draw_setup(&world.settings, &mut prng);
            world.boot(setup);
        }
    }
    turmoil(world)?;
    calm(world)?;
    last_process(world)?;
    drain(world)?;
    check::at_the_end(world)?;
    drop(ledger);
    check::replays(world)
}

/// Nothing goes wrong any more: what one process alone was told about, it must see to by itself.
fn calm(world: &Arc<World>) -> Result<(), Problem> {
    clear_away(world);
    settle(world)?;
    clear_away(world);
    if lock(&world.processes).alive().is_empty() {
        let mut prng = Prng::at(world.seed, Stream::Last, (0, 0));
        let setup = draw_setup(&world.settings, &mut prng);
        world.boot(setup);
        settle(world)?;
    }
    if world.shared || lock(&world.processes).sole().is_some() {
        check::at_rest(world)?;
    }
    Ok(())
}

/// Another build takes over, alone.
fn last_process(world: &Arc<World>) -> Result<(), Problem> {
    let alive = lock(&world.processes).alive();
    for process in alive {
        if Prng::at(world.seed, Stream::Last, (1, u64::from(process))).chance(5_000) {
            world.crash(process);
        } else {
            world.shut_down(process, Duration::from_millis(10));
        }
    }
    stop(world)?;
    world.boot(Setup::strict(LAST_BUILD));
    settle(world)?;
    check::at_rest(world)
}

/// Moves until no process is left.
pub(crate) fn stop(world: &Arc<World>) -> Result<(), Problem> {
    let steps = world.steps.load(Ordering::Relaxed);
    loop {
        clear_away(world);
        let Some(left) = lock(&world.processes).alive().first().copied() else {
            return Ok(());
        };
        world.step();
        seen(world)?;
        if world.steps.load(Ordering::Relaxed) > steps + PATIENCE {
            let tasks = world.tasks.of(left);
            return Err(Statement::Order.broken(format!(
                "process {left} was told to stop, and did not: {tasks:?}"
            )));
        }
    }
}

/// Every hook gets what it waits for, until nobody waits any more.
fn drain(world: &Arc<World>) -> Result<(), Problem> {
    let mut payload = 1_000_000;
    for _ in 0..200 {
        let tokens: Vec<String> = {
            let shadow = world.shadow();
            shadow.tokens().keys().map(ToString::to_string).collect()
        };
        if tokens.is_empty() {
            break;
        }
        for token in tokens {
            payload += 1;
            let world = Arc::clone(world);
            let keyed = payload % 2 == 0;
            let resume = {
                let world = Arc::clone(&world);
                async move { outsider::deliver(&world, payload, token, keyed).await }
            };
            world.tasks.spawn(OUTSIDE, "drain", resume.boxed());
        }
        settle(world)?;
        check::at_rest(world)?;
        let parked_holds_on = world
            .shadow()
            .tokens()
            .values()
            .all(|held| check::is_parked(world, held.run));
        if parked_holds_on {
            break;
        }
    }
    Ok(())
}

/// Moves until everything is at rest.
pub(crate) fn settle(world: &Arc<World>) -> Result<(), Problem> {
    loop {
        seen(world)?;
        clear_away(world);
        if lock(&world.processes).alive().is_empty() && !world.tasks.of(OUTSIDE).is_empty() {
            world.boot(Setup::strict("calm"));
        }
        if !world.step() || (world.shared && !world.skip_the_beats(QUIET)) {
            return seen(world);
        }
        let most = if world.shared { 10 } else { 1 } * MOST_STEPS;
        if world.steps.load(Ordering::Relaxed) > most {
            let text = format!("it did not come to rest within {MOST_STEPS} steps");
            return Err(Statement::Order.broken(text));
        }
    }
}
