//! May this payload be delivered now, or kept for later?

use rewake_core::event::Position;
use rewake_core::time::Timestamp;

use super::deliver::hand_over;
use super::forget;
use super::rows::{Rows, Verdict, Write};
use crate::admission::{Post, PostRefusal, Posted, post_refusal};
use crate::error::Failed;
use crate::row::{KeyRow, MailRow};

type Refused = Failed<PostRefusal>;

/// So much of what is kept no longer is removed with each payload that is kept.
const SWEEP: usize = 16;

/// Judges a post: the live hook of the token takes the payload, or the mailbox keeps it.
///
/// # Errors
///
/// [`PostRefusal`] as its variants say; a [`StoreError`](crate::StoreError) of `rows`.
pub fn post(
    rows: &mut impl Rows,
    request: &Post,
    now: Timestamp,
) -> Result<Verdict<Posted>, Refused> {
    if let Some(until) = kept_before(rows, request)? {
        return Ok(Verdict {
            writes: Vec::new(),
            answer: Posted::Kept { until },
        });
    }
    match hand_over(rows, &request.delivery(), Some(request.keep_for), now) {
        Ok(Verdict { writes, answer }) => Ok(Verdict {
            writes,
            answer: Posted::Delivered(Box::new(answer)),
        }),
        Err(Failed::Store(error)) => Err(error.into()),
        Err(Failed::Refused(refusal)) => match post_refusal(&refusal) {
            Some(refusal) => Err(Failed::Refused(refusal)),
            None => keep(rows, request, now),
        },
    }
}

/// Until when the payload is kept, where the same key or the same request had it kept before.
fn kept_before(rows: &mut impl Rows, request: &Post) -> Result<Option<Timestamp>, Refused> {
    if let Some(key) = &request.key
        && let Some(first) = rows.key(request.scope, &request.token, &key.key)?
        && let Some(until) = first.kept_until
    {
        if first.digest != key.digest {
            return Err(Failed::Refused(PostRefusal::KeyReused));
        }
        return Ok(Some(until));
    }
    if !request.repeat {
        return Ok(None);
    }
    let kept = rows.mail(request.scope, &request.token)?;
    let own = kept.into_iter().find(|(_, mail)| mail.event == request.id);
    Ok(own.map(|(_, mail)| mail.until))
}

fn keep(rows: &mut impl Rows, request: &Post, now: Timestamp) -> Result<Verdict<Posted>, Refused> {
    let scope = request.scope;
    let expired = rows.expired_mail(scope, now, SWEEP)?;
    let all = rows.mail_size(scope, None)?;
    let count = all.count.saturating_sub(expired.len() as u64);
    if count >= request.most {
        return Err(Failed::Refused(PostRefusal::MailboxFull { count }));
    }
    within_limit(rows, request)?;
    let until = now.after(request.keep_for);
    let mail = MailRow {
        scope,
        token: request.token.clone(),
        event: request.id,
        payload: request.payload.clone(),
        key: request.key.as_ref().map(|key| key.key.clone()),
        fallback: None,
        posted_at: now,
        until,
    };
    let gone = expired.into_iter();
    let mut writes: Vec<_> = gone.map(|place| Write::MailGone(scope, place)).collect();
    writes.extend(key(request, until));
    if let Some(forgotten) = forget::of_mail(&mail) {
        writes.push(forgotten);
        writes.extend(forget::due(rows, scope, now, forget::ALONG)?);
    }
    writes.push(Write::Mail(all.last + 1, Box::new(mail)));
    Ok(Verdict {
        writes,
        answer: Posted::Kept { until },
    })
}

/// Whoever opens the token gets all that is kept for it, and may hold no more than a hook may.
fn within_limit(rows: &mut impl Rows, request: &Post) -> Result<(), Refused> {
    let kept = rows.mail_size(request.scope, Some(&request.token))?;
    let (count, bytes) = (kept.count, kept.bytes);
    let limit = request.limit;
    if count >= limit.count || bytes + request.payload.len() as u64 > limit.bytes {
        return Err(Failed::Refused(PostRefusal::Full { count, bytes }));
    }
    Ok(())
}

fn key(request: &Post, until: Timestamp) -> Option<Write> {
    let key = request.key.as_ref()?;
    let row = KeyRow {
        hook: None,
        position: Position::START,
        event: request.id,
        digest: key.digest,
        started: false,
        kept_until: Some(until),
    };
    let (token, key) = (request.token.clone(), key.key.clone());
    Some(Write::Key(request.scope, token, key, Box::new(row)))
}
