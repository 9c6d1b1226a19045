//! May this payload be delivered?

use rewake_core::event::{EventKind, Frame, Position, Writer};
use rewake_core::time::Timestamp;

use super::effect;
use super::rows::{Rows, Verdict, Write};
use crate::error::{Failed, StoreError};
use crate::request::{Deliver, DeliverRefusal, Delivered, DeliveryKey, Door};
use crate::row::{KeyRow, RunRow, TokenRow};

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
    if let Some(answer) = same_key(rows, request)? {
        return Ok(Verdict {
            writes: Vec::new(),
            answer,
        });
    }
    let mut hook = live_hook(rows, request, now)?;
    let Some(mut row) = rows.run(hook.run)? else {
        return Err(Failed::Refused(DeliverRefusal::NoHook));
    };
    if request.repeat
        && let Some(answer) = same_event(rows, request, &hook)?
    {
        return Ok(Verdict {
            writes: Vec::new(),
            answer,
        });
    }
    within_limit(request, &hook, &row)?;

    let frame = frame(request, &hook, &row, now);
    hook.received += 1;
    hook.received_bytes += request.payload.len() as u64;
    effect::advance(&mut row, &frame);
    if row.parked.is_none() {
        row.wake_at = Some(
            row.wake_at
                .map_or(frame.at, |wake_at| wake_at.min(frame.at)),
        );
    }
    let mut writes = vec![
        Write::Frame(hook.run, frame.clone()),
        Write::Run(hook.run, Box::new(row)),
        Write::Token(Box::new(hook.clone())),
    ];
    let (position, event) = (frame.first, frame.id);
    writes.extend(keys(rows, request, &hook, &frame)?);
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
        hook: hook.clone(),
        position: frame.first,
        event: frame.id,
        digest: key.digest,
    };
    let write = |name: &str| {
        let row = Box::new(row.clone());
        Write::Key(request.token.clone(), name.to_owned(), row)
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
    check_door(request, &first.hook)?;
    if key.digest.is_some() && first.digest.is_some() && key.digest != first.digest {
        return Err(Failed::Refused(DeliverRefusal::KeyReused));
    }
    Ok(Some(Delivered {
        hook: first.hook,
        position: first.position,
        event: first.event,
        frame: None,
    }))
}

fn live_hook(rows: &mut impl Rows, request: &Deliver, now: Timestamp) -> Result<TokenRow, Refused> {
    let Some(hook) = rows.token(request.scope, &request.token)? else {
        return Err(Failed::Refused(DeliverRefusal::NoHook));
    };
    check_door(request, &hook)?;
    if hook.expires_at.is_some_and(|expiry| expiry <= now) {
        let (run, hook) = (hook.run, hook.hook);
        return Err(Failed::Refused(DeliverRefusal::HookOverdue { run, hook }));
    }
    Ok(hook)
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

fn same_event(
    rows: &mut impl Rows,
    request: &Deliver,
    hook: &TokenRow,
) -> Result<Option<Delivered>, StoreError> {
    let frames = rows.frames(hook.run, Position::START)?;
    Ok(frames
        .into_iter()
        .find(|frame| frame.id == request.id)
        .map(|frame| Delivered {
            hook: hook.clone(),
            position: frame.first,
            event: frame.id,
            frame: Some(frame),
        }))
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

fn frame(request: &Deliver, hook: &TokenRow, row: &RunRow, now: Timestamp) -> Frame {
    Frame {
        first: row.head.next(),
        at: effect::frame_time(row, now),
        id: request.id,
        writer: Writer::Outsider,
        events: vec![EventKind::HookReceived {
            hook: hook.hook,
            payload: request.payload.clone(),
            key: request.key.as_ref().map(|key| key.key.clone()),
            fallback: request.fallback.clone(),
        }],
        taken: Vec::new(),
    }
}
