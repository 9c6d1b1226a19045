//! The shadow: every log followed as it grows, and what must hold after each write.
//!
//! It is fed in the order in which the store carried writes out, across all runs, so it knows who
//! held which token when.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use rewake_core::entity::Entities;
use rewake_core::event::{EventKind, Frame, Position, Writer};
use rewake_core::id::{HookId, RunId};
use rewake_core::payload::{self, Payload};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_runtime::webhook::Request;
use rewake_store::memory::MemoryStore;
use rewake_store::{Log, Queries, RunRow, ScopeId};

use crate::statement::{Breaks, Problem, Statement};
use crate::workload::{Code, TAKE_BACK};

/// Everything there is of a log.
const ALL: usize = usize::MAX;

/// All logs, as far as they were followed.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    runs: BTreeMap<RunId, Followed>,
    tokens: BTreeMap<Token, Held>,
}

/// Who holds a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) run: RunId,
    pub(crate) hook: HookId,
    pub(crate) is_webhook: bool,
}

/// One log.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    pub(crate) entities: Entities,
    pub(crate) frames: Vec<Frame>,
    /// The code that left records here, where that can be told.
    pub(crate) code: Option<Code>,
}

impl Followed {
    /// The last event that a worker wrote.
    pub(crate) fn worker(&self) -> Position {
        let by_worker = |frame: &&Frame| frame.writer == Writer::Worker;
        let last = self.frames.iter().rfind(by_worker);
        last.map_or(Position::START, Frame::last)
    }

    /// The events, oldest first.
    pub(crate) fn events(&self) -> impl Iterator<Item = &EventKind> {
        self.frames.iter().flat_map(|frame| &frame.events)
    }
}

impl Shadow {
    /// The runs, by id.
    pub(crate) const fn runs(&self) -> &BTreeMap<RunId, Followed> {
        &self.runs
    }

    /// The live hooks, by token.
    pub(crate) const fn tokens(&self) -> &BTreeMap<Token, Held> {
        &self.tokens
    }

    /// Where the log of a run ends.
    pub(crate) fn head(&self, run: RunId) -> Position {
        let last = self.runs.get(&run).and_then(|run| run.frames.last());
        last.map_or(Position::START, Frame::last)
    }

    /// Takes in what was added to the log of a run. No clock is ahead of `latest`.
    ///
    /// # Errors
    ///
    /// What must not be.
    pub(crate) fn follow(
        &mut self,
        store: &MemoryStore,
        (scope, run): (ScopeId, RunId),
        latest: Timestamp,
    ) -> Result<(), Problem> {
        let added = frames(store, scope, run, self.head(run)).breaks(Statement::Order)?;
        for frame in added {
            self.take_in(run, &frame).map_err(|problem| Problem {
                text: format!("run {run}, event {}: {}", frame.first, problem.text),
                ..problem
            })?;
        }
        let Some(followed) = self.runs.get(&run) else {
            return Ok(());
        };
        let row = row(store, scope, run).ok_or_else(|| format!("run {run} has a log and no row"));
        row.and_then(|row| agrees(&row, followed, latest))
            .map_err(|problem| format!("run {run}: {problem}"))
            .breaks(Statement::Woken)
    }

    /// Takes in one frame.
    ///
    /// # Errors
    ///
    /// What must not be.
    pub(crate) fn take_in(&mut self, run: RunId, frame: &Frame) -> Result<(), Problem> {
        let head = self.head(run);
        let followed = self.runs.entry(run).or_insert_with(|| Followed {
            entities: Entities::new(run),
            frames: Vec::new(),
            code: None,
        });
        append(followed, head, frame).breaks(Statement::Workers)?;
        counts(&followed.entities).breaks(Statement::Delivered)?;
        for kind in &frame.events {
            tell_code(followed, kind).breaks(Statement::Replay)?;
        }
        for kind in &frame.events {
            self.hold(run, kind).breaks(Statement::Token)?;
        }
        Ok(())
    }

    /// At most one live hook holds a token.
    fn hold(&mut self, run: RunId, kind: &EventKind) -> Result<(), String> {
        match kind {
            EventKind::HookCreated {
                hook,
                token,
                is_webhook,
                ..
            } => {
                let held = Held {
                    run,
                    hook: *hook,
                    is_webhook: *is_webhook,
                };
                if let Some(other) = self.tokens.insert(token.clone(), held) {
                    return Err(format!(
                        "hook {hook} takes token {token}, which hook {} of run {} holds",
                        other.hook, other.run
                    ));
                }
            }
            EventKind::HookDisposed { hook, .. } | EventKind::HookExpired { hook } => {
                self.tokens.retain(|_, held| held.hook != *hook);
            }
            kind if kind.is_terminal() => self.tokens.retain(|_, held| held.run != run),
            _ => {}
        }
        Ok(())
    }
}

