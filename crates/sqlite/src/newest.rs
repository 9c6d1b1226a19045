//! Which runs are new for certain, without a look at the file.
//!
//! A run's id begins with the time at which it was minted, so a new one stands behind nearly all that
//! are there: every run behind a certain one is known by its id, and one that is not among them is
//! new. About one that stands before it, nothing is said.

use std::mem;

use rewake_store::core::id::RunId;

use crate::by_run::RunSet;

/// How many ids are known in each of two generations: those of a tenth of a second under full load.
const MOST: usize = 4_096;

#[derive(Debug, Default)]
pub(crate) struct Newest(Option<Known>);

/// In the order of their ids, nothing stands before the first run but none.
#[derive(Debug, Default)]
struct Known {
    /// Every run behind this one is in one of the two generations.
    since: Option<RunId>,
    /// The last run when the younger generation began.
    middle: Option<RunId>,
    /// The last run.
    last: Option<RunId>,
    old: RunSet,
    young: RunSet,
}

impl Newest {
    /// All that is there stands before a run or is it; none where there is nothing.
    pub(crate) fn after(last: Option<RunId>) -> Self {
        Self(Some(Known {
            since: last,
            middle: last,
            last,
            ..Known::default()
        }))
    }

    pub(crate) const fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// True where the run is not there. False says nothing.
    pub(crate) fn is_new(&self, run: RunId) -> bool {
        self.0.as_ref().is_some_and(|known| {
            Some(run) > known.since && !known.young.contains(&run) && !known.old.contains(&run)
        })
    }

    /// Takes note that a run begins.
    pub(crate) fn begins(&mut self, run: RunId) {
        let Some(known) = &mut self.0 else {
            return;
        };
        if Some(run) <= known.since {
            return;
        }
        known.last = known.last.max(Some(run));
        known.young.insert(run);
        if known.young.len() >= MOST {
            known.since = mem::replace(&mut known.middle, known.last);
            // Its room is kept for those to come.
            mem::swap(&mut known.old, &mut known.young);
            known.young.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(n: usize) -> RunId {
        RunId::from_bytes((n as u128).to_be_bytes())
    }

    #[test]
    fn nothing_is_said_before_the_file_was_looked_at() {
        let mut newest = Newest::default();
        newest.begins(run(1));
        assert!(!newest.is_new(run(1)));
        assert!(!newest.is_new(run(2)));
    }

    #[test]
    fn what_stands_behind_all_that_is_there_is_new() {
        let newest = Newest::after(Some(run(5)));
        let seen = [4, 5, 6].map(|n| newest.is_new(run(n)));
        assert_eq!(seen, [false, false, true]);
    }

    #[test]
    fn in_an_empty_file_all_are_new() {
        assert!(Newest::after(None).is_new(run(0)));
    }

    #[test]
    fn one_that_has_begun_is_not_new_however_many_follow_in_whatever_order() {
        let mut newest = Newest::after(Some(run(0)));
        let mut begun = Vec::new();
        for n in 1..5 * MOST {
            // One behind, one before it, and so on; some never come.
            let n = if n % 3 == 0 { n } else { 5 * MOST + n };
            newest.begins(run(n));
            begun.push(n);
            if n % 97 == 0 {
                assert!(begun.iter().all(|n| !newest.is_new(run(*n))));
            }
        }
        assert!(begun.iter().all(|n| !newest.is_new(run(*n))));
        assert!(newest.is_new(run(20 * MOST)));
    }

    #[test]
    fn most_that_come_late_are_new_all_the_same() {
        let mut newest = Newest::after(None);
        (0..MOST).for_each(|n| newest.begins(run(2 * n)));
        assert!(newest.is_new(run(2 * MOST - 3)));
        assert!(newest.is_new(run(1)));
        (MOST..2 * MOST).for_each(|n| newest.begins(run(2 * n)));
        assert!(newest.is_new(run(2 * MOST + 1)));
        assert!(!newest.is_new(run(1)), "nothing is said of it any more");
    }
}
