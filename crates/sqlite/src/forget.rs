//! Delivery keys of one token in order, and which of them are to be forgotten when.

use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::{ForgetRow, KeyRow, ScopeId, StoreError, WhichKeys, decode_row, encode_row};
use rusqlite::Row;

use crate::fault::damaged;
use crate::tables::{Enough, Tables, Trouble, bytes, time};

impl Tables<'_> {
    pub(crate) fn put_forget(&mut self, row: &ForgetRow) -> Result<(), StoreError> {
        let (which, name) = which(&row.which);
        self.execute(
            "INSERT INTO forgets (scope, at, token, which, name, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (scope, at, token, which, name) DO UPDATE SET body = excluded.body",
            (
                row.scope.0,
                time(row.at),
                row.token.as_str(),
                which,
                name,
                encode_row(row),
            ),
        )
    }

    pub(crate) fn drop_forget(&mut self, row: &ForgetRow) -> Result<(), StoreError> {
        let (which, name) = which(&row.which);
        self.execute(
            "DELETE FROM forgets
             WHERE scope = ?1 AND at = ?2 AND token = ?3 AND which = ?4 AND name = ?5",
            (row.scope.0, time(row.at), row.token.as_str(), which, name),
        )
    }

    pub(crate) fn forgets_until(
        &mut self,
        scope: ScopeId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ForgetRow>, StoreError> {
        let mut found = Vec::new();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT at, token, which, name, body FROM forgets
                   WHERE scope = ?1 AND at <= ?2 ORDER BY at, token, which, name LIMIT ?3";
        self.scan(sql, &[&scope.0, &time(now), &limit], |row| {
            found.push(forget_row(scope, row)?);
            Ok(Enough::No)
        })?;
        Ok(found)
    }

    pub(crate) fn keys_of(
        &mut self,
        scope: ScopeId,
        token: &Token,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, KeyRow)>, StoreError> {
        let mut found = Vec::new();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // The empty key is one too, and stands before all others.
        let sql = if after.is_some() {
            "SELECT key, body FROM keys WHERE scope = ?1 AND token = ?2 AND key > ?3
             ORDER BY key LIMIT ?4"
        } else {
            "SELECT key, body FROM keys WHERE scope = ?1 AND token = ?2 AND key >= ?3
             ORDER BY key LIMIT ?4"
        };
        let after = after.unwrap_or_default();
        self.scan(sql, &[&scope.0, &token.as_str(), &after, &limit], |row| {
            let stored = decode_row(bytes(row, 1)?).map_err(|source| StoreError::Corrupt {
                what: "a delivery key".to_owned(),
                source,
            })?;
            found.push((row.get(0)?, stored));
            Ok(Enough::No)
        })?;
        Ok(found)
    }
}

/// Reads `at, token, which, name, body`.
pub(crate) fn forget_row(scope: ScopeId, row: &Row<'_>) -> Result<ForgetRow, Trouble> {
    let stored: ForgetRow = decode_row(bytes(row, 4)?).map_err(|source| StoreError::Corrupt {
        what: "what is to be forgotten".to_owned(),
        source,
    })?;
    let columns = (row.get::<_, i64>(2)?, row.get::<_, String>(3)?);
    let agrees = stored.scope == scope
        && row.get::<_, i64>(0)? == time(stored.at)
        && row.get::<_, String>(1)? == stored.token.as_str()
        && columns == which(&stored.which);
    if !agrees {
        let what = "what is to be forgotten";
        return Err(damaged(what, "its columns do not agree with its row").into());
    }
    Ok(stored)
}

/// The columns that tell which keys are meant.
pub(crate) fn which(keys: &WhichKeys) -> (i64, String) {
    match keys {
        WhichKeys::Hook(hook) => (0, hook.to_string()),
        WhichKeys::Key(key) => (1, key.clone()),
    }
}
