//! The database's clock between its answers.

use std::time::Duration;

use rewake_store::core::time::Timestamp;
use tokio::time::Instant;

/// The database's clock, as far as it was heard. It may be a little fast, by the time that a question
/// takes and a millisecond; it is never slow, so nothing is on record before it was due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse {
    said: Timestamp,
    asked: Instant,
}

/// The database says whole milliseconds.
const PART: Duration = Duration::from_millis(1);

impl Pulse {
    /// What the database said, and when it was asked.
    pub(crate) fn new(said: Timestamp, asked: Instant) -> Self {
        Self { said, asked }
    }

    pub(crate) fn now(self) -> Timestamp {
        let passed = self.asked.elapsed() + PART;
        self.said.after(passed.min(Duration::from_hours(24)))
    }
}
