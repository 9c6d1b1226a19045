//! The example, told as stories in a world that was made for them, killed everywhere, and run for real.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crashes;
mod killed;
mod scene;
mod stories;
