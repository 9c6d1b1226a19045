//! The example, told as stories that skip days, killed everywhere, and run for real.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crashes;
mod killed;
mod stories;
