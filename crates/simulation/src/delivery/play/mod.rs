//! Plays a schedule against the real engine, and gathers what everybody was told and saw and what the
//! public queries show at the end.

mod act;
mod call;
mod gather;
mod met;
mod send;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::payload::{self, Payload};
use rewake_runtime::webhook;
use rewake_store::ScopeId;

pub(super) use met::MET;

use super::model::{self, History, Sent};
use super::schedule::Schedule;
use super::script::Told;
use crate::process::Setup;
use crate::scenario::Disk;
use crate::scheduler::OUTSIDE;
use crate::simulation::{Failure, Report, panicked, report, settle, stop};
use crate::statement::{Breaks, Problem, Statement};
use crate::turmoil::{seen, turmoil};
use crate::world::{World, lock};

/// The one scope there is.
const SCOPE: ScopeId = ScopeId(0);
/// How often somebody with a key asks.
const TRIES: u32 = 12;
/// More runs than any schedule brings about.
const RUNS: usize = 1_000;

/// What was sent, by all.
type Post = Arc<Mutex<Vec<Sent>>>;

/// The number in a payload, or in the body of a request.
pub(super) fn number(payload: &Payload) -> Option<u64> {
    if let Ok(told) = payload::decode::<Told>(payload) {
        return Some(told.number);
    }
    let request: webhook::Request = payload::decode(payload).ok()?;
    let told: Told = serde_json::from_slice(&request.body).ok()?;
    Some(told.number)
}

/// Plays a schedule and asks the model.
///
/// # Errors
///
/// What must not be.
pub(super) fn play(schedule: &Schedule, traced: bool) -> Result<Report, Box<Failure>> {
    let world = World::new(&schedule.scenario, traced);
    let played = catch_unwind(AssertUnwindSafe(|| live(&world, schedule)));
    // Whatever happened, nothing of this world may reach the next one.
    let ended = catch_unwind(AssertUnwindSafe(|| world.end()));
    let played = played
        .unwrap_or_else(|panic| Err(panicked(&*panic)))
        .and_then(|lived| ended.map(|()| lived).map_err(|panic| panicked(&*panic)))
        .and_then(|lived| seen(&world).map(|()| lived));
    let trace = world.take_trace();
    match played {
        Ok((runs, events)) => Ok(Report {
            runs,
            events,
            ..report(&world, trace)
        }),
        Err(problem) => Err(Box::new(Failure {
            problem,
            faults: std::mem::take(&mut lock(&world.faults).happened),
            trace,
        })),
    }
}

/// How many runs and events there were.
fn live(world: &Arc<World>, schedule: &Schedule) -> Result<(u64, u64), Problem> {
    let _ledger = world.ledger.open();
    let post = Post::default();
    for act in schedule.acts.clone() {
        let serial = act.serial;
        let task = act::perform(Arc::clone(world), act, Arc::clone(&post)).boxed();
        world.tasks.spawn_at((OUTSIDE, "act"), serial, task);
    }
    turmoil(world)?;
    settle(world)?;
    take_over(world)?;
    match schedule.scenario.disk {
        Disk::Sqlite => world.count("met sqlite"),
        Disk::File => world.count("met sqlite-file"),
        Disk::Memory | Disk::Followed | Disk::Shared => {}
    }
    let history = gather::gather(world, &post)?;
    tell(world, &history);
    let fates = model::check(&history).breaks(Statement::Delivered)?;
    met::count(world, &history, &fates);
    let events = history.runs.iter().map(|run| run.events.len());
    Ok((history.runs.len() as u64, events.sum::<usize>() as u64))
}

fn tell(world: &World, history: &History) {
    for run in &history.runs {
        for event in &run.events {
            let (position, at, kind) = (event.position, event.at, &event.kind);
            world.trace(|| format!("log  {} {position} {at:?} {kind:?}", run.run));
        }
        world.trace(|| {
            format!(
                "run  {} read {:?}, unread {:?}",
                run.run, run.read, run.unread
            )
        });
    }
    world.trace(|| format!("sent {:?}", history.sent));
    world.trace(|| format!("mail {:?}", history.mail));
}

/// Another process takes over, alone, when all is quiet.
fn take_over(world: &Arc<World>) -> Result<(), Problem> {
    let alive = lock(&world.processes).alive();
    for process in alive {
        world.shut_down(process, Duration::from_millis(10));
    }
    stop(world)?;
    world.boot(Setup::strict("last"));
    settle(world)
}
