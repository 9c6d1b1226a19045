//! The suite that every store must pass: the contract of the [roles](crate::Store), case by case.
//!
//! A store's crate writes a [`Harness`] and says [`conformance_suite!`](crate::conformance_suite);
//! that makes one test of each case, so none can be forgotten. A case knows a store by its roles
//! only, moves the clock itself, and asserts on whole frames and rows. Where a request is refused,
//! all that can be observed is compared with what it was before. This module must not know which
//! store it is run on.
//!
//! ```text
//! harness ──▶ store, clock ──▶ stage ──▶ case: requests ──▶ answers, rows ──▶ verdict
//! ```

mod cases;
pub mod copied;
mod event;
mod harness;
mod observe;
mod request;
mod stage;
mod suite;

mod admit;
mod append;
mod attributes;
mod batches;
mod children;
mod claims;
mod create;
mod damage;
mod deliver;
mod expiry;
mod fencing;
mod forget;
mod isolation;
mod keys;
mod leases;
mod limits;
mod mailbox;
mod marks;
mod news;
mod nodes;
mod owed;
mod paging;
mod parked;
mod positions;
mod reopen;
mod repeats;
mod sessions;
mod streams;
mod tokens;
mod unknown;
mod unread;
mod wake_up;

pub use harness::{Harness, Injury, Skip};
pub use suite::{CASES, run};
