//! The store of Rewake for many machines: PostgreSQL.

#![forbid(unsafe_code)]

#[cfg(all(unix, feature = "private-server"))]
pub mod private_server;
