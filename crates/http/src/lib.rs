//! The HTTP doors of Rewake: the public webhook route.
//!
//! A handler converts, calls the engine, and converts back; no rule about runs lives here, and
//! nothing here knows a store or a driver.
//!
//! ```text
//!  caller ──▶ router ──▶ resume_webhook ──▶ engine
//!         ◀── problem or response ◀────────┘
//! ```
//!
//! Where to read on: [`resume_webhook`] (the order of its checks is part of the contract), [`status`]
//! (the one table of errors).

#![forbid(unsafe_code)]

mod body;
mod door;
mod problem;
mod router;
mod signature;
mod webhook;

pub use problem::status;
pub use router::router;
pub use webhook::resume_webhook;
