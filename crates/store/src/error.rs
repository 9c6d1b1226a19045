//! What can go wrong between a request and its answer.

use rewake_core::id::RunId;

use crate::wire::Corrupt;

/// A request that was not answered by a verdict.
///
/// Only [`StoreError::OutcomeUnknown`] leaves open whether something happened; after every other one
/// nothing did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The commit may or may not have happened. Repeat the request with the same ids: it gets the
    /// first answer if it did happen.
    #[error(
        "it is not known whether the commit happened ({reason}); repeat the request with the same ids"
    )]
    OutcomeUnknown {
        /// What the store saw.
        reason: String,
    },
    /// The store has failed or was closed, and serves nothing until it is opened anew.
    #[error("the store is closed ({reason}); open it anew")]
    Closed {
        /// Why.
        reason: String,
    },
    /// More is waiting to be written than the store will hold. Try later.
    #[error("the store has more to write than it will queue; try again later")]
    Overloaded,
    /// The database cannot be reached, or is too busy to answer in time. Nothing was written; try
    /// later.
    #[error(
        "the database does not serve at present ({reason}); nothing was written, try again later"
    )]
    Unavailable {
        /// What the store met.
        reason: String,
    },
    /// The disk is full. Nothing was written.
    #[error("the disk is full; nothing was written")]
    DiskFull,
    /// What is stored about a run is not what was written.
    #[error("what is stored about {what} is damaged; restore it from a backup")]
    Corrupt {
        /// What it is about.
        what: String,
        /// How it is damaged.
        #[source]
        source: Corrupt,
    },
    /// The database refused. Nothing was written.
    #[error("the database refused: {reason}")]
    Backend {
        /// What it said.
        reason: String,
    },
    /// This opening of the store may look and not write.
    #[error("the store is open for reading only: {reason}")]
    ReadOnly {
        /// Who may write.
        reason: String,
    },
}

impl StoreError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutcomeUnknown { .. } => "OUTCOME_UNKNOWN",
            Self::Closed { .. } => "STORE_CLOSED",
            Self::Overloaded => "OVERLOADED",
            Self::Unavailable { .. } => "STORE_UNAVAILABLE",
            Self::DiskFull => "DISK_FULL",
            Self::Corrupt { .. } => "STORE_CORRUPT",
            Self::Backend { .. } => "STORE_REFUSED",
            Self::ReadOnly { .. } => "READ_ONLY",
        }
    }

    /// True where the same request may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::OutcomeUnknown { .. }
            | Self::Overloaded
            | Self::Unavailable { .. }
            | Self::DiskFull => true,
            Self::Closed { .. }
            | Self::Corrupt { .. }
            | Self::Backend { .. }
            | Self::ReadOnly { .. } => false,
        }
    }

    /// True where the store may serve other requests later: nothing says that it has failed for good.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::OutcomeUnknown { .. }
            | Self::Overloaded
            | Self::Unavailable { .. }
            | Self::DiskFull
            | Self::Backend { .. } => true,
            Self::Closed { .. } | Self::Corrupt { .. } | Self::ReadOnly { .. } => false,
        }
    }

    /// True where the request may have had an effect.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }

    /// Damage in what is stored about a run.
    pub fn corrupt_run(run: RunId, source: Corrupt) -> Self {
        Self::Corrupt {
            what: format!("run `{run}`"),
            source,
        }
    }
}

/// Why a request has no answer: the judge refused it, or the store could not ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed<R: std::error::Error + 'static> {
    /// The judge refused; nothing was written.
    #[error(transparent)]
    Refused(R),
    /// The store could not serve the request.
    #[error(transparent)]
    Store(#[from] StoreError),
}