/// Adds a frame to a log, where it may stand.
fn append(followed: &mut Followed, head: Position, frame: &Frame) -> Result<(), String> {
    if frame.first != head.next() {
        return Err(format!("it does not follow on position {head}"));
    }
    let last = followed.frames.last();
    if last.is_some_and(|last| last.at > frame.at) {
        return Err("its time is before that of the event in front of it".to_owned());
    }
    let before: Vec<(HookId, u64)> = {
        let hooks = followed.entities.hooks().values();
        hooks.map(|hook| (hook.id, hook.taken)).collect()
    };
    followed
        .entities
        .apply_frame(frame)
        .map_err(|illegal| format!("it is not legal: {illegal}"))?;
    followed.frames.push(frame.clone());
    let gave_back = before.into_iter().find(|(hook, taken)| {
        let hook = followed.entities.hooks().get(hook);
        hook.is_none_or(|hook| hook.taken < *taken)
    });
    match gave_back {
        Some((hook, taken)) => Err(format!(
            "{taken} payloads of hook {hook} were taken, and now fewer"
        )),
        None => Ok(()),
    }
}

/// Nobody takes what was not received.
fn counts(entities: &Entities) -> Result<(), String> {
    let mut hooks = entities.hooks().values();
    match hooks.find(|hook| hook.taken > hook.received) {
        Some(hook) => Err(format!(
            "{} payloads of hook {} were taken, and {} received",
            hook.taken, hook.id, hook.received
        )),
        None => Ok(()),
    }
}

/// A log holds records of one code only.
fn tell_code(followed: &mut Followed, kind: &EventKind) -> Result<(), String> {
    let EventKind::StepCreated { name, .. } = kind else {
        return Ok(());
    };
    let Some(code) = Code::of_step(name) else {
        return Ok(());
    };
    match followed.code.replace(code) {
        Some(other) if other != code => Err(format!(
            "its log holds steps of {other:?} code, and {code:?} code appends step `{name}`"
        )),
        Some(_) | None => Ok(()),
    }
}

/// A run's row.
pub(crate) fn row(store: &MemoryStore, scope: ScopeId, run: RunId) -> Option<RunRow> {
    store.run(scope, run).now_or_never()?.ok()?
}

/// The number that a payload carries: as it is, in a text, or as the body of a request.
pub(crate) fn number_of(payload: &Payload) -> Option<u64> {
    if let Ok(number) = payload::decode::<u64>(payload) {
        return Some(number);
    }
    if let Ok(text) = payload::decode::<String>(payload) {
        return text.rsplit(' ').next()?.parse().ok();
    }
    let request: Request = payload::decode(payload).ok()?;
    std::str::from_utf8(&request.body).ok()?.parse().ok()
}

/// The frames of a run after a position.
///
/// # Errors
///
/// What the store said.
pub(crate) fn frames(
    store: &MemoryStore,
    scope: ScopeId,
    run: RunId,
    after: Position,
) -> Result<Vec<Frame>, String> {
    let frames = store.frames(scope, run, after, ALL).now_or_never();
    frames
        .expect("the memory store answers at once")
        .map_err(|error| error.to_string())
}

/// The run's row says what its log says, and nobody is forgotten.
fn agrees(row: &RunRow, followed: &Followed, latest: Timestamp) -> Result<(), String> {
    let entities = &followed.entities;
    let Some(run) = entities.run() else {
        return Err("its log has no beginning".to_owned());
    };
    let head = followed.frames.last().map(Frame::last);
    let live = entities.live_hooks().count();
    if row.status != run.status || Some(row.head) != head {
        return Err(format!("its row {row:?} is not what its log says"));
    }
    if run.status.is_terminal() {
        return match (row.wake_at, row.children) {
            (Some(_), 0) => Err("it has ended, and a wake-up is left".to_owned()),
            (None, children) if children > 0 => Err(format!(
                "it has ended, and nobody will tell its {children} children"
            )),
            (Some(_) | None, _) => Ok(()),
        };
    }
    if row.live_hooks as usize != live {
        return Err(format!(
            "its row counts {} live hooks of {live}",
            row.live_hooks
        ));
    }
    if row.parked.is_some() {
        return Ok(());
    }
    match needed_wake_up(row, entities, latest) {
        Some(needed) if row.wake_at.is_none_or(|at| at > needed) => Err(format!(
            "it must be looked at by {needed:?}, and the wake-up index says {:?}",
            row.wake_at
        )),
        _ => Ok(()),
    }
}

/// True where the run was asked to end, or takes back what it did: nobody runs a step any more that is
/// neither shielded nor undoes something. Which steps are shielded no log says; a wait bounds these.
fn cleans_up(entities: &Entities) -> bool {
    let asked = entities.run().is_some_and(|run| run.cancel_requested);
    let mut steps = entities.steps().values();
    asked || steps.any(|step| step.name == TAKE_BACK)
}

/// When a worker must look at the run at the latest; "at once" is at `latest`.
fn needed_wake_up(row: &RunRow, entities: &Entities, latest: Timestamp) -> Option<Timestamp> {
    let told_to_wait = entities
        .run()
        .is_some_and(|run| run.started_at.is_none() && run.not_before.is_some());
    let ready = (row.is_ready() && !told_to_wait).then_some(latest);
    let cleans_up = cleans_up(entities);
    let steps = entities
        .open_steps()
        .filter(|step| !cleans_up || step.name == TAKE_BACK)
        .filter(|step| step.child.is_none())
        .map(|step| step.retry_at.unwrap_or(latest));
    let needed = ready.into_iter().chain(steps).chain(entities.next_due());
    needed.min().map(|needed| needed.max(latest))
}
