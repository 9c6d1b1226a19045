//! The command line, as it is called.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

mod called;
mod copied;
mod going_on;
mod help;
mod refused;
mod workflows;
