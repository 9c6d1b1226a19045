//! One simulation: turmoil, then quiet, then everything must come to its end and be as promised.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;

use crate::check;
use crate::outsider;
use crate::process::Setup;
use crate::scheduler::OUTSIDE;
use crate::settings::Settings;
use crate::world::{World, lock};

/// So many steps without coming to rest are too many.
const MOST_STEPS: u64 = 60_000;
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
    /// What happened, line by line, where it was asked for.
    pub trace: Vec<String>,
}

/// Something that must not be was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// What was seen.
    pub problem: String,
    /// What happened before, where it was asked for.
    pub trace: Vec<String>,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, problem, .. } = self;
        write!(
            f,
            "seed {seed}: {problem}\n\
             repeat it:    REWAKE_SEED={seed} cargo test -p rewake-simulation --test simulation -- one_seed --nocapture\n\
             or, traced:   cargo run -p rewake-simulation -- --seed {seed}"
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
    let settings = Settings::of(seed);
    let world = World::new(seed, settings, traced);
    let simulated = catch_unwind(AssertUnwindSafe(|| live(&world)));
    // Whatever happened, nothing of this world may reach the next one.
    let ended = catch_unwind(AssertUnwindSafe(|| world.end()));
    let simulated = simulated
        .unwrap_or_else(|panic| Err(format!("it panicked: {}", words(&*panic))))
        .and_then(|()| ended.map_err(|panic| format!("it panicked: {}", words(&*panic))))
        .and_then(|()| world.failure().map_or(Ok(()), Err));
    if simulated.is_err() {
        write_logs(&world);
    }
    let trace = world.take_trace();
    match simulated {
        Ok(()) => Ok(report(&world, trace)),
        Err(problem) => Err(Box::new(Violation {
            seed,
            problem,
            trace,
        })),
    }
}

/// Simulates, and panics where something must not be: with the seed and the command that repeats it.
///
/// # Panics
///
/// Where something must not be.
pub fn hold(seed: u64) -> Report {
    match simulate(seed, false) {
        Ok(report) => report,
        Err(violation) => panic!("{violation}"),
    }
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

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

fn report(world: &World, trace: Vec<String>) -> Report {
    let shadow = world.shadow();
    let processes = lock(&world.processes);
    Report {
        steps: world.steps.load(Ordering::Relaxed),
        runs: shadow.runs().len() as u64,
        events: shadow.runs().keys().map(|run| shadow.head(*run).0).sum(),
        boots: processes.boots,
        crashes: processes.crashes,
        trace,
    }
}

fn live(world: &Arc<World>) -> Result<(), String> {
    let ledger = world.ledger.open();
    world.trace(|| format!("{:?}", world.settings));
    outsider::send_out(world, &world.settings);
    turmoil(world)?;
    calm(world)?;
    last_process(world)?;
    drain(world)?;
    check::at_the_end(world)?;
    drop(ledger);
    check::replays(world)
}

/// Things go wrong for a while.
fn turmoil(world: &Arc<World>) -> Result<(), String> {
    world.turmoil.store(true, Ordering::Relaxed);
    for _ in 0..world.settings.turmoil {
        meddle(world);
        let moved = world.step();
        seen(world)?;
        if !moved && !lock(&world.processes).alive().is_empty() {
            break;
        }
    }
    world.turmoil.store(false, Ordering::Relaxed);
    Ok(())
}

/// Processes come and go, clocks jump.
fn meddle(world: &Arc<World>) {
    clear_away(world);
    let settings = &world.settings;
    let alive = lock(&world.processes).alive();
    let boots = if alive.is_empty() {
        world.rng().chance(2_000)
    } else {
        alive.len() < 3 && world.rng().chance(settings.overlap)
    };
    if boots {
        let setup = any_setup(world);
        world.boot(setup);
    }
    if world.rng().chance(settings.shutdown) && !alive.is_empty() {
        let process = world.rng().pick(&alive);
        let grace = world.rng().pick(&[0, 10, 60_000]);
        world.shut_down(process, Duration::from_millis(grace));
    }
    if world.rng().chance(settings.crash / 10) && !alive.is_empty() {
        let process = world.rng().pick(&alive);
        world.crash(process);
    }
    if world.rng().chance(settings.jump) {
        let skew = off(world);
        world.skew.store(skew, Ordering::Relaxed);
        world.trace(|| format!("skew {skew}"));
    }
}

/// How far a clock is off: into the past or the future.
fn off(world: &World) -> i64 {
    let far = i64::try_from(world.settings.skew).unwrap_or_default();
    let off = i64::try_from(world.rng().below(2 * world.settings.skew + 1)).unwrap_or_default();
    off - far
}

fn any_setup(world: &World) -> Setup {
    let offset = off(world);
    let mut rng = world.rng();
    let n = rng.below(2);
    Setup {
        build: format!("build-{n}"),
        offset,
        memory: rng.pick(&[0, 0, 6_000, usize::MAX]),
        verify: !rng.chance(3_000),
    }
}

fn clear_away(world: &World) {
    let over = lock(&world.processes).over();
    for process in over {
        world.crash(process);
    }
}

/// Nothing goes wrong any more: what one process alone was told about, it must see to by itself.
fn calm(world: &Arc<World>) -> Result<(), String> {
    clear_away(world);
    settle(world)?;
    clear_away(world);
    if lock(&world.processes).alive().is_empty() {
        let setup = any_setup(world);
        world.boot(setup);
        settle(world)?;
    }
    if lock(&world.processes).sole().is_some() {
        check::at_rest(world)?;
    }
    Ok(())
}

/// Another build takes over, alone.
fn last_process(world: &Arc<World>) -> Result<(), String> {
    let alive = lock(&world.processes).alive();
    for process in alive {
        if world.rng().chance(5_000) {
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
fn stop(world: &Arc<World>) -> Result<(), String> {
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
            return Err(format!(
                "process {left} was told to stop, and did not: {tasks:?}"
            ));
        }
    }
}

/// Every hook gets what it waits for, until nobody waits any more.
fn drain(world: &Arc<World>) -> Result<(), String> {
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
                async move { outsider::resume(&world, payload, token, keyed).await }
            };
            world.tasks.spawn(OUTSIDE, "drain", resume.boxed());
        }
        settle(world)?;
        check::at_rest(world)?;
        let parked_holds_on = world
            .shadow()
            .tokens()
            .values()
            .all(|(run, _)| check::is_parked(world, *run));
        if parked_holds_on {
            break;
        }
    }
    Ok(())
}

/// Moves until everything is at rest.
fn settle(world: &Arc<World>) -> Result<(), String> {
    loop {
        seen(world)?;
        clear_away(world);
        if lock(&world.processes).alive().is_empty() && !world.tasks.of(OUTSIDE).is_empty() {
            world.boot(Setup::strict("calm"));
        }
        if !world.step() {
            return seen(world);
        }
        if world.steps.load(Ordering::Relaxed) > MOST_STEPS {
            return Err(format!("it did not come to rest within {MOST_STEPS} steps"));
        }
    }
}

fn seen(world: &World) -> Result<(), String> {
    world.failure().map_or(Ok(()), Err)
}
