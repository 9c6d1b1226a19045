//! The store of Rewake for many machines: a PostgreSQL database.
//!
//! It is a store like the embedded one: it looks up the rows that a request names, gives them to the
//! judge of `rewake-store`, and writes what the judge says. It is no queue, has no rule of its own,
//! and reads no event's meaning.
//!
//! ```text
//!  callers ──▶ queue ──▶ writer: BEGIN, locks, look-ups ──▶ judge ──▶ writes, COMMIT ──▶ answers
//!     │                          │                                      │
//!     │                          └────── one round trip ────┬─── another one, for all that came in
//!     │                                                     ▼           since the last
//!     └───────▶ readers: one statement each ──────▶  the database
//! ```
//!
//! What is found stands until the commit: locks are taken first, those of tokens and keys in order
//! of their names, then those of runs in order of their ids. A connection that is lost before the
//! commit went out has changed nothing, and the transaction is done again on the next one. After that
//! nobody knows: callers get `OutcomeUnknown`, and a repeat finds out, because it waits for the same
//! locks. The store goes on with the next connection.
//!
//! ```no_run
//! use rewake_postgres::{Options, PostgresStore};
//!
//! let store = PostgresStore::open(Options::new("postgres://localhost/app"))?;
//! # Ok::<(), rewake_postgres::OpenError>(())
//! ```

#![forbid(unsafe_code)]

mod ahead;
mod batch;
mod connect;
mod copy_in;
mod copy_out;
mod counts;
mod error;
mod fault;
mod fetch;
mod flight;
mod flush;
mod id;
mod lookup;
mod migrate;
mod moves;
mod name;
mod nodes;
mod open;
mod options;
mod page;
#[cfg(all(unix, feature = "private-server"))]
pub mod private_server;
mod pulse;
mod queue;
mod reach;
mod remembered;
mod request;
mod roles;
mod row;
mod session;
mod sight;
mod sql;
mod store;
mod table;
mod target;
mod tls;
mod writer;

pub use counts::Counts;
pub use error::OpenError;
pub use options::{Now, Options};
pub use rewake_store::Durability;
pub use store::PostgresStore;
