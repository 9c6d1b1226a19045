//! Statement 4, no lost wake-up, and that everything comes to its end.

use std::sync::Arc;

use futures_util::FutureExt;
use rewake_core::entity::Entities;
use rewake_core::id::RunId;
use rewake_core::payload;
use rewake_store::{Lineage, Parked, Queries, RunRow, ScopeId};

use crate::ledger;
use crate::process::CHANGED_BUILD;
use crate::program::{Op, Program, contains};
use crate::scheduler::OUTSIDE;
use crate::shadow::{Followed, Shadow, row};
use crate::simulation::LAST_BUILD;
use crate::statement::{Breaks, Problem, Statement};
use crate::workload::Code;
use crate::world::{World, lock};

/// The only scope there is.
const SCOPE: ScopeId = ScopeId(0);

/// True where the run is parked.
pub(crate) fn is_parked(world: &World, run: RunId) -> bool {
    row(&world.memory, SCOPE, run).is_some_and(|row| row.parked.is_some())
}

/// Checks that whoever has not ended waits for something from outside, and for nothing else.
///
/// # Errors
///
/// Who is forgotten.
pub(crate) fn at_rest(world: &Arc<World>) -> Result<(), Problem> {
    tokens(world).breaks(Statement::Token)?;
    nobody_is_forgotten(world).breaks(Statement::Woken)?;
    parked_for_a_reason(world).breaks(Statement::Replay)
}

/// What the store says of every token is what the logs say.
fn tokens(world: &World) -> Result<(), String> {
    let shadow = world.shadow();
    let hooks = shadow.runs().values().flat_map(|run| {
        let hooks = run.entities.hooks().values();
        hooks.map(|hook| &hook.token)
    });
    for token in hooks {
        let row = world.memory.token(SCOPE, token.clone()).now_or_never();
        let row = row.and_then(Result::ok).flatten();
        let stored = row.map(|row| (row.run, row.hook));
        let held = shadow.tokens().get(token).map(|held| (held.run, held.hook));
        if stored != held {
            return Err(format!(
                "the logs say that {held:?} holds token {token}, and the store that {stored:?} does"
            ));
        }
    }
    Ok(())
}

fn parked_for_a_reason(world: &World) -> Result<(), String> {
    for (run, followed) in world.shadow().runs() {
        if let Some(why) = row(&world.memory, SCOPE, *run).and_then(|row| row.parked) {
            may_be_parked(followed, &why).map_err(|problem| format!("run {run}: {problem}"))?;
        }
    }
    Ok(())
}

fn nobody_is_forgotten(world: &World) -> Result<(), String> {
    let shadow = world.shadow();
    for (run, followed) in shadow.runs() {
        let Some(row) = row(&world.memory, SCOPE, *run) else {
            return Err(format!("run {run} has no row"));
        };
        waits(&row, &followed.entities).map_err(|problem| format!("run {run}: {problem}"))?;
    }
    drop(shadow);
    nothing_is_owed(world)?;
    let processes = lock(&world.processes);
    if let Some((engine, true)) = processes.sole()
        && engine.resident_runs() > 0
    {
        let runs = engine.resident_runs();
        return Err(format!(
            "{runs} runs at rest stay in memory where nothing may"
        ));
    }
    Ok(())
}

/// Whoever can has heard of the end of its children.
fn nothing_is_owed(world: &World) -> Result<(), String> {
    let owed = world.memory.owed_runs(SCOPE, None, usize::MAX);
    let owed = owed.now_or_never().and_then(Result::ok);
    let owed = owed.ok_or("the memory store does not say what is owed")?;
    let waits = |run: &&RunId| !is_parked(world, **run);
    match owed.iter().find(waits) {
        Some(run) => Err(format!(
            "run {run} is owed the end of a child, and nobody records it"
        )),
        None => Ok(()),
    }
}

