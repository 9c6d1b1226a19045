//! The mailbox: payloads that wait for whoever opens their token.

use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::judge::MailSize;
use rewake_store::{MailRow, ScopeId, StoreError, decode_row, encode_row};
use rusqlite::Row;
use rusqlite::types::ToSql;

use crate::fault::damaged;
use crate::tables::{Enough, Tables, Trouble, bytes, number, time};

impl Tables<'_> {
    pub(crate) fn put_mail(&mut self, place: u64, row: &MailRow) -> Result<(), StoreError> {
        self.note_mailbox(None);
        self.execute(
            "INSERT INTO mail (scope, place, token, bytes, until, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                row.scope.0,
                number(place),
                row.token.as_str(),
                number(row.payload.len() as u64),
                time(row.until),
                encode_row(row),
            ),
        )
    }

    pub(crate) fn drop_mail(&mut self, scope: ScopeId, place: u64) -> Result<(), StoreError> {
        self.note_mailbox(None);
        self.execute(
            "DELETE FROM mail WHERE scope = ?1 AND place = ?2",
            (scope.0, number(place)),
        )
    }

    /// All that is kept for a token, oldest first. Mostly there is no mail at all, and whoever
    /// registers a hook asks.
    pub(crate) fn mail_of(
        &mut self,
        scope: ScopeId,
        token: &Token,
    ) -> Result<Vec<(u64, MailRow)>, StoreError> {
        if self.mailbox_is_empty()? {
            return Ok(Vec::new());
        }
        let sql = "SELECT place, token, bytes, until, body FROM mail
                   WHERE scope = ?1 AND token = ?2 ORDER BY place";
        self.mail_rows(scope, sql, &[&scope.0, &token.as_str()])
    }

    /// What is kept after a place and not over, oldest first.
    pub(crate) fn mail_after(
        &mut self,
        scope: ScopeId,
        after: Option<u64>,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(u64, MailRow)>, StoreError> {
        let after = after.map_or(-1, number);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT place, token, bytes, until, body FROM mail
                   WHERE scope = ?1 AND place > ?2 AND until > ?3 ORDER BY place LIMIT ?4";
        self.mail_rows(scope, sql, &[&scope.0, &after, &time(now), &limit])
    }

    pub(crate) fn size_of_mail(
        &mut self,
        scope: ScopeId,
        token: Option<&Token>,
    ) -> Result<MailSize, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(MailSize {
                count: unsigned(row, 0)?,
                bytes: unsigned(row, 1)?,
                last: unsigned(row, 2)?,
            })
        };
        let found = match token {
            None => self.look_up(
                "SELECT count(*), coalesce(sum(bytes), 0), coalesce(max(place), 0)
                 FROM mail INDEXED BY mail_until WHERE scope = ?1",
                [scope.0],
                read,
            )?,
            Some(token) => self.look_up(
                "SELECT count(*), coalesce(sum(bytes), 0), coalesce(max(place), 0)
                 FROM mail INDEXED BY mail_token WHERE scope = ?1 AND token = ?2",
                (scope.0, token.as_str()),
                read,
            )?,
        };
        Ok(found.unwrap_or_default())
    }

    pub(crate) fn places_of_expired(
        &mut self,
        scope: ScopeId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<u64>, StoreError> {
        let mut places = Vec::new();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT place FROM mail INDEXED BY mail_until
                   WHERE scope = ?1 AND until <= ?2 ORDER BY until, place LIMIT ?3";
        self.scan(sql, &[&scope.0, &time(now), &limit], |row| {
            places.push(unsigned(row, 0)?);
            Ok(Enough::No)
        })?;
        Ok(places)
    }

    /// True where no project has any mail, as the writer remembers it; a reader looks for itself.
    fn mailbox_is_empty(&mut self) -> Result<bool, StoreError> {
        let Some(remembered) = &self.remembered else {
            return Ok(false);
        };
        if let Some(is_empty) = remembered.mailbox_is_empty {
            return Ok(is_empty);
        }
        let found = self.look_up("SELECT 1 FROM mail LIMIT 1", [], |_| Ok(()))?;
        self.note_mailbox(Some(found.is_none()));
        Ok(found.is_none())
    }

    fn note_mailbox(&mut self, is_empty: Option<bool>) {
        if let Some(remembered) = &mut self.remembered {
            remembered.mailbox_is_empty = is_empty;
        }
    }

    fn mail_rows(
        &mut self,
        scope: ScopeId,
        sql: &'static str,
        params: &[&dyn ToSql],
    ) -> Result<Vec<(u64, MailRow)>, StoreError> {
        let mut found = Vec::new();
        self.scan(sql, params, |row| {
            found.push((unsigned(row, 0)?, mail_row(scope, row)?));
            Ok(Enough::No)
        })?;
        Ok(found)
    }
}

/// A place or a size; there is none below zero.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let found: i64 = row.get(column)?;
    Ok(u64::try_from(found).unwrap_or_default())
}

/// Reads `token, bytes, until, body` behind the place.
pub(crate) fn mail_row(scope: ScopeId, row: &Row<'_>) -> Result<MailRow, Trouble> {
    let found: MailRow = decode_row(bytes(row, 4)?).map_err(|source| StoreError::Corrupt {
        what: "the mailbox".to_owned(),
        source,
    })?;
    let agrees = found.scope == scope
        && row.get::<_, String>(1)? == found.token.as_str()
        && row.get::<_, i64>(2)? == number(found.payload.len() as u64)
        && row.get::<_, i64>(3)? == time(found.until);
    if agrees {
        Ok(found)
    } else {
        Err(damaged("the mailbox", "its columns do not agree with its row").into())
    }
}
