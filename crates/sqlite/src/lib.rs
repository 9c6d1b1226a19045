//! The embedded store of Rewake: one SQLite file, one writer, group commit.
//!
//! It keeps what `rewake-store` describes, and decides nothing itself: the judge says what a request
//! writes. It is not for many machines, nor for many processes on one machine: one process at a
//! time writes, others may read. It must not know a runtime.
//!
//! ```text
//!  requests ──▶ queue (bounded in bytes) ──▶ writer thread: BEGIN, judge each, COMMIT
//!                                           ──▶ sync thread: sync the write-ahead log, answer all
//!  questions ─▶ queue ──▶ two reader threads, each with a snapshot no longer than one page
//!                         checkpoint thread: moves the write-ahead log into the file, early
//!  <path>-lock: held by the process that writes
//! ```
//!
//! ```
//! use std::sync::Arc;
//!
//! use rewake_sqlite::{Options, SqliteStore};
//! use rewake_store::core::time::Timestamp;
//! use rewake_store::Sessions;
//!
//! let store = SqliteStore::open(Options::memory(Arc::new(|| Timestamp::ZERO)))?;
//! let answer = store.scope("shop".to_owned(), "production".to_owned());
//! assert!(futures::executor::block_on(answer).is_ok());
//! # Ok::<(), rewake_sqlite::OpenError>(())
//! ```

#![forbid(unsafe_code)]

mod batch;
mod by_run;
mod checkpoint;
mod connect;
mod copy_in;
mod copy_out;
mod counts;
mod create;
mod error;
mod fault;
mod forget;
mod intake;
mod kept;
mod lanes;
mod lock;
mod mail;
mod migrate;
mod moment;
mod newest;
mod open;
mod options;
mod owed;
mod page;
mod queue;
mod reader;
mod recent;
mod request;
mod roles;
mod runs;
mod session;
mod stable;
mod store;
mod syncs;
mod tables;
mod writer;

pub use counts::Counts;
pub use error::{CopyInError, Holder, OpenError};
pub use options::{Now, Options};
pub use rewake_store::Durability;
pub use store::SqliteStore;
