//! How a store is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rewake_store::Durability;
use rewake_store::core::time::Timestamp;

/// A clock that stands in for the database's.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    pub(crate) url: String,
    pub(crate) schema: String,
    pub(crate) durability: Durability,
    pub(crate) readers: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) statement_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) patience: Duration,
    pub(crate) clock: Option<Now>,
}

impl Options {
    /// A store in the database that a connection string of libpq's names: `postgres://…`, or
    /// keywords and values.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: "rewake".to_owned(),
            durability: Durability::Full,
            readers: 2,
            queue_bytes: 64 << 20,
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(2),
            patience: Duration::from_secs(10),
            clock: None,
        }
    }

    /// In which schema the tables are; it is made if there is none. `rewake` unless set.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// What an answer promises. [`Durability::Full`] unless set: then a server that does not write
    /// through to its disk is refused, and with [`Durability::Relaxed`] a commit does not wait for
    /// the disk.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many connections answer questions, besides the one that writes. Two unless set, and never
    /// fewer than one. Each carries many questions at once.
    #[must_use]
    pub fn readers(mut self, connections: usize) -> Self {
        self.readers = connections.max(1);
        self
    }

    /// How many bytes of requests may wait to be written before outsiders get
    /// [`Overloaded`](rewake_store::StoreError::Overloaded). 64 MiB unless set.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// How long one statement may take before the server breaks it off. 10 s unless set. A connection
    /// by which nothing has come for that long and the [`patience`](Self::patience) on top is given up,
    /// as one that leads nowhere.
    #[must_use]
    pub fn statement_timeout(mut self, span: Duration) -> Self {
        self.statement_timeout = span;
        self
    }

    /// How long a transaction waits for the lock of another one, and how long the server lets one
    /// stand that says nothing: its process may have been stopped. 2 s unless set.
    #[must_use]
    pub fn lock_timeout(mut self, span: Duration) -> Self {
        self.lock_timeout = span;
        self
    }

    /// How long opening and each request wait for a database that cannot be reached, before they get
    /// [`Unreachable`](crate::OpenError::Unreachable) and
    /// [`Unavailable`](rewake_store::StoreError::Unavailable). A server that hangs is given up after
    /// this and the [`statement_timeout`](Self::statement_timeout). 10 s unless set.
    #[must_use]
    pub fn patience(mut self, span: Duration) -> Self {
        self.patience = span;
        self
    }

    /// Takes the time from `now` and not from the database: for tests that move it.
    #[must_use]
    pub fn clock(mut self, now: Now) -> Self {
        self.clock = Some(now);
        self
    }
}

/// Without the connection string, which may hold a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("schema", &self.schema)
            .field("durability", &self.durability)
            .field("readers", &self.readers)
            .field("queue_bytes", &self.queue_bytes)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
