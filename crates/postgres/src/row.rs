//! Rows of the database read as rows of the store. What a row's body says is compared with the
//! columns beside it.

use minicbor::Decode;
use rewake_store::core::event::Frame;
use rewake_store::core::id::RunId;
use rewake_store::core::token::Token;
use rewake_store::{
    KeyRow, MailRow, OwedRow, Parked, RunRow, ScopeId, StoreError, TokenRow, decode_row, encode_row,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::fault::{damaged, said};
use crate::id::{Id, node, node_of, number, scope, scope_of, time};

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

/// Reads `run, scope, node, workflow, wake_at, parked, parent, body` of a run.
pub(crate) fn run_row(row: &Row) -> Result<(RunId, Result<RunRow, StoreError>), StoreError> {
    let run = run_id(row, 0)?;
    Ok((run, checked_run(run, row)))
}

fn checked_run(run: RunId, row: &Row) -> Result<RunRow, StoreError> {
    let mut found: RunRow =
        decode_row(column(row, 7)?).map_err(|source| StoreError::corrupt_run(run, source))?;
    found.node = node_of(column(row, 2)?);
    let columns = RunColumns::of(&found);
    let agrees = column::<i64>(row, 1)? == columns.scope
        && column::<&[u8]>(row, 3)? == columns.workflow
        && column::<Option<i64>>(row, 4)? == columns.wake_at
        && column::<Option<Vec<&[u8]>>>(row, 5)? == columns.parked
        && column::<Option<Id>>(row, 6)? == columns.parent;
    if agrees {
        Ok(found)
    } else {
        let what = format!("run `{run}`");
        Err(damaged(&what, "its columns do not agree with its row"))
    }
}

/// The columns of a run's row.
pub(crate) struct RunColumns<'r> {
    pub(crate) scope: i64,
    pub(crate) node: i64,
    pub(crate) workflow: &'r [u8],
    pub(crate) wake_at: Option<i64>,
    pub(crate) parked: Option<Vec<&'r [u8]>>,
    pub(crate) parent: Option<Id>,
}

impl<'r> RunColumns<'r> {
    pub(crate) fn of(row: &'r RunRow) -> Self {
        Self {
            scope: scope(row.scope),
            node: node(row.node),
            workflow: if row.status.is_terminal() {
                b""
            } else {
                row.workflow.as_bytes()
            },
            wake_at: row.wake_at.map(time),
            parked: row.parked.as_ref().map(builds),
            parent: row.parent.map(|parent| Id::from(parent.run)),
        }
    }

    /// The builds as an array is written down, because an array of arrays has no rows.
    pub(crate) fn parked(&self) -> Option<String> {
        let builds = self.parked.as_ref()?;
        let hex = |build: &&[u8]| {
            let digits = build.iter().map(|byte| format!("{byte:02x}"));
            format!("\"\\\\x{}\"", digits.collect::<String>())
        };
        let builds: Vec<_> = builds.iter().map(hex).collect();
        Some(format!("{{{}}}", builds.join(",")))
    }
}

fn builds(parked: &Parked) -> Vec<&[u8]> {
    let before = parked.before.iter().map(String::as_bytes);
    before.chain([parked.build.as_bytes()]).collect()
}

/// The body of a run's row. Who leases the run is beside it only, so a claim changes no body.
pub(crate) fn run_body(row: &mut RunRow) -> Vec<u8> {
    let node = row.node.take();
    let body = encode_row(row);
    row.node = node;
    body
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
