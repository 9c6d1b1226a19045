//! What the database's errors mean here. Driver types end in this module.

use rewake_store::{Corrupt, StoreError};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::error::OpenError;

/// A kind of trouble with the database, as one statement meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is gone or leads to where nothing can be written. What was open on it is
    /// undone; what was being committed is not known.
    Lost,
    /// Another transaction was in the way. Undone; the same again may find its way.
    Conflict,
    /// It took too long, or the server has no room for it at present. Undone.
    Busy,
    /// No room on the disk. Undone.
    Full,
    /// What is stored is not what was written.
    Damage,
    /// Anything else the server says. Undone.
    Refused,
}

impl Fault {
    pub(crate) fn of(error: &Error) -> Self {
        // Whatever else the driver cannot make sense of, the connection is not to be trusted.
        error.as_db_error().map_or(Self::Lost, Self::said)
    }

    fn said(error: &DbError) -> Self {
        let code = error.code();
        let is_of = |class: &str| code.code().starts_with(class);
        if let Some(Severity::Fatal | Severity::Panic) = error.parsed_severity() {
            return Self::Lost;
        }
        if *code == SqlState::DISK_FULL {
            Self::Full
        } else if *code == SqlState::UNIQUE_VIOLATION || is_of("40") {
            Self::Conflict
        } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION || is_of("57P") {
            Self::Lost
        } else if *code == SqlState::LOCK_NOT_AVAILABLE
            || *code == SqlState::QUERY_CANCELED
            || is_of("53")
        {
            Self::Busy
        } else if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
            Self::Damage
        } else {
            Self::Refused
        }
    }
}

/// What a request that met the error is told; nothing of it was written.
pub(crate) fn refusal(error: &Error) -> StoreError {
    let reason = said(error);
    match Fault::of(error) {
        Fault::Full => StoreError::DiskFull,
        Fault::Damage => damaged("the database", reason),
        Fault::Lost | Fault::Conflict | Fault::Busy => StoreError::Unavailable { reason },
        Fault::Refused => StoreError::Backend { reason },
    }
}

/// What an opening that met the error is told.
pub(crate) fn trouble(error: &Error) -> OpenError {
    let reason = said(error);
    match Fault::of(error) {
        Fault::Lost | Fault::Busy if is_about_access(error) => OpenError::Backend { reason },
        Fault::Lost | Fault::Busy => OpenError::Unreachable { reason },
        Fault::Conflict | Fault::Full | Fault::Damage | Fault::Refused => {
            OpenError::Backend { reason }
        }
    }
}

/// True where the server was reached and does not want this user or knows no such database.
fn is_about_access(error: &Error) -> bool {
    let code = error.code().map(|code| &code.code()[..2]);
    matches!(code, Some("28" | "3D" | "42"))
}

/// What the server or the driver says, with what it says of the cause.
pub(crate) fn said(error: &Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => format!("{} ({})", said.message(), said.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

/// Damage that the checksum of a row cannot see: the database's own pages, or a column that does not
/// agree with its body.
pub(crate) fn damaged(what: &str, detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        source: Corrupt::Content {
            detail: detail.into(),
        },
    }
}
