//! Why a store could not be opened, each with what to do about it.

/// Why a store could not be opened. What was stored is as it was. No text holds the connection string,
/// for there may be a password in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The connection string cannot be read.
    #[error("the connection string of the database cannot be read: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// No connection to the database.
    #[error("the database cannot be reached: {reason}")]
    Unreachable {
        /// What the driver said.
        reason: String,
    },
    /// There is no connection as secure as `sslmode` asks for.
    #[error("no connection to the database is as secure as `sslmode` asks for: {reason}")]
    NotSecure {
        /// What is missing, and what to do.
        reason: String,
    },
    /// A pooler gives the server's sessions to others between two transactions.
    #[error(
        "a pooler between here and the database keeps no session for a connection; connect to the server itself, or have the pooler keep sessions (`pool_mode = session`)"
    )]
    Pooled,
    /// The server may lose what it has answered, or tear what it has written.
    #[error(
        "the server runs with `{setting} = off` and may lose what it has answered; switch it on, or open the store with relaxed durability"
    )]
    NotDurable {
        /// The setting.
        setting: String,
    },
    /// A newer build made or migrated the schema.
    #[error(
        "schema `{schema}` has format {found}, this build reads up to {known}; use the newer build"
    )]
    Newer {
        /// The schema.
        schema: String,
        /// Its format.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// The schema holds tables that are not a store's.
    #[error("schema `{schema}` is not a store of Rewake ({found}); name another schema")]
    NotOurs {
        /// The schema.
        schema: String,
        /// What was found.
        found: String,
    },
    /// The database refused.
    #[error("the database refused to open the store: {reason}")]
    Backend {
        /// What it said.
        reason: String,
    },
}

impl OpenError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "STORE_URL_INVALID",
            Self::Unreachable { .. } => "STORE_UNREACHABLE",
            Self::NotSecure { .. } => "STORE_NOT_SECURE",
            Self::Pooled => "STORE_POOLED",
            Self::NotDurable { .. } => "STORE_NOT_DURABLE",
            Self::Newer { .. } => "STORE_NEWER",
            Self::NotOurs { .. } => "STORE_NOT_OURS",
            Self::Backend { .. } => "STORE_REFUSED",
        }
    }

    /// True where opening may succeed later with nothing else changed.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Invalid { .. }
            | Self::NotSecure { .. }
            | Self::Pooled
            | Self::NotDurable { .. }
            | Self::Newer { .. }
            | Self::NotOurs { .. }
            | Self::Backend { .. } => false,
        }
    }
}
