//! The ids of new runs, each greater than the one before.
//!
//! A store keeps runs in the order of their ids. Where that is the order in which they began, a new run
//! goes behind all others, and those that began together lie together: a transaction about many
//! of them touches few pages. The Workflow SDK mints them in order, too, but one apart; here an id
//! does not give away the next.

use std::sync::{Mutex, PoisonError};

use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

/// How far the clock may go back, in milliseconds, while ids go on ascending. Threads that read it
/// a moment apart come here in any order; a clock that was set back is followed.
const BACK: u64 = 1_000;

/// Mints the ids of runs.
#[derive(Debug, Default)]
pub(super) struct Mint {
    last: Mutex<Option<RunId>>,
}

impl Mint {
    /// The id of a run that begins at `at`, greater than the one that was minted before it. Only
    /// where the clock was set back by more than a second is it not.
    pub(super) fn run(&self, at: Timestamp, entropy: u128) -> RunId {
        // Nothing here leaves it half-changed.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let run = match *last {
            Some(last) if is_due_behind(last, at) => last.beyond(gap(entropy)),
            Some(_) | None => RunId::mint(at, entropy),
        };
        *last = Some(run);
        run
    }
}

/// True where an id of the present might not be greater than the last.
fn is_due_behind(last: RunId, at: Timestamp) -> bool {
    let ahead = last.timestamp().as_millis().checked_sub(at.as_millis());
    ahead.is_some_and(|ahead| ahead <= BACK)
}

/// The first 48 bits of entropy: more than anybody tries, and 80 bits have room for four thousand
/// millions of such gaps.
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

    fn minted(times: impl IntoIterator<Item = u64>) -> Vec<RunId> {
        let mint = Mint::default();
        let minted = times
            .into_iter()
            .zip(draws())
            .map(|(at, entropy)| mint.run(Timestamp::from_millis(at), entropy));
        minted.collect()
    }

    #[test]
    fn ids_of_one_millisecond_ascend_and_keep_their_time() {
        let ids = minted(iter::repeat_n(5_000, 10_000));
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert!(ids.iter().all(|id| id.timestamp().as_millis() == 5_000));
    }

    #[test]
    fn threads_that_read_the_clock_a_moment_apart_mint_ascending_ids() {
        let ids = minted((0..1_000).map(|n| 5_000 + n - n % 7));
        assert!(ids.is_sorted_by(|one, next| one < next));
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
    fn an_id_does_not_give_away_the_next() {
        let ids = minted([5_000; 100]);
        let number = |id: &RunId| u128::from_be_bytes(id.to_bytes());
        let gaps: BTreeSet<_> = ids
            .windows(2)
            .map(|two| (number(&two[1]) - number(&two[0])) >> 32)
            .collect();
        assert!(gaps.len() > 90, "{} different gaps", gaps.len());
    }
}
