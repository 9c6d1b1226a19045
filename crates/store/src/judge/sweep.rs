//! What does the mailbox keep no longer?

use rewake_core::time::Timestamp;

use super::rows::{Rows, Verdict, Write};
use crate::error::StoreError;
use crate::row::ScopeId;

/// Removes payloads whose time in the mailbox is over, at most `limit`; how many.
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
    let expired = rows.expired_mail(scope, now, limit)?;
    let answer = expired.len();
    let gone = expired.into_iter();
    let writes = gone.map(|place| Write::MailGone(scope, place)).collect();
    Ok(Verdict { writes, answer })
}
