//! How long a delivery key is remembered: a day after its hook has gone, or after the mailbox keeps
//! its payload no longer.
//!
//! Nothing runs for it by itself. Each request that brings a key takes some of what is due along, so
//! that the keys that are kept cannot outgrow those that come. This module must not know what a key
//! answers.

use std::time::Duration;

use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::rows::{Rows, Write};
use crate::error::StoreError;
use crate::row::{ForgetRow, KeyRow, MailRow, ScopeId, TokenRow, WhichKeys};

/// So long at least a key is known after its hook has gone.
const KNOWN_FOR: Duration = Duration::from_hours(24);

/// So many keys are looked at along with a request that brings one.
pub(super) const ALONG: usize = 16;

/// The keys of a hook that has gone.
pub(super) fn of_hook(hook: &TokenRow, at: Timestamp) -> Option<Write> {
    let which = WhichKeys::Hook(hook.hook);
    hook.keyed
        .then(|| forget(hook.scope, hook.token.clone(), which, at))
}

/// The key of a payload that the mailbox takes.
pub(super) fn of_mail(mail: &MailRow) -> Option<Write> {
    let which = WhichKeys::Key(mail.key.clone()?);
    Some(forget(mail.scope, mail.token.clone(), which, mail.until))
}

fn forget(scope: ScopeId, token: Token, which: WhichKeys, at: Timestamp) -> Write {
    Write::Forget(Box::new(ForgetRow {
        scope,
        at: at.after(KNOWN_FOR),
        token,
        which,
        after: None,
    }))
}

/// Forgets what is due; looks at `limit` keys at most.
pub(super) fn due(
    rows: &mut impl Rows,
    scope: ScopeId,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    let mut room = limit;
    for row in rows.forgets(scope, now, limit)? {
        if room == 0 {
            break;
        }
        room = match &row.which {
            WhichKeys::Key(key) => {
                let found = rows.key(scope, &row.token, key)?;
                if found.is_some_and(|found| found.hook.is_none()) {
                    writes.push(Write::KeyGone(scope, row.token.clone(), key.clone()));
                }
                writes.push(Write::ForgetGone(Box::new(row)));
                room - 1
            }
            WhichKeys::Hook(_) => some_of_hook(rows, row, room, &mut writes)?,
        };
    }
    Ok(writes)
}

/// Forgets keys of a hook as far as there is room; how much room is left.
fn some_of_hook(
    rows: &mut impl Rows,
    row: ForgetRow,
    room: usize,
    writes: &mut Vec<Write>,
) -> Result<usize, StoreError> {
    let page = rows.keys(row.scope, &row.token, row.after.as_deref(), room)?;
    let (seen, after) = (page.len(), page.last().map(|(key, _)| key.clone()));
    let theirs = page
        .into_iter()
        .filter(|(_, found)| is_of(found, &row.which));
    writes.extend(theirs.map(|(key, _)| Write::KeyGone(row.scope, row.token.clone(), key)));
    writes.push(if seen == room {
        Write::Forget(Box::new(ForgetRow { after, ..row }))
    } else {
        Write::ForgetGone(Box::new(row))
    });
    // One that has no keys left is looked at too.
    Ok(room.saturating_sub(seen.max(1)))
}

fn is_of(key: &KeyRow, which: &WhichKeys) -> bool {
    key.hook
        .as_ref()
        .is_some_and(|hook| WhichKeys::Hook(hook.hook) == *which)
}

/// A hook takes payloads out of the mailbox: their keys live as long as it does.
pub(super) fn bind(
    rows: &mut impl Rows,
    hook: &mut TokenRow,
    mail: &[MailRow],
) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    for mail in mail {
        let bound = Some(hook.clone());
        if let Some(write) = rebind(rows, mail, bound)? {
            hook.keyed = true;
            writes.push(write);
        }
    }
    Ok(writes)
}

/// A payload returns to the mailbox: its key no longer goes with the hook.
pub(super) fn unbind(rows: &mut impl Rows, mail: &MailRow) -> Result<Option<Write>, StoreError> {
    rebind(rows, mail, None)
}

/// Only what the mailbox took first is the mailbox's to answer for.
fn rebind(
    rows: &mut impl Rows,
    mail: &MailRow,
    hook: Option<TokenRow>,
) -> Result<Option<Write>, StoreError> {
    let Some(key) = &mail.key else {
        return Ok(None);
    };
    let known = rows.key(mail.scope, &mail.token, key)?;
    let known = known.filter(|known| known.kept_until.is_some());
    Ok(known.map(|known| {
        let row = Box::new(KeyRow { hook, ..known });
        Write::Key(mail.scope, mail.token.clone(), key.clone(), row)
    }))
}
