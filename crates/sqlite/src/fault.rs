//! What the database's errors mean here. Driver types end in this module.

use rewake_store::{Corrupt, StoreError};
use rusqlite::{Error, ErrorCode};

/// A kind of trouble with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No room. What was begun is undone.
    Full,
    /// The operating system could not read or write.
    Io,
    /// What is stored is not what was written.
    Damage,
    /// The path cannot be opened, or not for writing.
    Path,
    /// Anything else.
    Other,
}

impl Fault {
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => Self::Damage,
            _ => error.sqlite_error_code().map_or(Self::Other, Self::of_code),
        }
    }

    const fn of_code(code: ErrorCode) -> Self {
        match code {
            ErrorCode::DiskFull => Self::Full,
            ErrorCode::SystemIoFailure => Self::Io,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damage,
            ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::Path,
            _ => Self::Other,
        }
    }
}

/// What a request that met the error is told; nothing of it was written.
pub(crate) fn refusal(error: &Error) -> StoreError {
    match Fault::of(error) {
        Fault::Full => StoreError::DiskFull,
        Fault::Damage => damaged("the file", error.to_string()),
        Fault::Io | Fault::Path | Fault::Other => StoreError::Backend {
            reason: error.to_string(),
        },
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
