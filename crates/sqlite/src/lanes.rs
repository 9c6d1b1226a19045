//! Whose request goes next into a transaction: the rule, with nothing round it.
//!
//! A worker's requests may be many: each of ten thousand runs that go on has one in line, and who asks
//! once from outside would wait for them all. So there are two lanes, each in order of arrival, and
//!
//! 1. a transaction begins with the request that has waited longest, and takes what waited then in
//!    order of arrival;
//! 2. [`AHEAD`] outsiders at most, of [`AHEAD_BYTES`] together, go before workers that came earlier, and
//!    they may come while it is open;
//! 3. beside each outsider there are [`BESIDE`] workers at most, or as many as are served in the time
//!    that a commit takes, and then it is committed, or outsiders would be answered no sooner for
//!    having gone first.
//!
//! Nobody waits for ever: by 1, whoever is first in line is in the next transaction. By 2 workers lose
//! one place in [`BESIDE`] to outsiders that never end. By 3 they share a commit with fewer than they
//! could, and yet no more than half of the time goes into commits for that, or what is left beside
//! [`BESIDE`] of them. A crowd of outsiders stands in line, so the more a store has to do, the longer
//! it takes to ask more of it; and workers by themselves share commits up to its bounds.

use std::time::Duration;

use crate::queue::Caller;

/// So many outsiders a transaction go before workers that came earlier.
const AHEAD: usize = 16;
/// And no more than so many bytes of theirs: large ones would fill it.
const AHEAD_BYTES: usize = 64 << 10;
/// So many workers go into a transaction beside each outsider: enough that a commit is shared.
const BESIDE: usize = 32;
/// And no more after so many bytes of theirs, for one request may be about many runs.
const BESIDE_BYTES: usize = 64 << 10;

/// How much of what waits goes into one transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    requests: usize,
    bytes: usize,
}

impl Most {
    /// So much that one transaction stays small beside the bound of the write-ahead log.
    pub(crate) fn beside(wal_bytes: u64) -> Self {
        let within = |bytes: u64, most: usize| usize::try_from(bytes).unwrap_or(most).min(most);
        Self {
            requests: within(wal_bytes >> 16, 512).max(1),
            bytes: within(wal_bytes >> 4, 4 << 20),
        }
    }
}

/// The first in line of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct First {
    /// Its number, in order of arrival over both lanes.
    pub(crate) number: u64,
    pub(crate) bytes: usize,
}

/// A transaction, as far as it decides what else goes into it.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    most: Most,
    /// The number of the first that came after it began.
    until: u64,
    outsiders: usize,
    /// Of these, those that went before workers.
    ahead: usize,
    ahead_bytes: usize,
    workers: usize,
    workers_bytes: usize,
    bytes: usize,
    /// What a commit takes, by the last one.
    commit: Duration,
}

impl Share {
    /// Of a transaction that begins before the request of this number has come.
    pub(crate) const fn new(most: Most, until: u64, commit: Duration) -> Self {
        Self {
            most,
            until,
            outsiders: 0,
            ahead: 0,
            ahead_bytes: 0,
            workers: 0,
            workers_bytes: 0,
            bytes: 0,
            commit,
        }
    }

    /// Takes one of those that are first in their lanes, and says whose; none where it is to be
    /// committed. It has been open for `open`.
    pub(crate) fn take(
        &mut self,
        outsider: Option<First>,
        worker: Option<First>,
        open: Duration,
    ) -> Option<Caller> {
        let caller = self.choose(outsider, worker, open)?;
        let first = match caller {
            Caller::Outsider => outsider,
            Caller::Worker => worker,
        }?;
        let begun = self.outsiders + self.workers;
        let room = self.most.bytes.saturating_sub(self.bytes);
        // One that is larger than the bound is alone.
        if begun == self.most.requests || (begun > 0 && first.bytes > room) {
            return None;
        }
        self.bytes = self.bytes.saturating_add(first.bytes);
        match caller {
            Caller::Outsider => {
                self.outsiders += 1;
                if worker.is_some_and(|worker| is_before(worker, first)) {
                    self.ahead += 1;
                    self.ahead_bytes = self.ahead_bytes.saturating_add(first.bytes);
                }
            }
            Caller::Worker => {
                self.workers += 1;
                self.workers_bytes = self.workers_bytes.saturating_add(first.bytes);
            }
        }
        Some(caller)
    }

