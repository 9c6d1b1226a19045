//! How long a thread's own work takes. The store's clock is for what is stored, and may stand still.

use std::time::Instant;

/// A moment to measure from.
#[expect(
    clippy::disallowed_methods,
    reason = "it measures the processor and the disk, and nothing that is stored depends on it"
)]
pub(crate) fn began() -> Instant {
    Instant::now()
}
