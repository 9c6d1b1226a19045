//! What tests rely on when they ask for a server of their own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

mod left;
mod own;
mod shared;
