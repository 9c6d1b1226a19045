//! Ids and bytes as the database keeps them.

use std::error::Error;

use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::{NodeId, ScopeId, StoreError};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::fault::damaged;

/// A run's id, which is as large as a `uuid` and is kept as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) [u8; 16]);

impl Id {
    /// Before every run, and behind every run.
    pub(crate) const NIL: Self = Self([0; 16]);
    pub(crate) const PAST_ALL: Self = Self([0xff; 16]);
}

impl From<RunId> for Id {
    fn from(run: RunId) -> Self {
        Self(run.to_bytes())
    }
}

impl From<Id> for RunId {
    fn from(id: Id) -> Self {
        Self::from_bytes(id.0)
    }
}

impl ToSql for Id {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID
    }

    to_sql_checked!();
}

impl FromSql<'_> for Id {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID
    }
}

/// The column of a scope.
pub(crate) fn scope(scope: ScopeId) -> i64 {
    i64::from(scope.0)
}

/// The scope that a column means.
pub(crate) fn scope_of(column: i64) -> Result<ScopeId, StoreError> {
    let number = u32::try_from(column);
    let number = number.map_err(|_| damaged("a project", "its number is out of range"))?;
    Ok(ScopeId(number))
}

/// The column of a node; nobody is 0.
pub(crate) fn node(node: Option<NodeId>) -> i64 {
    node.map_or(0, |node| number(node.0))
}

/// The node that a column means.
pub(crate) fn node_of(column: i64) -> Option<NodeId> {
    (column != 0).then(|| NodeId(unsigned(column)))
}

/// The column of a time. Those that no clock reaches stand at the end, together.
pub(crate) fn time(at: Timestamp) -> i64 {
    number(at.as_millis())
}

/// The column of a number; the database's are signed.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The number of a column; there is none below zero.
pub(crate) fn unsigned(column: i64) -> u64 {
    u64::try_from(column).unwrap_or_default()
}

/// How many rows are wanted at most.
pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The token of a column.
pub(crate) fn token_of(column: &[u8]) -> Result<Token, StoreError> {
    let text = text_of(column)?;
    Token::try_from(text).map_err(|_| damaged("a hook", "its token is none"))
}

/// The text of a column.
pub(crate) fn text_of(column: &[u8]) -> Result<String, StoreError> {
    String::from_utf8(column.to_vec()).map_err(|_| damaged("a key", "it is not UTF-8"))
}
