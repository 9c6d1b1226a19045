//! Turmoil: things go wrong for a while, as the faults of the scenario say.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rewake_core::event::Frame;
use rewake_core::id::RunId;
use rewake_runtime::Engine;

use crate::fault::Trouble;
use crate::prng::{Prng, Stream};
use crate::process::Setup;
use crate::scheduler::{OUTSIDE, ProcessId};
use crate::statement::Problem;
use crate::world::{World, lock};

/// Moves the world, and lets go wrong what the scenario says.
///
/// # Errors
///
/// What was seen that must not be.
pub(crate) fn turmoil(world: &Arc<World>) -> Result<(), Problem> {
    world.turmoil.store(true, Ordering::Relaxed);
    for step in 0..world.settings.turmoil {
        clear_away(world);
        let alive = lock(&world.processes).alive().len();
        let troubles = lock(&world.faults).at_step(&world.settings, step, alive);
        for trouble in troubles {
            if apply(world, &trouble) {
                world.count(trouble.name());
                world.trace(|| format!("at {step}: {trouble:?}"));
            }
        }
        if world.shared {
            freeze(world, step);
            world.skip_the_beats(3_000);
        }
        let moved = world.step();
        seen(world)?;
        if !moved && !lock(&world.processes).alive().is_empty() {
            break;
        }
    }
    world.turmoil.store(false, Ordering::Relaxed);
    Ok(())
}

/// Now and then a node stands still, for longer than it is thought to live, and goes on.
fn freeze(world: &Arc<World>, step: u64) {
    let mut prng = Prng::at(world.seed, Stream::Freeze, (step, 0));
    if !prng.chance(10) {
        return;
    }
    let Some(process) = any_process(world, prng.below(100)) else {
        return;
    };
    let ms = prng.pick(&[1_000, 3_000, 10_000]);
    world.count("met frozen");
    world.trace(|| format!("freeze p{process} for {ms}"));
    world.tasks.freeze(process);
    let frozen = Arc::clone(world);
    let thaw = async move {
        frozen.clock.sleep(ms).await;
        frozen.trace(|| format!("thaw p{process}"));
        frozen.tasks.thaw(process);
    };
    world.tasks.spawn(OUTSIDE, "thaw", Box::pin(thaw));
}

/// Ends those processes for good that have come to their end.
pub(crate) fn clear_away(world: &World) {
    let over = lock(&world.processes).over();
    for process in over {
        world.crash(process);
    }
}

/// What must not be, if it was seen.
pub(crate) fn seen(world: &World) -> Result<(), Problem> {
    world.failure().map_or(Ok(()), Err)
}

/// False where there is nothing that it could happen to.
fn apply(world: &Arc<World>, trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Boot(setup) => {
            world.boot(setup.clone());
            true
        }
        Trouble::ShutDown(which, grace_ms) => any_process(world, *which)
            .inspect(|process| world.shut_down(*process, Duration::from_millis(*grace_ms)))
            .is_some(),
        Trouble::Crash(which) => any_process(world, *which)
            .inspect(|process| world.crash(*process))
            .is_some(),
        Trouble::StoreClock(off) => {
            world.skew.store(*off, Ordering::Relaxed);
            true
        }
        Trouble::ProcessClock(which, off) => any_process(world, *which)
            .inspect(|process| lock(&world.processes).turn_clock(*process, *off))
            .is_some(),
        Trouble::Notice(which, run) => notice(world, *which, *run),
        Trouble::Steal(which, run) => steal(world, *which, *run),
        Trouble::Evict(which, run) => evict(world, *which, *run),
        Trouble::PollAgain(which) => world.tasks.poll_again(index(*which)).is_some(),
    }
}

/// A process hears of a run again, late or for nothing.
fn notice(world: &World, which: u64, n: u64) -> bool {
    let Some(((_, engine), run)) = any_engine(world, which).zip(any_live_run(world, n)) else {
        return false;
    };
    lock(&world.processes).thefts += 1;
    engine.notice(run, any_frame(world, run, n));
    true
}

/// A second process takes up a run of the first's, in the middle of its work.
fn steal(world: &Arc<World>, which: u64, n: u64) -> bool {
    let Some(run) = any_live_run(world, n) else {
        return false;
    };
    lock(&world.processes).thefts += 1;
    if lock(&world.processes).alive().len() < 2 {
        world.boot(Setup::strict("thief"));
    }
    let engines = lock(&world.processes).engines();
    let last = world
        .shadow()
        .runs()
        .get(&run)
        .and_then(|followed| followed.frames.last().cloned());
    // Everybody hears of it: whoever is not at work on it takes it up.
    let first = index(which) % engines.len().max(1);
    for (_, engine) in engines.iter().cycle().skip(first).take(engines.len()) {
        engine.notice(run, last.clone());
    }
    !engines.is_empty()
}

fn evict(world: &World, which: u64, n: u64) -> bool {
    let found = any_engine(world, which).zip(any_live_run(world, n));
    found.is_some_and(|((_, engine), run)| engine.evict(run))
}

fn any_process(world: &World, which: u64) -> Option<ProcessId> {
    nth(&lock(&world.processes).alive(), which)
}

fn any_engine(world: &World, which: u64) -> Option<(ProcessId, Engine)> {
    nth(&lock(&world.processes).engines(), which)
}

fn any_live_run(world: &World, n: u64) -> Option<RunId> {
    let shadow = world.shadow();
    let live = shadow.runs().iter();
    let live: Vec<RunId> = live
        .filter(|(_, followed)| followed.entities.is_live())
        .map(|(run, _)| *run)
        .collect();
    nth(&live, n)
}

/// An old frame, the last one, or none.
fn any_frame(world: &World, run: RunId, n: u64) -> Option<Frame> {
    let shadow = world.shadow();
    let frames = &shadow.runs().get(&run)?.frames;
    match n % 3 {
        0 => None,
        1 => frames.last().cloned(),
        _ => nth(frames, n / 3),
    }
}

fn nth<T: Clone>(of: &[T], n: u64) -> Option<T> {
    of.get(index(n) % of.len().max(1)).cloned()
}

fn index(n: u64) -> usize {
    usize::try_from(n).unwrap_or_default()
}
