//! The runtime in a world of its own: one thread, a clock that only tests move, and a store in memory
//! that a test can make fail or come first.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says where"
)]

mod answers;
mod blocking;
mod cancelling;
mod children;
mod commits;
mod nodes;
mod polling;
mod races;
mod resting;
mod stopping;
mod store;
mod taking_up;
mod unread;
mod world;
