//! Real time, in which real processes die.

use std::time::{Duration, Instant};

/// What does not happen for so long will not happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "real processes are killed in real time"
    )]
    Instant::now()
}

/// How long a siege lasts, unless the environment says otherwise.
pub(crate) fn length(seconds: u64) -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "who runs the test says how long it lasts"
    )]
    let said = std::env::var("REWAKE_CLUSTER_SECONDS").ok();
    let seconds = said.map_or(seconds, |said| said.parse().expect("a number of seconds"));
    Duration::from_secs(seconds)
}
