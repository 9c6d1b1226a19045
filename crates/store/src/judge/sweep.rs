//! What is kept no longer, of the mailbox and of delivery keys?

use rewake_core::time::Timestamp;

use super::forget;
use super::rows::{Rows, Verdict, Write};
use crate::error::StoreError;
use crate::row::ScopeId;

/// Removes payloads whose time in the mailbox is over and delivery keys that are remembered no
/// longer: looks at `limit` of each at most, and answers how many it has removed.
///
/// # Errors
///
/// A [`StoreError`] of `rows`.
pub fn sweep(
    rows: &mut impl Rows,
    scope: ScopeId,
    limit: usize,
    now: Timestamp,
) -> Result<Verdict<usize>, StoreError> {
    let expired = rows.expired_mail(scope, now, limit)?.into_iter();
    let mut writes: Vec<_> = expired.map(|place| Write::MailGone(scope, place)).collect();
    writes.extend(forget::due(rows, scope, now, limit)?);
    let answer = writes.len();
    Ok(Verdict { writes, answer })
}
