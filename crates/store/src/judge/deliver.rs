//! May this payload be delivered?

use std::time::Duration;

use rewake_core::event::{EventKind, Frame, Position, Writer};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::arrival::{self, Arrival};
use super::rows::{Rows, Verdict, Write};
use super::{effect, forget, tokens};
use crate::error::{Failed, StoreError};
use crate::request::{Deliver, DeliverRefusal, Delivered, DeliveryKey, Door};
use crate::row::{KeyRow, RunRow, ScopeId, TokenRow};

type Refused = Failed<DeliverRefusal>;

/// Judges a delivery.
///
/// # Errors
///
/// [`DeliverRefusal`] as its variants say; a [`StoreError`] of `rows`.
pub fn deliver(
    rows: &mut impl Rows,
    request: &Deliver,
    now: Timestamp,
) -> Result<Verdict<Delivered>, Refused> {
    hand_over(rows, request, None, now)
}

/// Hands over a payload that returns to the mailbox if it is left unread within `keep_for`.
pub(super) fn hand_over(
    rows: &mut impl Rows,
    request: &Deliver,
    keep_for: Option<Duration>,
    now: Timestamp,
) -> Result<Verdict<Delivered>, Refused> {
    if let Some(answer) = same_key(rows, request)? {
        return Ok(Verdict {
            writes: Vec::new(),
            answer,
        });
    }
    let (mut hook, mut row) = hook_and_run(rows, request)?;
    if request.repeat
        && let Some(answer) = same_event(rows, request, &hook)?
    {
        return Ok(Verdict {
            writes: Vec::new(),
            answer,
        });
    }
    not_overdue(&hook, effect::frame_time(&row, now))?;
    within_limit(request, &hook, &row)?;

    let frame = frame(request, &hook, &row, keep_for, now);
    arrival::note_fate(&mut row, &frame.events[0]);
    tokens::count(&mut row, &mut hook, request.payload.len() as u64);
    hook.keyed |= request.key.is_some();
    effect::advance(&mut row, &frame);
    if row.parked.is_none() {
        row.wake_at = Some(
            row.wake_at
                .map_or(frame.at, |wake_at| wake_at.min(frame.at)),
        );
    }
    let mut writes = vec![
        Write::frame(hook.run, &frame),
        Write::Run(hook.run, row),
        Write::Token(Box::new(hook.clone())),
    ];
    let (position, event) = (frame.first, frame.id);
    writes.extend(keys(rows, request, &hook, &frame)?);
    if request.key.is_some() {
        writes.extend(forget::due(rows, request.scope, now, forget::ALONG)?);
    }
    Ok(Verdict {
        writes,
        answer: Delivered {
            hook,
            position,
            event,
            frame: Some(frame),
        },
    })
}

/// What is remembered of a delivery with a key.
fn keys(
    rows: &mut impl Rows,
    request: &Deliver,
    hook: &TokenRow,
    frame: &Frame,
) -> Result<Vec<Write>, StoreError> {
    let Some(key) = &request.key else {
        return Ok(Vec::new());
    };
    let mut names = vec![key.key.as_str()];
    let first = DeliveryKey::FIRST;
    if hook.is_webhook
        && key.key != first
        && rows.key(request.scope, &request.token, first)?.is_none()
    {
        names.push(first);
    }
    let row = KeyRow {
        hook: Some(hook.clone()),
        position: frame.first,
        event: frame.id,
        digest: key.digest,
        started: false,
        kept_until: None,
    };
    let write = |name: &str| {
        let row = Box::new(row.clone());
        Write::Key(request.scope, request.token.clone(), name.to_owned(), row)
    };
    Ok(names.into_iter().map(write).collect())
}

/// The same key again gives the same answer, also after the hook has gone.
fn same_key(rows: &mut impl Rows, request: &Deliver) -> Result<Option<Delivered>, Refused> {
    let Some(key) = &request.key else {
        return Ok(None);
    };
    let Some(first) = rows.key(request.scope, &request.token, &key.key)? else {
        return Ok(None);
    };
    // What the mailbox took is not an answer that this caller could be given.
    let (Some(hook), None) = (first.hook, first.kept_until) else {
        return Err(Failed::Refused(DeliverRefusal::KeyReused));
    };
    check_door(request, &hook)?;
    if key.digest.is_some() && first.digest.is_some() && key.digest != first.digest {
        return Err(Failed::Refused(DeliverRefusal::KeyReused));
    }
    let frame = if first.event == request.id {
        frame_of(rows, request, hook.run)?
    } else {
        None
    };
    Ok(Some(Delivered {
        hook,
        position: first.position,
        event: first.event,
        frame,
    }))
}

