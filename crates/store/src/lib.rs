//! What a store of Rewake must do, and the one place that decides what an append may do.
//!
//! A store keeps rows: frames of events in each run's log, one row for each run, one for each live
//! token, each delivery key, each payload in the mailbox and each stream chunk. What may be written is decided by the [`judge`],
//! a pure function from the request and the rows it looks up to the rows to write or a typed
//! refusal; a store looks up, asks the judge and writes, all in one transaction. So no rule is
//! written twice, whatever the database. This crate must not know a driver, SQL or a runtime; there
//! is no queue beside the log.
//!
//! ```text
//!  request ──▶ begin ──▶ judge(rows, request, now) ──▶ write rows ──▶ commit ──▶ answer
//!                            │
//!                            └──▶ refusal (nothing written)
//! ```
//!
//! Features: `memory` (the in-memory store), `conformance` (the suite every store must pass).

#![forbid(unsafe_code)]

mod admission;
pub mod copy;
mod error;
pub mod judge;
mod lineage;
mod nodes;
mod patience;
mod request;
mod role;
mod row;
mod weight;
mod wire;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(test)]
mod tests;

pub use admission::{Admit, AdmitRefusal, Admitted, Post, PostRefusal, Posted};
pub use error::{Failed, StoreError};
pub use lineage::{ChildBegins, Kin, Lineage};
pub use nodes::{BEAT, Beat, Claimed, Concern, Join, LEASE, Lease, Leased, News, Nodes};
pub use patience::Patience;
pub use request::{
    Answer, AnswerRefusal, Answered, Answering, Append, AppendRefusal, Appended, Condition, Create,
    CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, DeliveryKey, Door, Mark, StartKey,
    UnreadLimit,
};
pub use role::{
    Log, Mailbox, Queries, RunFilter, RunPage, RunWithLog, Sessions, Store, StoreFuture, Streams,
    WakeUp, WakeUps,
};
pub use row::{
    ChunkRow, ForgetRow, KeyRow, Left, MailRow, NodeId, OwedRow, Parked, RunRow, ScopeId,
    StartKeyRow, TokenRow, WhichKeys,
};
pub use weight::{Durability, LEAST_WEIGHT};
pub use wire::{Corrupt, decode_row, encode_row};

pub use rewake_core as core;