fn waits(row: &RunRow, entities: &Entities) -> Result<(), String> {
    if row.status.is_terminal() && row.children > 0 {
        return Err(format!(
            "it has ended, and {} children were not told",
            row.children
        ));
    }
    let set = entities.run().map(|run| &run.attributes);
    if set.is_some_and(|set| *set != row.attributes) {
        let has = &row.attributes;
        return Err(format!(
            "its row has the attributes {has:?}, its log {set:?}"
        ));
    }
    if row.status.is_terminal() || row.parked.is_some() {
        return Ok(());
    }
    if row.is_ready() {
        return Err(format!("it is ready, and nobody drives it: {row:?}"));
    }
    if let Some(at) = row.wake_at {
        return Err(format!("it was to be looked at {at:?}, and nobody did"));
    }
    let mut steps = entities.open_steps();
    if let Some(step) = steps.find(|step| step.child.is_none()) {
        return Err(format!("step {} is open, and nobody runs it", step.id));
    }
    if let Some(due) = entities.next_due() {
        return Err(format!(
            "something was due at {due:?}, and nobody saw to it"
        ));
    }
    let has_children = entities.running_children().next().is_some();
    if entities.live_hooks().next().is_none() && !has_children {
        return Err("it has not ended and waits for nothing".to_owned());
    }
    Ok(())
}

/// Checks that every run has ended, unless it is parked for a reason, and that nobody outside waits.
///
/// # Errors
///
/// Who has not.
pub(crate) fn all_ended(world: &Arc<World>) -> Result<(), Problem> {
    let waiting = world.tasks.of(OUTSIDE);
    // Whoever waits for a run waits for its children, of which one may be parked.
    if !waiting.is_empty() && !somebody_waits_for_a_child(world) {
        return Err(Statement::Order.broken(format!(
            "outside somebody still waits for an answer: {waiting:?}"
        )));
    }
    ended(world).breaks(Statement::Woken)
}

fn somebody_waits_for_a_child(world: &World) -> bool {
    let shadow = world.shadow();
    let mut runs = shadow.runs().values();
    runs.any(|followed| followed.entities.is_live() && waits_for_a_child(&shadow, followed))
}

/// True where the run ends when its child does, and that is looked at by itself.
fn waits_for_a_child(shadow: &Shadow, followed: &Followed) -> bool {
    let mut children = followed.entities.running_children();
    children.any(|(_, child)| {
        let child = shadow.runs().get(&child);
        child.is_some_and(|child| child.entities.is_live())
    })
}

fn ended(world: &World) -> Result<(), String> {
    let shadow = world.shadow();
    let mut parked = 0;
    for (run, followed) in shadow.runs() {
        let row = row(&world.memory, SCOPE, *run).ok_or("a run has no row")?;
        let waits = waits_for_a_child(&shadow, followed);
        if let Some(why) = row.parked {
            parked += 1;
            if why.build != LAST_BUILD {
                return Err(format!(
                    "run {run}: the last build has not tried it: {why:?}"
                ));
            }
        } else if !row.status.is_terminal() && !waits {
            return Err(format!(
                "run {run} got everything it may wait for, and has not ended"
            ));
        }
    }
    world.trace(|| format!("{parked} runs stay parked"));
    Ok(())
}

/// A run may be parked whose workflow panics, which takes processes with it, or whose log is of
/// another code than that of the build that tried it.
fn may_be_parked(followed: &Followed, why: &Parked) -> Result<(), String> {
    let program = program(&followed.entities).unwrap_or_default();
    let panics = contains(&program, &|op| matches!(op, Op::Panic));
    let by = Code::of_process(why.build == CHANGED_BUILD);
    let fits = match why.code.as_str() {
        "CRASHED_REPEATEDLY" => why.build != LAST_BUILD,
        "WORKFLOW_PANICKED" => panics,
        "REPLAY_PARTED" => {
            ledger::count("met diverged");
            followed.code.is_some_and(|code| code != by)
        }
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("it is parked for no good reason: {why:?}"))
    }
}

/// The program of a run.
pub(super) fn program(entities: &Entities) -> Option<Program> {
    let (_, program): (u64, Program) = payload::decode(&entities.run()?.input).ok()?;
    Some(program)
}