fn hook_and_run(
    rows: &mut impl Rows,
    request: &Deliver,
) -> Result<(TokenRow, Box<RunRow>), Refused> {
    let no_hook = || Failed::Refused(DeliverRefusal::NoHook);
    let hook = rows.token(request.scope, &request.token)?;
    let hook = hook.ok_or_else(no_hook)?;
    check_door(request, &hook)?;
    let row = rows.run(hook.run)?.ok_or_else(no_hook)?;
    Ok((hook, row))
}

/// The time is that of the frame to be written, so that no log says that a hook took a payload
/// after its time.
fn not_overdue(hook: &TokenRow, at: Timestamp) -> Result<(), Refused> {
    if tokens::is_overdue(hook, at) {
        let (run, hook) = (hook.run, hook.hook);
        return Err(Failed::Refused(DeliverRefusal::HookOverdue { run, hook }));
    }
    Ok(())
}

fn check_door(request: &Deliver, hook: &TokenRow) -> Result<(), Refused> {
    let fits = match request.door {
        Door::Hook => !hook.is_webhook,
        Door::Webhook => hook.is_webhook,
    };
    if fits {
        Ok(())
    } else {
        Err(Failed::Refused(DeliverRefusal::WrongDoor))
    }
}

/// The answer to a try before this one, if it was committed, as its log tells it. The hook that took
/// the payload may have taken others since, or have left its token to another hook of the run.
fn same_event(
    rows: &mut impl Rows,
    request: &Deliver,
    holder: &TokenRow,
) -> Result<Option<Delivered>, StoreError> {
    let mut frames = rows.frames(holder.run, Position::START)?;
    let Some(at) = frames.iter().position(|frame| frame.id == request.id) else {
        return Ok(None);
    };
    frames.truncate(at + 1);
    let hook = took_last(request.scope, holder.run, &frames);
    Ok(hook.zip(frames.pop()).map(|(hook, frame)| Delivered {
        hook,
        position: frame.first,
        event: frame.id,
        frame: Some(frame),
    }))
}

/// The row of the hook that took the last payload of a log, as that payload left it.
fn took_last(scope: ScopeId, run: RunId, frames: &[Frame]) -> Option<TokenRow> {
    let received = |kind: &EventKind| match kind {
        EventKind::HookReceived {
            hook, payload, key, ..
        } => Some((*hook, payload.len() as u64, key.is_some())),
        _ => None,
    };
    let (hook, ..) = received(frames.last()?.events.last()?)?;
    let mut created = frames.iter().flat_map(|frame| {
        let row = |kind| effect::token_row(scope, run, frame.at, kind);
        frame.events.iter().filter_map(row)
    });
    let mut row = created.find(|row| row.hook == hook)?;
    let taken = frames.iter().flat_map(|frame| &frame.events);
    let taken = taken.filter_map(received).filter(|(by, ..)| *by == hook);
    for (_, bytes, keyed) in taken {
        row.received += 1;
        row.received_bytes += bytes;
        row.keyed |= keyed;
    }
    Some(row)
}

/// The frame that this request wrote in the log of `run`, if a try before this one was committed.
fn frame_of(
    rows: &mut impl Rows,
    request: &Deliver,
    run: RunId,
) -> Result<Option<Frame>, StoreError> {
    let frames = rows.frames(run, Position::START)?;
    Ok(frames.into_iter().find(|frame| frame.id == request.id))
}

fn within_limit(request: &Deliver, hook: &TokenRow, row: &RunRow) -> Result<(), Refused> {
    let taken = row.taken.iter().find(|taken| taken.hook == hook.hook);
    let count = hook
        .received
        .saturating_sub(taken.map_or(0, |taken| taken.count));
    let bytes = hook
        .received_bytes
        .saturating_sub(taken.map_or(0, |taken| taken.bytes));
    let limit = request.limit;
    if count >= limit.count || bytes + request.payload.len() as u64 > limit.bytes {
        return Err(Failed::Refused(DeliverRefusal::Full { count, bytes }));
    }
    Ok(())
}

fn frame(
    request: &Deliver,
    hook: &TokenRow,
    row: &RunRow,
    keep_for: Option<Duration>,
    now: Timestamp,
) -> Frame {
    let at = effect::frame_time(row, now);
    let arrival = Arrival {
        payload: request.payload.clone(),
        key: request.key.as_ref().map(|key| key.key.clone()),
        fallback: request.fallback.clone(),
        kept_until: keep_for.map(|keep_for| at.after(keep_for)),
    };
    Frame {
        first: row.head.next(),
        at,
        id: request.id,
        writer: Writer::Outsider,
        events: vec![arrival.event(hook.hook)],
        taken: Vec::new(),
    }
}
