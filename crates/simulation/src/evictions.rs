//! Eviction changes nothing: the same world without faults, once with every run kept in memory and
//! once with every run evicted whenever it rests, leaves the same logs.
//!
//! So that only eviction differs, outsiders act when everything is at rest, on what is decided by the
//! seed and the logs alone. Ids that are drawn, and with them random tokens, are left out.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use rewake_core::event::{EventKind, Frame};
use rewake_core::id::RunId;
use rewake_core::payload;
use rewake_core::time::Timestamp;
use rewake_runtime::Start;

use crate::outsider;
use crate::prng::{Prng, Stream};
use crate::process::Setup;
use crate::program::{self, Taste};
use crate::scenario::Scenario;
use crate::scheduler::OUTSIDE;
use crate::settings::Settings;
use crate::workload::WORKFLOW;
use crate::world::{World, lock};

/// So many steps are enough for everything to come to rest.
const ENOUGH: u64 = 100_000;
/// So many payloads are sent.
const PAYLOADS: u64 = 40;

/// Compares the logs of a seed with and without eviction; how many events they have.
///
/// # Errors
///
/// Where they part.
pub fn compare_evictions(seed: u64) -> Result<usize, String> {
    let kept = logs(seed, usize::MAX)?;
    let evicted = logs(seed, 0)?;
    if kept.len() != evicted.len() {
        return Err("there are not as many runs".to_owned());
    }
    for (kept, evicted) in kept.iter().zip(&evicted) {
        let parts = kept.iter().zip(evicted).find(|(a, b)| a != b);
        if let Some((a, b)) = parts {
            return Err(format!("kept in memory: {a}; evicted: {b}"));
        }
        if kept.len() != evicted.len() {
            let (kept, evicted) = (kept.len(), evicted.len());
            return Err(format!("{kept} events kept in memory, {evicted} evicted"));
        }
    }
    Ok(kept.iter().map(Vec::len).sum())
}

/// The log of the one run, spelled out.
fn logs(seed: u64, memory: usize) -> Result<Vec<Vec<String>>, String> {
    let world = World::new(&Scenario::bare(seed, Settings::calm()), false);
    let ledger = world.ledger.open();
    let lived = live(&world, memory);
    drop(ledger);
    let shadow = world.shadow();
    let logs = shadow.runs().values();
    let logs = logs.map(|followed| spell(&followed.frames)).collect();
    drop(shadow);
    world.end();
    lived?;
    world
        .failure()
        .map_or(Ok(logs), |problem| Err(problem.text))
}

fn live(world: &Arc<World>, memory: usize) -> Result<(), String> {
    let mut prng = Prng::new(world.seed, Stream::Evictions);
    let taste = Taste {
        size: 12,
        panics: false,
        // Which of two runs is first depends on what is in memory.
        children: false,
    };
    let program = program::grow(&mut prng, taste);
    world.boot(Setup {
        memory,
        ..Setup::strict("evictions")
    });
    settle(world)?;
    let input = payload::encode(&(0_u64, &program)).expect("programs can be encoded");
    let mut start = Start::new(WORKFLOW, input);
    start.run = Some(RunId::mint(Timestamp::from_millis(1), 1));
    start.delay = Some(std::time::Duration::ZERO);
    let Some((process, engine)) = lock(&world.processes).engines().pop() else {
        return Err("the process is not up".to_owned());
    };
    let start = async move {
        let _started = engine.start(start).await;
    };
    world.tasks.spawn(process, "start", start.boxed());
    for payload in 0..PAYLOADS {
        // Within the time of some sleeps, and after that of others.
        let pause = prng.pick(&[1, 15, 200, 5_000]);
        pass(world, pause)?;
        let mut hooks: Vec<_> = {
            let shadow = world.shadow();
            let tokens = shadow.tokens().iter();
            tokens
                .map(|(token, held)| (held.hook, token.to_string()))
                .collect()
        };
        hooks.sort_unstable();
        if hooks.is_empty() {
            continue;
        }
        let (_, token) = hooks.swap_remove(prng.index(hooks.len()));
        let world_of_task = Arc::clone(world);
        let resume = async move { outsider::deliver(&world_of_task, payload, token, true).await };
        world.tasks.spawn(OUTSIDE, "resume", resume.boxed());
    }
    settle(world)
}

/// Lets time pass, and all that it brings.
fn pass(world: &Arc<World>, ms: u64) -> Result<(), String> {
    let until = world.clock.now() + ms;
    let nap = world.clock.sleep_until(until);
    world.tasks.spawn(OUTSIDE, "pause", nap.boxed());
    while !(world.is_at_rest() && world.clock.now() >= until) {
        moved(world)?;
    }
    Ok(())
}

fn settle(world: &Arc<World>) -> Result<(), String> {
    while moved(world)? {}
    Ok(())
}

fn moved(world: &Arc<World>) -> Result<bool, String> {
    if world.steps.load(Ordering::Relaxed) > ENOUGH {
        return Err("it does not come to rest".to_owned());
    }
    match world.failure() {
        None => Ok(world.step()),
        Some(problem) => Err(problem.text),
    }
}

fn spell(frames: &[Frame]) -> Vec<String> {
    frames
        .iter()
        .flat_map(|frame| &frame.events)
        .map(spelled)
        .collect()
}

fn spelled(kind: &EventKind) -> String {
    let random = matches!(
        kind,
        EventKind::HookCreated { chosen: false, .. }
            | EventKind::RunCreated { .. }
            | EventKind::RunCompleted { .. }
            | EventKind::StepCompleted { .. }
            // What is answered names the stream of the request, which is drawn.
            | EventKind::StepCreated { .. }
    );
    if random {
        let step = match kind {
            EventKind::StepCreated { name, .. } => name.as_str(),
            _ => "",
        };
        return format!("{} {:?} {step}", kind.name(), kind.correlation_id());
    }
    format!("{kind:?}")
}
