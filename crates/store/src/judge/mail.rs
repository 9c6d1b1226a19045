//! The mailbox, while one verdict is made: what it takes out and what it puts in.
//!
//! This module must not know why.

use std::collections::{BTreeMap, BTreeSet};

use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use super::rows::{Rows, Write};
use crate::error::StoreError;
use crate::row::{MailRow, ScopeId};

#[derive(Debug, Default)]
pub(super) struct Mail {
    /// Stored, and taken out.
    gone: BTreeSet<u64>,
    /// Put in, by place.
    put: BTreeMap<u64, MailRow>,
}

impl Mail {
    /// Takes out all that is kept for a token, oldest first, without what is kept no longer.
    pub(super) fn take_out(
        &mut self,
        rows: &mut impl Rows,
        (scope, token): (ScopeId, &Token),
        at: Timestamp,
    ) -> Result<Vec<MailRow>, StoreError> {
        let mut taken = Vec::new();
        for (place, mail) in rows.mail(scope, token)? {
            if self.gone.insert(place) && mail.until > at {
                taken.push(mail);
            }
        }
        let put = self.put.extract_if(.., |_, mail| mail.token == *token);
        taken.extend(put.map(|(_, mail)| mail));
        Ok(taken)
    }

    /// Puts a payload in, behind all others.
    pub(super) fn put(&mut self, rows: &mut impl Rows, mail: MailRow) -> Result<(), StoreError> {
        let last = match self.put.last_key_value() {
            Some((last, _)) => *last,
            None => rows.mail_size(mail.scope, None)?.last,
        };
        self.put.insert(last + 1, mail);
        Ok(())
    }

    /// The rows that must change.
    pub(super) fn writes(self, scope: ScopeId) -> impl Iterator<Item = Write> {
        let gone = self.gone.into_iter();
        let gone = gone.map(move |place| Write::MailGone(scope, place));
        let put = self.put.into_iter();
        gone.chain(put.map(|(place, mail)| Write::Mail(place, Box::new(mail))))
    }
}
