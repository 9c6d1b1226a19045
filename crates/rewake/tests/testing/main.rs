//! What `rewake::testing` promises to those who test their workflows with it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod inline;
mod mocks;
mod time;
