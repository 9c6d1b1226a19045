//! May this be added to a log?

use rewake_core::entity::Entities;
use rewake_core::event::{Correlation, EventKind, Frame, Position};
use rewake_core::id::{RunId, StepId, WaitId};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::rows::{Rows, Verdict, Write};
use super::taking::{Author, Stop, TakenIn, Taking, note_taken};
use super::tokens::InTheWay;
use super::{children, effect};
use crate::error::{Failed, StoreError};
use crate::request::{Append, AppendRefusal, Appended, Condition, Mark};
use crate::row::{Left, Parked, RunRow};

type Refused = Failed<AppendRefusal>;

/// Judges an append.
///
/// # Errors
///
/// [`AppendRefusal`] as its variants say; a [`StoreError`] of `rows`.
pub fn append(
    rows: &mut impl Rows,
    request: &Append,
    now: Timestamp,
) -> Result<Verdict<Appended>, Refused> {
    let run = request.run;
    let row = match rows.run(run)? {
        Some(row) if row.scope == request.scope => row,
        Some(_) | None => return Err(refuse(AppendRefusal::RunUnknown { run })),
    };
    if request.repeat
        && let Some(answer) = answered_before(rows, request)?
    {
        return Ok(Verdict {
            writes: Vec::new(),
            answer,
        });
    }
    check(rows, request, &row)?;
    let before = row.head;
    let others = match request.since {
        Some(since) if since < before => rows.frames(run, since)?,
        Some(_) | None => Vec::new(),
    };
    let at = effect::frame_time(&row, now);
    let author = Author {
        run,
        id: request.id,
        at,
        said: request.mark.as_ref().map(|mark| &*mark.taken),
    };
    let kin = children::Changes::new(rows, request, at)?;
    let mut taking = Taking::new(rows, author, row, &request.release)?;
    register(&mut taking, request)?;
    let TakenIn {
        mut row,
        frame,
        mut writes,
        started,
    } = taking.finish();
    kin.count(&mut row);
    mark(&mut row, request.mark.as_ref(), before, frame.as_ref(), at);
    if row.status.is_terminal() && row.live_hooks > 0 {
        return Err(refuse(AppendRefusal::TokensLeft {
            run,
            left: row.live_hooks,
        }));
    }
    check_hooks(request, row.live_hooks)?;
    writes.extend(kin.writes);
    writes.extend(children::end(rows, run, &mut row, frame.as_ref())?);
    let head = row.head;
    writes.push(Write::Run(run, row));
    let frames = others.into_iter().chain(frame).collect();
    Ok(Verdict {
        writes,
        answer: Appended {
            frames,
            head,
            started,
        },
    })
}

const fn refuse(refusal: AppendRefusal) -> Refused {
    Failed::Refused(refusal)
}

/// A try before this one may have been committed; its first event's id tells.
fn answered_before(rows: &mut impl Rows, request: &Append) -> Result<Option<Appended>, StoreError> {
    let frames = rows.frames(request.run, Position::START)?;
    let Some(own) = frames.iter().find(|frame| frame.id == request.id) else {
        return Ok(None);
    };
    let since = request.since.unwrap_or(Position(own.first.0 - 1));
    let (first, head) = (own.first, own.last());
    let frames = frames
        .into_iter()
        .filter(|frame| frame.first > since && frame.first <= first)
        .collect();
    Ok(Some(Appended {
        frames,
        head,
        started: Vec::new(),
    }))
}

fn check(rows: &mut impl Rows, request: &Append, row: &RunRow) -> Result<(), Refused> {
    let run = request.run;
    if row.status.is_terminal() {
        return Err(refuse(AppendRefusal::RunEnded {
            run,
            status: row.status,
        }));
    }
    let from_worker = request.mark.is_some();
    if from_worker && row.parked.is_some() && !request.events.is_empty() {
        return Err(refuse(AppendRefusal::RunParked { run }));
    }
    for condition in &request.conditions {
        match condition {
            // How many there are is known once the events are taken.
            Condition::RunLive | Condition::HooksAtMost(_) => {}
            Condition::WorkerPosition(expected) if *expected == row.worker => {}
            Condition::WorkerPosition(expected) => {
                return Err(refuse(AppendRefusal::WorkerMoved {
                    run,
                    expected: *expected,
                    actual: row.worker,
                }));
            }
            Condition::HookLive { hook, token } => {
                let held = rows.token(request.scope, token)?;
                if held.is_none_or(|held| held.run != run || held.hook != *hook) {
                    return Err(refuse(AppendRefusal::HookGone { hook: *hook }));
                }
            }
            Condition::StepOpen(step) => step_is_open(rows, run, *step)?,
            Condition::WaitOpen { wait, since } => wait_is_open(rows, row, run, (*wait, *since))?,
        }
    }
    Ok(())
}

