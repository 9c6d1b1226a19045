//! Statement 6: a replay never lies.
//!
//! The log of each run that ended is written anew into an empty store, without its last frame. A new
//! process must come to the very end that was cut off, from the log alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;
use rewake_core::event::{Child, EventKind, Frame, Position, Writer};
use rewake_core::id::RunId;
use rewake_core::token::Token;
use rewake_store::memory::MemoryStore;
use rewake_store::{Append, ChildBegins, Create, Kin, Log, Mark, ScopeId, Sessions};

use crate::process::Setup;
use crate::scenario::Scenario;
use crate::settings::Settings;
use crate::shadow::{Followed, frames};
use crate::statement::{Breaks, Problem, Statement};
use crate::workload::Code;
use crate::world::World;

/// So many steps are enough to replay any of these logs.
const ENOUGH: u64 = 20_000;

/// Replays every run that has ended.
///
/// # Errors
///
/// Which replay came to another end.
pub(crate) fn replays(world: &Arc<World>) -> Result<(), Problem> {
    let runs = world.shadow().runs().clone();
    for (run, followed) in &runs {
        // Where no record tells, either code may have come to the end.
        let told = followed.code.is_some() || !world.settings.changed;
        if followed.entities.is_live() || !told {
            continue;
        }
        replay(world, *run, followed)
            .map_err(|problem| format!("replay of run {run}: {problem}"))
            .breaks(Statement::Replay)?;
    }
    Ok(())
}

fn replay(world: &World, run: RunId, followed: &Followed) -> Result<(), String> {
    let Some((cut_off, kept)) = followed.frames.split_last() else {
        return Ok(());
    };
    let mini = World::new(&Scenario::bare(world.seed, Settings::calm()), false);
    let ledger = mini.ledger.open();
    let replayed = import(&mini, run, kept).and_then(|scope| {
        mini.boot(Setup {
            changed: followed.code == Some(Code::Changed),
            ..Setup::strict("replay")
        });
        while mini.step() {
            if let Some(problem) = mini.failure() {
                return Err(problem.text);
            }
            if mini.steps.load(Ordering::Relaxed) > ENOUGH {
                return Err("it does not come to rest".to_owned());
            }
        }
        compare(&mini, scope, run, (kept, cut_off))
    });
    drop(ledger);
    mini.end();
    replayed
}

fn compare(
    mini: &World,
    scope: ScopeId,
    run: RunId,
    (kept, cut_off): (&[Frame], &Frame),
) -> Result<(), String> {
    let after = kept.last().map_or(Position::START, Frame::last);
    let found = frames(&mini.memory, scope, run, after)?;
    // The clock stands at the log's end from the start, so a hook may be found overdue that was not
    // when the workflow let go of it.
    let expected = |kind: &&EventKind| !matches!(kind, EventKind::HookExpired { .. });
    let found: Vec<String> = found
        .iter()
        .flat_map(|frame| &frame.events)
        .filter(expected)
        .map(spelled)
        .collect();
    let wanted: Vec<String> = cut_off
        .events
        .iter()
        .filter(expected)
        .map(spelled)
        .collect();
    if found == wanted {
        return Ok(());
    }
    let row = crate::shadow::row(&mini.memory, scope, run);
    Err(format!(
        "it ended with {wanted:?}, and again with {found:?}; its row is {row:?}"
    ))
}

/// An event without what is drawn anew, and without what only other runs decide.
fn spelled(kind: &EventKind) -> String {
    match kind {
        EventKind::HookCreated { hook, .. } | EventKind::HookConflict { hook, .. } => {
            format!("hook {hook}")
        }
        EventKind::StepCreated {
            step,
            name,
            child: Some(child),
            ..
        } => format!("child {name} as {step}, detached: {}", child.detached),
        kind => format!("{kind:?}"),
    }
}

/// Writes frames into the empty store of a world, and turns its clock to where they end.
fn import(mini: &World, run: RunId, kept: &[Frame]) -> Result<ScopeId, String> {
    let at = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&at);
    let now =
        Arc::new(move || rewake_core::time::Timestamp::from_millis(clock.load(Ordering::Relaxed)));
    let store = mini.memory.with_clock(now);
    let scope = store.scope("default".to_owned(), "default".to_owned());
    let scope = scope
        .now_or_never()
        .expect("the memory store answers at once")
        .map_err(|error| error.to_string())?;
    let mut tokens: Vec<Token> = Vec::new();
    for frame in kept {
        at.store(frame.at.as_millis(), Ordering::Relaxed);
        tokens.extend(frame.events.iter().filter_map(|kind| match kind {
            EventKind::HookCreated { token, .. } => Some(token.clone()),
            _ => None,
        }));
        if frame.first == Position::START.next() {
            let create = Create {
                scope,
                run,
                id: frame.id,
                events: frame.events.clone(),
                key: None,
                node: None,
            };
            let created = store.create(create).now_or_never();
            created
                .expect("the memory store answers at once")
                .map_err(|error| error.to_string())?;
            continue;
        }
        let append = append(scope, run, frame, &tokens);
        let children: Vec<RunId> = append.kin.begin.iter().map(|child| child.run).collect();
        append_now(&store, append)?;
        // What they did stands in the log of their parent, and is not done again.
        for child in children {
            append_now(&store, ended(scope, child, frame))?;
        }
    }
    let end = kept.last().map_or(0, |frame| frame.at.as_millis());
    mini.clock.turn_to(end);
    for frame in kept {
        let taken_in = mini.shadow().take_in(run, frame);
        taken_in.map_err(|problem| problem.text)?;
    }
    Ok(scope)
}

fn append_now(store: &MemoryStore, append: Append) -> Result<(), String> {
    let appended = store.append(append).now_or_never();
    let appended = appended.expect("the memory store answers at once");
    appended.map(drop).map_err(|error| error.to_string())
}

/// How the children begin that a frame records, in a place where they do nothing.
fn children(frame: &Frame) -> Vec<ChildBegins> {
    let children = frame.events.iter().filter_map(|kind| match kind {
        EventKind::StepCreated { child, .. } => *child,
        _ => None,
    });
    let begins = |child: Child| ChildBegins {
        run: child.run,
        id: frame.id,
        build: String::new(),
        seed: [0; 16],
        flags: 0,
        attributes: BTreeMap::new(),
        begins: false,
    };
    children.map(begins).collect()
}

/// The end of a child.
fn ended(scope: ScopeId, child: RunId, frame: &Frame) -> Append {
    let end = Frame {
        writer: Writer::Outsider,
        events: vec![EventKind::RunCancelled {
            reason: None,
            terminated: true,
        }],
        ..frame.clone()
    };
    append(scope, child, &end, &[])
}

fn append(scope: ScopeId, run: RunId, frame: &Frame, tokens: &[Token]) -> Append {
    let mark = (frame.writer == Writer::Worker).then(|| Mark {
        wake_at: Some(frame.at),
        taken: frame.taken.clone(),
        ..Mark::default()
    });
    Append {
        scope,
        run,
        id: frame.id,
        conditions: Vec::new(),
        events: frame.events.clone(),
        release: tokens.to_vec(),
        kin: Kin {
            begin: children(frame),
            settled: Vec::new(),
        },
        answers: Vec::new(),
        mark,
        since: None,
        repeat: false,
    }
}
