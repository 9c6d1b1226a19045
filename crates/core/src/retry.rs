//! The pause before another attempt, as a function.
//!
//! This module must not know what is being tried.

use std::time::Duration;

/// No pause grows past this.
const LONGEST: Duration = Duration::from_hours(1);

/// The pause after attempt `attempt` (from 1) failed: `first`, doubled with each attempt, at most an
/// hour, and up to a quarter longer as `jitter` says, so that many that failed together do not come
/// back together.
pub fn pause(first: Duration, attempt: u32, jitter: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let grown = first.saturating_mul(1 << doublings).min(LONGEST.max(first));
    let quarter = u64::try_from(grown.as_millis() / 4).unwrap_or(u64::MAX);
    grown.saturating_add(Duration::from_millis(if quarter == 0 {
        0
    } else {
        jitter % quarter
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let first = Duration::from_secs(1);
        assert_eq!(pause(first, 1, 0), first);
        assert_eq!(pause(first, 4, 0), Duration::from_secs(8));
        assert_eq!(pause(first, 60, 0), LONGEST);
    }

    #[test]
    fn a_first_pause_of_more_than_an_hour_stays() {
        assert_eq!(
            pause(Duration::from_hours(5), 3, 0),
            Duration::from_hours(5)
        );
    }

    #[test]
    fn jitter_adds_less_than_a_quarter() {
        for jitter in [0, 1, 249, 250, u64::MAX] {
            let pause = pause(Duration::from_secs(1), 1, jitter);
            assert!(pause >= Duration::from_secs(1) && pause < Duration::from_millis(1_250));
        }
        assert_eq!(pause(Duration::ZERO, 1, 7), Duration::ZERO);
    }
}
