//! The examples of the two seed pages, as the documentation has them, behind a router and called.
//!
//! Each module begins with an example of `src/docs`, line for line (`pages` compares them), and then
//! drives it. Must not know how any of it is done.

#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts test functions, and not what they share"
)]

mod action;
mod answers;
mod forward;
mod pages;
mod proxy;
mod receive;
mod repeat;
mod route;
mod shortest;
mod stage;
mod typed;
