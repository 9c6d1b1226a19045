//! Why a store could not be opened, each with what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use rewake_store::copy::NotEmpty;

/// Why a store could not be opened. Nothing that was stored has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path leads nowhere, to a directory, or to what this process may not use.
    #[error("`{}` cannot be opened; name a file in a directory that exists and that this process may write", path.display())]
    Unopenable {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The file belongs to something else.
    #[error("`{}` is not a store of Rewake ({found}); name another file", path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// A newer build made or migrated the file.
    #[error("`{}` has format {found}, this build reads up to {known}; use the newer build", path.display())]
    Newer {
        /// The path.
        path: PathBuf,
        /// The file's format.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// An older build made the file, and it was opened for reading only.
    #[error("`{}` has format {found}, this build reads {known}; open it for writing once, which migrates it", path.display())]
    Older {
        /// The path.
        path: PathBuf,
        /// The file's format.
        found: i64,
        /// The one that this build reads.
        known: i64,
    },
    /// The file is ours and not as it was written.
    #[error("`{}` is damaged ({detail}); restore it from a backup", path.display())]
    Damaged {
        /// The path.
        path: PathBuf,
        /// How.
        detail: String,
    },
    /// Another process, or another handle in this one, writes to the file.
    #[error("`{}` is in use by {holder}; go through its server, open it for reading only, or use PostgreSQL", path.display())]
    InUse {
        /// The path.
        path: PathBuf,
        /// Who has it.
        holder: Holder,
    },
    /// A sync of the file failed, and another process that looks at it still goes by what was lost then.
    #[error("a sync of `{}` failed, and a program that looks at it goes by what was lost; end that program, then open it again", path.display())]
    Stale {
        /// The path.
        path: PathBuf,
    },
    /// There is no room to make or migrate the file.
    #[error("there is no room on the disk to open `{}`; make some", path.display())]
    DiskFull {
        /// The path.
        path: PathBuf,
    },
    /// The database or the operating system refused.
    #[error("the database refused to open `{}`: {reason}", path.display())]
    Backend {
        /// The path.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
}

impl OpenError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unopenable { .. } => "STORE_UNOPENABLE",
            Self::NotOurs { .. } => "STORE_NOT_OURS",
            Self::Newer { .. } => "STORE_NEWER",
            Self::Older { .. } => "STORE_OLDER",
            Self::Damaged { .. } => "STORE_DAMAGED",
            Self::InUse { .. } => "STORE_IN_USE",
            Self::Stale { .. } => "STORE_STALE",
            Self::DiskFull { .. } => "DISK_FULL",
            Self::Backend { .. } => "STORE_REFUSED",
        }
    }

    /// True where opening may succeed later with nothing else changed.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::InUse { .. } | Self::Stale { .. } | Self::DiskFull { .. } => true,
            Self::Unopenable { .. }
            | Self::NotOurs { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::Damaged { .. }
            | Self::Backend { .. } => false,
        }
    }
}

/// Why a new store cannot be filled. Nothing that was stored has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyInError {
    /// There is a store, and it holds something.
    #[error(transparent)]
    NotEmpty(#[from] NotEmpty),
    /// The place cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl CopyInError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEmpty(error) => error.code(),
            Self::Open(error) => error.code(),
        }
    }

    /// True where it may work later with nothing else changed.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::NotEmpty(error) => error.is_retryable(),
            Self::Open(error) => error.is_retryable(),
        }
    }
}

/// Who writes to a store, as far as it says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub process: Option<u32>,
    /// The name of its program.
    pub program: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.process, &self.program) {
            (Some(process), Some(program)) => write!(f, "process {process} (`{program}`)"),
            (Some(process), None) => write!(f, "process {process}"),
            (None, _) => f.write_str("another process"),
        }
    }
}
