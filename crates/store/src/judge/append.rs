//! May this be added to a log?

use rewake_core::entity::Entities;
use rewake_core::event::{EventKind, Frame, Position, Taken, Writer};
use rewake_core::id::{RunId, StepId};
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::effect;
use super::rows::{Rows, Verdict, Write};
use crate::error::{Failed, StoreError};
use crate::request::{Append, AppendRefusal, Appended, Condition, Mark};
use crate::row::RunRow;

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
    let mut row = match rows.run(run)? {
        Some(row) if row.scope == request.scope => row,
        Some(_) | None => return Err(refuse(AppendRefusal::RunUnknown { run })),
    };
    if request.repeat
        && let Some(answer) = answered_before(rows, request, &row)?
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
    let mut writes = Vec::with_capacity(2);
    let events = register(rows, request, &mut row, at, &mut writes)?;
    let frame = (!events.is_empty()).then(|| frame(request, &row, at, events));
    if let Some(frame) = &frame {
        effect::advance(&mut row, frame);
        writes.push(Write::Frame(run, frame.clone()));
    }
    effect::release(rows, run, &mut row, &request.release, &mut writes)?;
    mark(&mut row, request.mark.as_ref(), before, frame.as_ref(), at);
    if row.status.is_terminal() && row.live_hooks > 0 {
        return Err(refuse(AppendRefusal::TokensLeft {
            run,
            left: row.live_hooks,
        }));
    }
    let head = row.head;
    writes.push(Write::Run(run, Box::new(row)));
    let frames = others.into_iter().chain(frame).collect();
    Ok(Verdict {
        writes,
        answer: Appended { frames, head },
    })
}

const fn refuse(refusal: AppendRefusal) -> Refused {
    Failed::Refused(refusal)
}

/// A try before this one may have been committed; its first event's id tells.
fn answered_before(
    rows: &mut impl Rows,
    request: &Append,
    row: &RunRow,
) -> Result<Option<Appended>, StoreError> {
    let frames = rows.frames(request.run, Position::START)?;
    let Some(own) = frames.iter().find(|frame| frame.id == request.id) else {
        return Ok(None);
    };
    let since = request.since.unwrap_or(Position(own.first.0 - 1));
    let frames = frames
        .into_iter()
        .filter(|frame| frame.first > since)
        .collect();
    Ok(Some(Appended {
        frames,
        head: row.head,
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
            Condition::RunLive => {}
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
                if held.is_none_or(|held| held.hook != *hook) {
                    return Err(refuse(AppendRefusal::HookGone { hook: *hook }));
                }
            }
            Condition::StepOpen(step) => step_is_open(rows, run, *step)?,
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

/// Takes the tokens of hooks that the events register. One that is held makes the event a
/// `hook_conflict`; one whose hook is overdue must be expired first, because two runs are never
/// changed in one transaction.
fn register(
    rows: &mut impl Rows,
    request: &Append,
    row: &mut RunRow,
    at: Timestamp,
    writes: &mut Vec<Write>,
) -> Result<Vec<EventKind>, Refused> {
    let mut taken_here: Vec<Token> = Vec::new();
    let mut events = Vec::with_capacity(request.events.len());
    for kind in &request.events {
        let Some(token) = effect::token_row(request.scope, request.run, at, kind) else {
            events.push(kind.clone());
            continue;
        };
        // An append may end a hook and register another under the same token, in this order.
        let held = match rows.token(request.scope, &token.token)? {
            Some(held) if request.release.contains(&token.token) && held.run == request.run => None,
            held => held,
        };
        if let Some(held) = held {
            if held.expires_at.is_some_and(|expiry| expiry <= at) {
                return Err(refuse(AppendRefusal::HookOverdue {
                    run: held.run,
                    hook: held.hook,
                    token: token.token,
                }));
            }
            events.push(conflict(&token, held.run));
        } else if taken_here.contains(&token.token) {
            events.push(conflict(&token, request.run));
        } else if ends_here(request, &token) {
            events.push(kind.clone());
        } else {
            events.push(kind.clone());
            taken_here.push(token.token.clone());
            row.live_hooks += 1;
            writes.push(Write::Token(Box::new(token)));
        }
    }
    Ok(events)
}

/// A hook given up before it was registered is created and disposed of by the same append.
fn ends_here(request: &Append, wanted: &crate::row::TokenRow) -> bool {
    request
        .events
        .iter()
        .any(|kind| matches!(kind, EventKind::HookDisposed { hook, .. } if *hook == wanted.hook))
}

fn conflict(wanted: &crate::row::TokenRow, owner: RunId) -> EventKind {
    EventKind::HookConflict {
        hook: wanted.hook,
        token: wanted.token.clone(),
        owner,
    }
}

fn frame(request: &Append, row: &RunRow, at: Timestamp, events: Vec<EventKind>) -> Frame {
    let from_worker = request.mark.is_some();
    Frame {
        first: row.head.next(),
        at,
        id: request.id,
        writer: if from_worker {
            Writer::Worker
        } else {
            Writer::Outsider
        },
        events,
        taken: request
            .mark
            .as_ref()
            .map(|mark| mark.taken.clone())
            .unwrap_or_default(),
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
    for taken in &mark.taken {
        note_taken(&mut row.taken, *taken);
    }
    let unseen = before > mark.reacted;
    // Records need no reaction: the worker that wrote them has had it.
    row.reacted = if brings_work || unseen {
        mark.reacted
    } else {
        row.head
    };
    row.wake_at = if unseen {
        Some(row.wake_at.map_or(at, |wake_at| wake_at.min(at)))
    } else if brings_work {
        Some(at)
    } else {
        mark.wake_at
    };
    if mark.rested {
        row.crashes = 0;
    }
    row.parked.clone_from(&mark.parked);
    if row.parked.is_some() {
        row.wake_at = None;
    }
    clear_if_ended(row);
}

fn clear_if_ended(row: &mut RunRow) {
    if row.status.is_terminal() {
        row.wake_at = None;
        row.reacted = row.head;
        row.taken.clear();
        row.parked = None;
    }
}

fn note_taken(all: &mut Vec<Taken>, taken: Taken) {
    match all.iter_mut().find(|entry| entry.hook == taken.hook) {
        Some(entry) => *entry = taken,
        None => all.push(taken),
    }
}
