//! May this log begin?

use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::effect;
use super::rows::{Rows, Verdict, Write};
use super::taking::{Author, Stop, TakenIn, Taking};
use super::tokens::InTheWay;
use crate::error::{Failed, StoreError};
use crate::request::{Create, CreateRefusal, Created};
use crate::row::StartKeyRow;

/// Judges the beginning of a log.
///
/// # Errors
///
/// [`CreateRefusal`] as its variants say; a [`StoreError`] of `rows`.
pub fn create(
    rows: &mut impl Rows,
    request: &Create,
    now: Timestamp,
) -> Result<Verdict<Created>, Failed<CreateRefusal>> {
    if let Some(answer) = answered_before(rows, request)? {
        return Ok(Verdict {
            writes: Vec::new(),
            answer,
        });
    }
    let author = Author {
        run: request.run,
        id: request.id,
        at: now,
        said: None,
    };
    let blank = Box::new(effect::blank(request.scope, &request.events, now));
    let mut taking = Taking::new(rows, author, blank, &[])?;
    for kind in &request.events {
        taking.take(kind).map_err(refuse)?;
    }
    let TakenIn {
        mut row,
        frame,
        mut writes,
        ..
    } = taking.finish();
    row.node = request.node;
    row.wake_at = Some(not_before(&request.events).map_or(now, |at| at.max(now)));
    if let Some(key) = &request.key {
        let start = StartKeyRow {
            run: request.run,
            digest: key.digest,
        };
        writes.push(Write::StartKey(request.scope, key.key.clone(), start));
    }
    writes.push(Write::Run(request.run, row));
    Ok(Verdict {
        writes,
        answer: Created {
            run: request.run,
            frame,
        },
    })
}

fn refuse(stop: Stop) -> Failed<CreateRefusal> {
    let InTheWay {
        run,
        hook,
        token,
        overdue,
    } = match stop {
        Stop::InTheWay(in_the_way) => in_the_way,
        Stop::Store(error) => return error.into(),
    };
    Failed::Refused(if overdue {
        CreateRefusal::HookOverdue { run, hook, token }
    } else {
        CreateRefusal::TokenTaken { owner: run }
    })
}

fn answered_before(
    rows: &mut impl Rows,
    request: &Create,
) -> Result<Option<Created>, Failed<CreateRefusal>> {
    if let Some(key) = &request.key
        && let Some(start) = rows.start_key(request.scope, &key.key)?
    {
        let run = start.run;
        if start.digest != key.digest {
            return Err(Failed::Refused(CreateRefusal::KeyReused { run }));
        }
        let frame = own_frame(rows, request, run)?;
        return Ok(Some(Created { run, frame }));
    }
    let run = request.run;
    let Some(scope) = rows.look_at(run, |row| row.scope)? else {
        return Ok(None);
    };
    // A run of another project or environment is in the way, and no more is said of it.
    let own = if scope == request.scope {
        own_frame(rows, request, run)?
    } else {
        None
    };
    let exists = Failed::Refused(CreateRefusal::RunExists { run });
    let frame = Some(own.ok_or(exists)?);
    Ok(Some(Created { run, frame }))
}

/// The frame that `run` begins with, where this request wrote it.
fn own_frame(
    rows: &mut impl Rows,
    request: &Create,
    run: RunId,
) -> Result<Option<Frame>, StoreError> {
    if run != request.run {
        return Ok(None);
    }
    let first = rows.frames(run, Position::START)?.into_iter().next();
    Ok(first.filter(|frame| frame.id == request.id))
}

fn not_before(events: &[EventKind]) -> Option<Timestamp> {
    events.iter().find_map(|kind| match kind {
        EventKind::RunCreated { not_before, .. } => *not_before,
        _ => None,
    })
}