    fn choose(
        &self,
        outsider: Option<First>,
        worker: Option<First>,
        open: Duration,
    ) -> Option<Caller> {
        let waited = |first: &First| first.number < self.until;
        let worker = worker.filter(waited);
        let Some(worker) = worker else {
            return outsider.filter(waited).map(|_| Caller::Outsider);
        };
        let Some(outsider) = outsider else {
            return self.has_room_for_workers(open).then_some(Caller::Worker);
        };
        let is_turn = is_before(outsider, worker);
        let is_begun = self.outsiders + self.workers > 0;
        if is_turn || (is_begun && self.may_go_ahead(outsider)) {
            return Some(Caller::Outsider);
        }
        self.has_room_for_workers(open).then_some(Caller::Worker)
    }

    const fn may_go_ahead(&self, outsider: First) -> bool {
        self.ahead < AHEAD && self.ahead_bytes.saturating_add(outsider.bytes) <= AHEAD_BYTES
    }

    fn has_room_for_workers(&self, open: Duration) -> bool {
        let few = self.workers < self.outsiders * BESIDE
            && self.workers_bytes < self.outsiders * BESIDE_BYTES;
        self.outsiders == 0 || few || open < self.commit
    }
}

const fn is_before(one: First, other: First) -> bool {
    one.number < other.number
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const ROOMY: Most = Most {
        requests: 512,
        bytes: 4 << 20,
    };
    const SMALL: usize = 512;
    const COMMIT: Duration = Duration::from_millis(1);

    /// Both lanes, and what comes into them.
    #[derive(Debug)]
    struct Lanes {
        outsiders: VecDeque<First>,
        workers: VecDeque<First>,
        arrived: u64,
        /// How long transactions are open when they take the next.
        open: Duration,
    }

    impl Default for Lanes {
        fn default() -> Self {
            Self {
                outsiders: VecDeque::new(),
                workers: VecDeque::new(),
                arrived: 0,
                open: COMMIT,
            }
        }
    }

    impl Lanes {
        fn arrive(&mut self, caller: Caller, many: usize, bytes: usize) {
            let lane = match caller {
                Caller::Outsider => &mut self.outsiders,
                Caller::Worker => &mut self.workers,
            };
            for _ in 0..many {
                let number = self.arrived;
                self.arrived += 1;
                lane.push_back(First { number, bytes });
            }
        }

        fn begin(&self, most: Most) -> Share {
            Share::new(most, self.arrived, COMMIT)
        }

        fn next(&mut self, share: &mut Share) -> Option<(Caller, First)> {
            let (outsider, worker) = (self.outsiders.front(), self.workers.front());
            let caller = share.take(outsider.copied(), worker.copied(), self.open)?;
            let lane = match caller {
                Caller::Outsider => &mut self.outsiders,
                Caller::Worker => &mut self.workers,
            };
            Some((caller, lane.pop_front().unwrap()))
        }

        fn callers(&mut self, share: &mut Share) -> Vec<Caller> {
            std::iter::from_fn(|| self.next(share))
                .map(|(caller, _)| caller)
                .collect()
        }

        fn is_empty(&self) -> bool {
            self.outsiders.is_empty() && self.workers.is_empty()
        }
    }

    fn count(callers: &[Caller], which: Caller) -> usize {
        callers.iter().filter(|caller| **caller == which).count()
    }

    #[test]
    fn one_from_outside_goes_into_the_open_transaction_before_all_workers() {
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Worker, 1_000, SMALL);
        let mut share = lanes.begin(ROOMY);
        for _ in 0..5 {
            assert_eq!(lanes.next(&mut share).unwrap().0, Caller::Worker);
        }
        lanes.arrive(Caller::Outsider, 1, SMALL);
        let rest = lanes.callers(&mut share);
        assert_eq!(rest[0], Caller::Outsider);
        assert_eq!(count(&rest, Caller::Worker), BESIDE - 5);
    }

    #[test]
    fn a_transaction_with_many_workers_is_committed_once_an_outsider_is_in_it() {
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Worker, 1_000, SMALL);
        let mut share = lanes.begin(ROOMY);
        for _ in 0..100 {
            assert_eq!(lanes.next(&mut share).unwrap().0, Caller::Worker);
        }
        lanes.arrive(Caller::Outsider, 2, SMALL);
        assert_eq!(lanes.callers(&mut share), [Caller::Outsider; 2]);
    }

    #[test]
    fn large_ones_from_outside_do_not_push_workers_out_of_a_transaction() {
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Worker, 1_000, SMALL);
        lanes.arrive(Caller::Outsider, 4, 1 << 20);
        let mut share = lanes.begin(ROOMY);
        let callers = lanes.callers(&mut share);
        assert_eq!(count(&callers, Caller::Worker), 512);
    }

    #[test]
    fn where_a_commit_takes_long_more_workers_share_it_with_an_outsider() {
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Worker, 1_000, SMALL);
        lanes.arrive(Caller::Outsider, 1, SMALL);
        lanes.open = COMMIT / 2;
        let mut share = lanes.begin(ROOMY);
        for _ in 0..200 {
            assert!(lanes.next(&mut share).is_some());
        }
        lanes.open = COMMIT;
        assert_eq!(lanes.next(&mut share), None);
    }

    #[test]
    fn workers_alone_share_a_commit_up_to_its_bound() {
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Worker, 1_000, SMALL);
        let mut share = lanes.begin(ROOMY);
        assert_eq!(lanes.callers(&mut share).len(), 512);
    }

    #[test]
    fn a_request_about_many_runs_is_not_followed_by_another_beside_an_outsider() {
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Worker, 3, BESIDE_BYTES);
        let mut share = lanes.begin(ROOMY);
        assert_eq!(lanes.next(&mut share).unwrap().0, Caller::Worker);
        lanes.arrive(Caller::Outsider, 1, SMALL);
        assert_eq!(lanes.callers(&mut share), [Caller::Outsider]);
    }

    #[test]
    fn a_crowd_of_outsiders_stands_in_line() {
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Worker, 100, SMALL);
        lanes.arrive(Caller::Outsider, 100, SMALL);
        let mut share = lanes.begin(ROOMY);
        let callers = lanes.callers(&mut share);
        assert_eq!(callers.len(), 200);
        let before_the_last_worker = &callers[..100 + AHEAD];
        assert_eq!(count(before_the_last_worker, Caller::Outsider), AHEAD);
    }

    #[test]
    fn what_comes_later_waits_for_the_next_commit_unless_it_goes_ahead() {
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Outsider, 1, SMALL);
        let mut share = lanes.begin(ROOMY);
        lanes.arrive(Caller::Outsider, 1, SMALL);
        lanes.arrive(Caller::Worker, 1, SMALL);
        assert_eq!(lanes.callers(&mut share), [Caller::Outsider]);
    }

    #[test]
    fn one_that_is_too_large_is_alone_and_its_turn_comes() {
        let most = Most {
            requests: 512,
            bytes: 1_000,
        };
        let mut lanes = Lanes::default();
        lanes.arrive(Caller::Worker, 1, 1);
        lanes.arrive(Caller::Worker, 1, 5_000);
        // Outsiders never end.
        for large_is_in in [false, true] {
            lanes.arrive(Caller::Outsider, 3, 1);
            let mut share = lanes.begin(most);
            let taken: Vec<_> = std::iter::from_fn(|| lanes.next(&mut share)).collect();
            let is_in = taken.iter().any(|(_, first)| first.bytes > most.bytes);
            assert_eq!(is_in, large_is_in, "{taken:?}");
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Act {
        Arrive(bool, usize, usize),
        Begin,
        Next,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let bytes = prop_oneof![3 => Just(SMALL), 1 => 0..200_000_usize, 1 => Just(5 << 20)];
        let act = prop_oneof![
            2 => (any::<bool>(), 0..40_usize, bytes).prop_map(|(o, n, b)| Act::Arrive(o, n, b)),
            1 => Just(Act::Begin),
            60 => Just(Act::Next),
        ];
        prop::collection::vec(act, 0..600)
    }

    proptest! {
        #[test]
        fn whoever_is_first_in_line_is_in_the_next_transaction_and_all_bounds_hold(acts in acts()) {
            let mut lanes = Lanes::default();
            let mut share = lanes.begin(ROOMY);
            for act in acts {
                match act {
                    Act::Arrive(true, many, bytes) => lanes.arrive(Caller::Outsider, many, bytes),
                    Act::Arrive(false, many, bytes) => lanes.arrive(Caller::Worker, many, bytes),
                    Act::Begin => {
                        share = lanes.begin(ROOMY);
                        let oldest = lanes.outsiders.front().into_iter().chain(lanes.workers.front());
                        let oldest = oldest.map(|first| first.number).min();
                        let taken = lanes.next(&mut share).map(|(_, first)| first.number);
                        prop_assert_eq!(taken, oldest);
                    }
                    Act::Next => {
                        let _taken = lanes.next(&mut share);
                    }
                }
                let begun = share.outsiders + share.workers;
                prop_assert!(begun <= ROOMY.requests);
                prop_assert!(begun <= 1 || share.bytes <= ROOMY.bytes);
                prop_assert!(share.ahead <= AHEAD);
            }
            // And everybody is served in the end.
            while !lanes.is_empty() {
                let mut share = lanes.begin(ROOMY);
                prop_assert!(!lanes.callers(&mut share).is_empty());
            }
        }
    }
}
