//! Points in time and spans, as arithmetic on numbers.
//!
//! This module must not know what time it is: whoever needs the present gets it as an argument.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// Times before 1970 do not exist here; arithmetic saturates at both ends.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Encode,
    Decode,
    Serialize,
    Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Timestamp(#[n(0)] u64);

impl Timestamp {
    /// The beginning of 1970, and the earliest point there is.
    pub const ZERO: Self = Self(0);
    /// The last point there is; stands for "never".
    pub const MAX: Self = Self(u64::MAX);

    /// The point `ms` milliseconds after the beginning of 1970.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the beginning of 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The point `span` later. Fractions of a millisecond round up, so that a wait is never short.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let fraction = u64::from(!span.subsec_nanos().is_multiple_of(1_000_000));
        let ms = u64::try_from(span.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(fraction);
        Self(self.0.saturating_add(ms))
    }

    /// The span from `earlier` to this point, or zero if `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::ZERO.after(since)
    }
}

impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        UNIX_EPOCH
            .checked_add(Duration::from_millis(at.0))
            .unwrap_or(UNIX_EPOCH)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_a_millisecond_round_up() {
        let at = Timestamp::from_millis(10);
        assert_eq!(
            at.after(Duration::from_nanos(1)),
            Timestamp::from_millis(11)
        );
        assert_eq!(
            at.after(Duration::from_millis(1)),
            Timestamp::from_millis(11)
        );
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(
            Timestamp::from_millis(1).after(Duration::MAX),
            Timestamp::MAX
        );
        assert_eq!(Timestamp::ZERO.since(Timestamp::MAX), Duration::ZERO);
    }

    #[test]
    fn system_time_there_and_back() {
        let at = Timestamp::from_millis(1_763_280_000_123);
        assert_eq!(Timestamp::from(SystemTime::from(at)), at);
    }
}
