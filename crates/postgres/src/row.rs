//! Rows of the database read as rows of the store. What a row's body says is compared with the
//! columns beside it.

use minicbor::Decode;
use rewake_store::core::event::Frame;
use rewake_store::core::id::RunId;
use rewake_store::core::token::Token;
use rewake_store::{KeyRow, MailRow, OwedRow, RunRow, ScopeId, StoreError, TokenRow, decode_row};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::fault::{damaged, said};
use crate::id::{Id, number, scope, scope_of, time};

/// A column of a row.
pub(crate) fn column<'r, T: FromSql<'r>>(row: &'r Row, place: usize) -> Result<T, StoreError> {
    row.try_get(place)
        .map_err(|error| damaged("the database", said(&error)))
}

/// The run of a column.
pub(crate) fn run_id(row: &Row, place: usize) -> Result<RunId, StoreError> {
    column::<Id>(row, place).map(RunId::from)
}

/// The stored form of something in a column.
pub(crate) fn body<T: for<'b> Decode<'b, ()>>(
    row: &Row,
    place: usize,
    what: &str,
) -> Result<T, StoreError> {
    decode_row(column(row, place)?).map_err(|source| StoreError::Corrupt {
        what: what.to_owned(),
        source,
    })
}

/// Reads `run, scope, wake_at, parked, parent, body` of a run.
pub(crate) fn run_row(row: &Row) -> Result<(RunId, Result<RunRow, StoreError>), StoreError> {
    let run = run_id(row, 0)?;
    Ok((run, checked_run(run, row)))
}

fn checked_run(run: RunId, row: &Row) -> Result<RunRow, StoreError> {
    let found: RunRow =
        decode_row(column(row, 5)?).map_err(|source| StoreError::corrupt_run(run, source))?;
    let agrees = column::<i64>(row, 1)? == scope(found.scope)
        && column::<Option<i64>>(row, 2)? == found.wake_at.map(time)
        && column::<bool>(row, 3)? == found.parked.is_some()
        && column::<Option<Id>>(row, 4)? == found.parent.map(|parent| Id::from(parent.run));
    if agrees {
        Ok(found)
    } else {
        let what = format!("run `{run}`");
        Err(damaged(&what, "its columns do not agree with its row"))
    }
}

/// Reads a frame from `first` and the body behind it; it stands right behind the one before.
pub(crate) fn frame(
    run: RunId,
    row: &Row,
    first: usize,
    before: Option<&Frame>,
) -> Result<Frame, StoreError> {
    let found: Frame = decode_row(column(row, first + 1)?)
        .map_err(|source| StoreError::corrupt_run(run, source))?;
    let fits = column::<i64>(row, first)? == number(found.first.0)
        && !found.events.is_empty()
        && before.is_none_or(|before| before.last().next() == found.first);
    if fits {
        Ok(found)
    } else {
        let detail = format!("its log has a hole before position {}", found.first);
        Err(damaged(&format!("run `{run}`"), detail))
    }
}

/// Reads the body of a token.
pub(crate) fn token_row(
    row: &Row,
    place: usize,
    (scope, token): (ScopeId, &Token),
) -> Result<TokenRow, StoreError> {
    let found: TokenRow = body(row, place, "a hook")?;
    if found.scope != scope || found.token != *token {
        return Err(damaged("a hook", "it has another token than its place"));
    }
    Ok(found)
}

/// Reads the body of a delivery key.
pub(crate) fn key_row(
    row: &Row,
    place: usize,
    (scope, token): (ScopeId, &Token),
) -> Result<KeyRow, StoreError> {
    let found: KeyRow = body(row, place, "a delivery key")?;
    let hook = found.hook.as_ref();
    if hook.is_some_and(|hook| hook.scope != scope || hook.token != *token) {
        return Err(damaged(
            "a delivery key",
            "it has another token than its place",
        ));
    }
    Ok(found)
}

/// Reads `scope, place, token, bytes, until, body` of a payload in the mailbox.
pub(crate) fn mail_row(row: &Row) -> Result<(u64, MailRow), StoreError> {
    let found: MailRow = body(row, 5, "the mailbox")?;
    let agrees = scope_of(column(row, 0)?)? == found.scope
        && column::<&[u8]>(row, 2)? == found.token.as_str().as_bytes()
        && column::<i64>(row, 3)? == number(found.payload.len() as u64)
        && column::<i64>(row, 4)? == time(found.until);
    if agrees {
        Ok((crate::id::unsigned(column(row, 1)?), found))
    } else {
        Err(damaged(
            "the mailbox",
            "its columns do not agree with its row",
        ))
    }
}

/// Reads the body of what a child owes.
pub(crate) fn owed_row(
    row: &Row,
    place: usize,
    (scope, parent, child): (ScopeId, RunId, RunId),
) -> Result<OwedRow, StoreError> {
    let what = format!("what run `{child}` owes");
    let found: OwedRow = body(row, place, &what)?;
    if (found.scope, found.parent, found.child) != (scope, parent, child) {
        return Err(damaged(&what, "it belongs to another place"));
    }
    Ok(found)
}
