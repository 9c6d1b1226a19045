//! What `rewake::testing` promises to those who test their workflows with it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod approval;
mod bounds;
mod cancellation;
mod crash;
mod golden;
mod inline;
mod mocks;
mod queries;
mod time;
mod wake_up;
