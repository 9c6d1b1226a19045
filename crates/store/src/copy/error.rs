//! Why a store was not copied.

use crate::error::StoreError;

use super::row::RowKind;
use super::tally::Tally;

/// A store that is to be filled holds something. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store to copy into is not empty: it holds {found}; name an empty or a new one")]
pub struct NotEmpty {
    /// What it holds.
    pub found: Tally,
}

impl NotEmpty {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "STORE_NOT_EMPTY"
    }

    /// False: it stays so.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// A store that is to be copied is worked on by somebody. Nothing was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the store to copy from is in use by node `{node}`; stop it, or wait until a dead one is known to be dead"
)]
pub struct InUse {
    /// One of the nodes that work on it.
    pub node: String,
}

impl InUse {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "STORE_IN_USE"
    }

    /// True: the node may stop.
    pub const fn is_retryable(&self) -> bool {
        true
    }
}

/// A copy that was not made. The source is as it was. So is the target, unless the target's error says
/// that this is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source cannot be read.
    #[error("the store to copy from cannot be read")]
    Source(#[source] StoreError),
    /// The target cannot be written.
    #[error("the store to copy into cannot be written")]
    Target(#[source] StoreError),
    /// The target counts other rows than it was given.
    #[error(
        "{read} rows of the kind `{}` were read, and {written} were written; nothing was kept, report this as a bug",
        kind.name()
    )]
    Miscounted {
        /// The kind of rows.
        kind: RowKind,
        /// How many the source gave.
        read: u64,
        /// How many the target holds.
        written: u64,
    },
}

impl CopyError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Source(error) | Self::Target(error) => error.code(),
            Self::Miscounted { .. } => "COPY_MISCOUNTED",
        }
    }

    /// True where the same copy may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Source(error) | Self::Target(error) => error.is_retryable(),
            Self::Miscounted { .. } => false,
        }
    }
}
