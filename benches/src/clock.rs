//! Real time, which is what this program is about. It alone reads it.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rewake_core::time::Timestamp;

/// The present.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures real time; nothing of the product is decided by it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds since this program first asked.
pub(crate) fn nanos() -> u64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(now);
    u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The time of day.
#[expect(
    clippy::disallowed_methods,
    reason = "the store's clock, and the times that sleepers wait for"
)]
pub(crate) fn time_of_day() -> SystemTime {
    SystemTime::now()
}

/// The time of day as the store takes it.
pub(crate) fn timestamp() -> Timestamp {
    let passed = time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
}

/// Lets time pass.
#[expect(
    clippy::disallowed_methods,
    reason = "calls at a fixed rate and idle times are what is measured"
)]
pub(crate) async fn pass(span: Duration) {
    tokio::time::sleep(span).await;
}

/// Lets time pass for a thread, to some tens of microseconds: tokio's timer knows whole milliseconds,
/// which is as much as what a lone caller waits for.
#[expect(
    clippy::disallowed_methods,
    reason = "calls at a fixed rate are what is measured"
)]
pub(crate) fn hold(span: Duration) {
    std::thread::sleep(span);
}
