//! May this log begin?

use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Frame, Position, Writer};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use super::effect;
use super::rows::{Rows, Verdict, Write};
use super::tokens::{InTheWay, Tokens};
use crate::error::{Failed, StoreError};
use crate::request::{Create, CreateRefusal, Created};
use crate::row::{RunRow, StartKeyRow};

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
    let frame = Frame {
        first: Position::START.next(),
        at: now,
        id: request.id,
        writer: Writer::Outsider,
        events: request.events.clone(),
        taken: Vec::new(),
    };
    let mut row = blank(request, now);
    effect::advance(&mut row, &frame);
    row.wake_at = Some(not_before(&request.events).map_or(now, |at| at.max(now)));

    let named = (&*request.events, &[][..]);
    let mut tokens = Tokens::look_up(rows, (request.scope, request.run), now, named)?;
    for kind in &request.events {
        tokens.take(&mut row, kind).map_err(refuse)?;
    }
    let mut writes: Vec<_> = tokens.writes(request.scope).collect();
    if let Some(key) = &request.key {
        let start = StartKeyRow {
            run: request.run,
            digest: key.digest,
        };
        writes.push(Write::StartKey(request.scope, key.key.clone(), start));
    }
    writes.push(Write::Frame(request.run, frame.clone()));
    writes.push(Write::Run(request.run, Box::new(row)));
    Ok(Verdict {
        writes,
        answer: Created {
            run: request.run,
            frame: Some(frame),
        },
    })
}

fn refuse(in_the_way: InTheWay) -> Failed<CreateRefusal> {
    let InTheWay {
        run, hook, token, ..
    } = in_the_way;
    Failed::Refused(if in_the_way.overdue {
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
    let Some(row) = rows.run(run)? else {
        return Ok(None);
    };
    // A run of another project or environment is in the way, and no more is said of it.
    let own = if row.scope == request.scope {
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

fn blank(request: &Create, now: Timestamp) -> RunRow {
    let (workflow, build) = request
        .events
        .iter()
        .find_map(|kind| match kind {
            EventKind::RunCreated {
                workflow, build, ..
            } => Some((workflow.clone(), build.clone())),
            _ => None,
        })
        .unwrap_or_default();
    RunRow {
        scope: request.scope,
        workflow,
        build,
        status: RunStatus::Pending,
        head: Position::START,
        worker: Position::START,
        reacted: Position::START,
        last_at: now,
        wake_at: None,
        crashes: 0,
        parked: None,
        live_hooks: 0,
        taken: Vec::new(),
        created_at: now,
        ended_at: None,
        tail: Position::START,
    }
}

fn not_before(events: &[EventKind]) -> Option<Timestamp> {
    events.iter().find_map(|kind| match kind {
        EventKind::RunCreated { not_before, .. } => *not_before,
        _ => None,
    })
}
