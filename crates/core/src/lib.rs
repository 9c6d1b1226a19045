//! The pure engine of Rewake.

#![forbid(unsafe_code)]

pub mod payload;
