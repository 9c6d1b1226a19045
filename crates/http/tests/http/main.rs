//! The webhook route, called in process and over loopback, on an engine in a world of the tests' own.

#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts test functions, and not what they share"
)]

mod answers;
mod fuzzing;
mod limits;
mod loopback;
mod methods;
mod repetitions;
mod requests;
mod signatures;
mod tokens;
mod world;