/// A hook that the same append ends makes room, and one in conflict takes none.
fn check_hooks(request: &Append, live: u32) -> Result<(), Refused> {
    for condition in &request.conditions {
        if let Condition::HooksAtMost(limit) = *condition
            && live > limit
        {
            let run = request.run;
            return Err(refuse(AppendRefusal::TooManyHooks { run, live, limit }));
        }
    }
    Ok(())
}

fn step_is_open(rows: &mut impl Rows, run: RunId, step: StepId) -> Result<(), Refused> {
    let frames = rows.frames(run, Position::START)?;
    let open = Entities::fold(run, &frames)
        .is_ok_and(|entities| entities.open_steps().any(|open| open.id == step));
    if open {
        Ok(())
    } else {
        Err(refuse(AppendRefusal::StepClosed { step }))
    }
}

/// Reads only what came after the position: mostly nothing.
fn wait_is_open(
    rows: &mut impl Rows,
    row: &RunRow,
    run: RunId,
    (wait, since): (WaitId, Position),
) -> Result<(), Refused> {
    if row.head <= since {
        return Ok(());
    }
    let frames = rows.frames(run, since)?;
    let mut later = frames.iter().flat_map(|frame| &frame.events);
    if later.any(|kind| ends(kind, wait)) {
        return Err(refuse(AppendRefusal::WaitClosed { wait }));
    }
    Ok(())
}

fn ends(kind: &EventKind, open: WaitId) -> bool {
    matches!(
        kind,
        EventKind::WaitCompleted { wait } | EventKind::WaitCancelled { wait } if *wait == open
    )
}

/// Takes the events in order. A hook whose token is held is in conflict; one whose token is held
/// past its holder's time must wait until that one is expired.
fn register(taking: &mut Taking<'_, impl Rows>, request: &Append) -> Result<(), Refused> {
    for kind in &request.events {
        let InTheWay {
            run,
            hook,
            token,
            overdue,
        } = match taking.take(kind) {
            Ok(()) => continue,
            Err(Stop::Store(error)) => return Err(error.into()),
            Err(Stop::InTheWay(in_the_way)) => in_the_way,
        };
        if overdue {
            return Err(refuse(AppendRefusal::HookOverdue { run, hook, token }));
        }
        taking.add(conflict(kind, token, run));
    }
    Ok(())
}

fn conflict(wanted: &EventKind, token: Token, owner: RunId) -> EventKind {
    match wanted.correlation_id() {
        Some(Correlation::Hook(hook)) => EventKind::HookConflict { hook, token, owner },
        Some(Correlation::Step(_) | Correlation::Wait(_)) | None => {
            unreachable!("only a hook wants a token")
        }
    }
}

/// Moves what the run's row says about when a worker must look at it.
///
/// A run is ready while a fact stands in its log whose reaction is not recorded: one that this frame
/// brings, or one that others wrote and the worker had not seen.
fn mark(
    row: &mut RunRow,
    mark: Option<&Mark>,
    before: Position,
    frame: Option<&Frame>,
    at: Timestamp,
) {
    let brings_work = frame.is_some_and(|frame| effect::calls_for_reaction(&frame.events));
    let Some(mark) = mark else {
        if brings_work && row.parked.is_none() {
            row.wake_at = Some(row.wake_at.map_or(at, |wake_at| wake_at.min(at)));
        }
        clear_if_ended(row);
        return;
    };
    if let Some(frame) = frame {
        row.worker = frame.last();
    }
    let left = row.left.iter_mut().map(|left| &mut left.taken);
    for known in row.taken.iter_mut().chain(left) {
        note_taken(known, &mark.taken);
    }
    row.left.retain(Left::is_owed);
    let unseen = before > mark.reacted;
    // Records need no reaction: the worker that wrote them has had it.
    row.reacted = if brings_work || unseen {
        mark.reacted
    } else {
        row.head
    };
    // Due is due: a run that stays so keeps its place in the index, which is not written again.
    let known = |due: Timestamp| Some(row.wake_at.map_or(due, |known| known.min(due)));
    row.wake_at = match mark.wake_at {
        _ if unseen || brings_work => known(at),
        Some(due) if due <= at => known(due),
        wake_at => wake_at,
    };
    if mark.rested {
        row.crashes = 0;
    }
    park(row, mark);
    clear_if_ended(row);
}

/// A run that is parked is nobody's: another build may follow. One that goes on is its worker's.
fn park(row: &mut RunRow, mark: &Mark) {
    let before = row.parked.take();
    row.node = mark.node;
    let Some(mut parked) = mark.parked.clone() else {
        return;
    };
    if let Some(Parked { build, before, .. }) = before {
        parked.before = before;
        if build != parked.build && !parked.before.contains(&build) {
            parked.before.push(build);
        }
    }
    row.parked = Some(parked);
    row.node = None;
    row.wake_at = None;
}

fn clear_if_ended(row: &mut RunRow) {
    if row.status.is_terminal() {
        row.wake_at = None;
        row.reacted = row.head;
        row.taken.clear();
        row.parked = None;
    }
}
