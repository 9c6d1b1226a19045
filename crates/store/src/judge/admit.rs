//! Which run takes this payload: the one whose hook holds the token, or a new one?

use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::time::Timestamp;

use super::arrival::Arrival;
use super::begin::{Begun, begin};
use super::deliver::deliver;
use super::forget;
use super::mail::Mail;
use super::rows::{Rows, Verdict, Write};
use crate::admission::{Admit, AdmitRefusal, Admitted, admit_refusal};
use crate::error::{Failed, StoreError};
use crate::request::Delivered;
use crate::row::{KeyRow, ScopeId};

type Refused = Failed<AdmitRefusal>;

/// Judges an admission: the live hook of the token takes the payload, or a new run begins that owns
/// the token and finds the payload waiting.
///
/// # Errors
///
/// [`AdmitRefusal`] as its variants say; a [`StoreError`] of `rows`.
pub fn admit(
    rows: &mut impl Rows,
    request: &Admit,
    now: Timestamp,
) -> Result<Verdict<Admitted>, Refused> {
    // A try before this one may have begun the run, whose hook would take the payload once more. With a
    // key, that is what finds the first answer.
    if request.repeat && request.key.is_none() && is_there(rows, request)? {
        return start(rows, request, now);
    }
    match deliver(rows, &request.delivery(), now) {
        Ok(verdict) => delivered(rows, request, verdict),
        Err(Failed::Store(error)) => Err(error.into()),
        Err(Failed::Refused(refusal)) => match admit_refusal(&refusal) {
            Some(refusal) => Err(Failed::Refused(refusal)),
            None => start(rows, request, now),
        },
    }
}

/// True where the run that the admission names exists.
fn is_there(rows: &mut impl Rows, request: &Admit) -> Result<bool, StoreError> {
    let seen = rows.look_at(request.fallback.run, |_| ())?;
    Ok(seen.is_some())
}

/// A hook has taken it, now or under the same key before; then its run may have been started for it.
fn delivered(
    rows: &mut impl Rows,
    request: &Admit,
    verdict: Verdict<Delivered>,
) -> Result<Verdict<Admitted>, Refused> {
    let Delivered {
        hook,
        position,
        event,
        mut frame,
    } = verdict.answer;
    let mut started = false;
    if let (Some(key), true) = (&request.key, verdict.writes.is_empty()) {
        let first = rows.key(request.scope, &request.token, &key.key)?;
        started = first.is_some_and(|first| first.started);
    }
    if started && hook.run == request.fallback.run {
        frame = first_frame(rows, request)?;
    }
    Ok(Verdict {
        writes: verdict.writes,
        answer: Admitted {
            hook,
            started,
            position,
            event,
            frame,
        },
    })
}

fn start(
    rows: &mut impl Rows,
    request: &Admit,
    now: Timestamp,
) -> Result<Verdict<Admitted>, Refused> {
    let run = request.fallback.run;
    if let Some(scope) = rows.look_at(run, |row| row.scope)? {
        let answer = answered_before(rows, request, scope)?;
        let exists = Failed::Refused(AdmitRefusal::RunExists { run });
        return Ok(Verdict {
            writes: Vec::new(),
            answer: answer.ok_or(exists)?,
        });
    }
    let place = (request.scope, &request.token);
    let mut mail = Mail::default();
    let kept = mail.take_out(rows, place, now)?;
    let arrivals = kept.iter().cloned().map(Arrival::from);
    let arrivals = arrivals.chain([own(request)]);
    let mut begun = begin(place, &request.fallback, arrivals, request.begins, now);
    begun.row.node = request.node;
    begun.hook.keyed = request.key.is_some();
    let bound = forget::bind(rows, &mut begun.hook, &kept)?;
    let answer = answer(&begun);
    let mut writes: Vec<_> = mail.writes(request.scope).collect();
    writes.extend(bound);
    writes.push(Write::Token(Box::new(begun.hook.clone())));
    if let Some(key) = key(request, &answer) {
        writes.push(key);
        writes.extend(forget::due(rows, request.scope, now, forget::ALONG)?);
    }
    writes.extend(begun.writes());
    Ok(Verdict { writes, answer })
}

/// The payload of the request itself. It has started its run, and so it stays there.
fn own(request: &Admit) -> Arrival {
    Arrival {
        payload: request.payload.clone(),
        key: request.key.as_ref().map(|key| key.key.clone()),
        fallback: None,
        kept_until: None,
    }
}

fn answer(begun: &Begun) -> Admitted {
    let received = |kind: &EventKind| matches!(kind, EventKind::HookReceived { .. });
    let event = begun.frame.iter().filter(|event| received(event.kind));
    let own = event.last().expect("the log begins with the payload");
    Admitted {
        hook: begun.hook.clone(),
        started: true,
        position: own.position,
        event: own.id,
        frame: Some(begun.frame.clone()),
    }
}

fn key(request: &Admit, answer: &Admitted) -> Option<Write> {
    let key = request.key.as_ref()?;
    let row = KeyRow {
        hook: Some(answer.hook.clone()),
        position: answer.position,
        event: answer.event,
        digest: key.digest,
        started: true,
        kept_until: None,
    };
    let (token, key) = (request.token.clone(), key.key.clone());
    Some(Write::Key(request.scope, token, key, Box::new(row)))
}

fn first_frame(rows: &mut impl Rows, request: &Admit) -> Result<Option<Frame>, Refused> {
    let frames = rows.frames(request.fallback.run, Position::START)?;
    let first = frames.into_iter().next();
    Ok(first.filter(|frame| frame.id == request.fallback.event))
}

/// The named run exists: a try before this one began it, or the payload was left unread in another
/// run and began it then. Its hook is as it was at the beginning.
fn answered_before(
    rows: &mut impl Rows,
    request: &Admit,
    scope: ScopeId,
) -> Result<Option<Admitted>, Refused> {
    let Some(frame) = first_frame(rows, request)?.filter(|_| scope == request.scope) else {
        return Ok(None);
    };
    let again = begin(
        (request.scope, &request.token),
        &request.fallback,
        arrivals(&frame),
        request.begins,
        frame.at,
    );
    Ok(Some(answer(&again)))
}

/// The payloads with which a log begins.
fn arrivals(frame: &Frame) -> Vec<Arrival> {
    let received = frame.events.iter().filter_map(|kind| {
        let EventKind::HookReceived {
            payload,
            key,
            fallback,
            kept_until,
            ..
        } = kind
        else {
            return None;
        };
        Some(Arrival {
            payload: payload.clone(),
            key: key.clone(),
            fallback: fallback.clone(),
            kept_until: *kept_until,
        })
    });
    received.collect()
}
