//! The ids of new runs, each greater than the one before.
//!
//! A store keeps runs in the order of their ids. Where that is the order in which they were started,
//! a new run goes behind all others, and those that were started together lie together: a
//! transaction about many of them touches few pages. The Workflow SDK mints them in order, too, but
//! one apart; here an id does not give away the next.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use crate::host::{Clock, Entropy, Host};

/// How far the clock may go back while ids go on ascending: it is set right by moments all the time. A
/// clock that was set back by more is followed, or ids would be ahead of it for as long.
const BACK: Duration = Duration::from_secs(1);

/// Mints the ids of an engine's runs.
pub(crate) struct Mint {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    last: Mutex<Option<RunId>>,
}

impl Mint {
    pub(crate) fn new(host: &Host) -> Self {
        Self {
            clock: Arc::clone(&host.clock),
            entropy: Arc::clone(&host.entropy),
            last: Mutex::new(None),
        }
    }

    /// The id of a run that is started now, greater than the one minted before it. Only where the clock
    /// was set back by more than a second since is it not.
    pub(crate) fn run(&self) -> RunId {
        let entropy = self.entropy.draw();
        // Nothing here leaves it half-changed.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Within the lock: of two threads, the one that mints later has looked later.
        let run = next(*last, self.clock.now(), entropy);
        *last = Some(run);
        run
    }

    /// 128 random bits, for whatever else is new.
    pub(crate) fn draw(&self) -> u128 {
        self.entropy.draw()
    }
}

impl fmt::Debug for Mint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mint").finish_non_exhaustive()
    }
}

fn next(last: Option<RunId>, at: Timestamp, entropy: u128) -> RunId {
    let fresh = RunId::mint(at, entropy);
    match last {
        Some(last) if last.timestamp() <= at.after(BACK) => fresh.max(last.beyond(gap(entropy))),
        Some(_) | None => fresh,
    }
}

/// The 48 bits of entropy that a fresh id does not take: more than anybody tries, and few enough that a
/// millisecond has room for thousands of millions of such gaps.
fn gap(entropy: u128) -> u64 {
    u64::try_from(entropy >> 80).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::iter;

    use super::*;

    /// Splitmix, so that each draw differs from the others in all of its bits.
    fn draws() -> impl Iterator<Item = u128> {
        let mut state = 7_u64;
        iter::repeat_with(move || {
            let mut half = || {
                state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                u128::from(mixed ^ (mixed >> 31))
            };
            (half() << 64) | half()
        })
    }

    /// The ids that are minted at these milliseconds, one after the other.
    fn minted(times: impl IntoIterator<Item = u64>) -> Vec<RunId> {
        let mut last = None;
        let minted = times.into_iter().zip(draws()).map(|(at, entropy)| {
            let run = next(last, Timestamp::from_millis(at), entropy);
            last = Some(run);
            run
        });
        minted.collect()
    }

    fn ascend(ids: &[RunId]) -> bool {
        ids.is_sorted_by(|one, later| one < later)
    }

    #[test]
    fn ids_of_one_millisecond_ascend_and_keep_their_time() {
        let ids = minted(iter::repeat_n(5_000, 10_000));
        assert!(ascend(&ids));
        assert!(ids.iter().all(|id| id.timestamp().as_millis() == 5_000));
    }

    #[test]
    fn a_clock_that_goes_back_by_moments_does_not_take_the_ids_along() {
        let ids = minted((0..1_000).map(|n| 5_000 + n - 2 * (n % 7)));
        assert!(ascend(&ids));
    }

    #[test]
    fn a_later_millisecond_is_that_of_the_id() {
        let ids = minted([5_000, 5_001, 9_000]);
        let times: Vec<_> = ids.iter().map(|id| id.timestamp().as_millis()).collect();
        assert_eq!(times, [5_000, 5_001, 9_000]);
    }

    #[test]
    fn a_clock_that_was_set_back_is_followed() {
        let ids = minted([50_000, 49_000, 48_999, 48_999]);
        assert!(ids[0] < ids[1]);
        assert_eq!(ids[2].timestamp().as_millis(), 48_999);
        assert!(ids[2] < ids[3]);
    }

    #[test]
    fn where_a_millisecond_is_full_ids_go_on_in_the_next() {
        let at = Timestamp::from_millis(5_000);
        let full = RunId::mint(at, u128::MAX);
        let first = next(Some(full), at, 1 << 80);
        let second = next(Some(first), at, 1 << 80);
        assert!(ascend(&[full, first, second]));
        assert_eq!(second.timestamp().as_millis(), 5_001);
    }

    #[test]
    fn an_id_does_not_give_away_the_next() {
        let ids = minted(iter::repeat_n(5_000, 100));
        let number = |id: &RunId| u128::from_be_bytes(id.to_bytes());
        let gaps: BTreeSet<_> = ids
            .windows(2)
            .map(|two| (number(&two[1]) - number(&two[0])) >> 32)
            .collect();
        assert!(gaps.len() > 90, "{} different gaps", gaps.len());
    }
}
