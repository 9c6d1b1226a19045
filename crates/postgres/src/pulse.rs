//! The database's clock between its answers.

use std::time::Duration;

use rewake_store::core::time::Timestamp;
use tokio::time::Instant;

/// The database's clock, as far as it was heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse {
    said: Timestamp,
    heard: Instant,
}

impl Pulse {
    pub(crate) fn heard(said: Timestamp) -> Self {
        Self {
            said,
            heard: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> Timestamp {
        let passed = self.heard.elapsed();
        self.said.after(passed.min(Duration::from_hours(24)))
    }
}
