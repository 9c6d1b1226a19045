//! The memory budget: which resting runs must give up their memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rewake_core::id::RunId;

/// Keeps what resting runs hold in memory below a budget, letting go of those first that have rested
/// longest.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: usize,
    resting: Mutex<Resting>,
}

#[derive(Debug, Default)]
struct Resting {
    total: usize,
    turn: u64,
    /// The runs with what they hold, in the order in which they came to rest.
    by_turn: BTreeMap<u64, (RunId, usize)>,
}

/// A run's place among those that rest, which its driver keeps; none while it does not rest.
#[derive(Debug, Default)]
pub(crate) struct Rest(Option<u64>);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            bytes,
            resting: Mutex::default(),
        }
    }

    /// Notes that a run rests and holds so many bytes; which runs must go.
    pub(crate) fn rest(&self, rest: &mut Rest, run: RunId, weight: usize) -> Vec<RunId> {
        let mut resting = self.lock();
        resting.remove(rest);
        resting.turn += 1;
        let turn = resting.turn;
        resting.by_turn.insert(turn, (run, weight));
        *rest = Rest(Some(turn));
        resting.total += weight;
        let mut evicted = Vec::new();
        while resting.total > self.bytes {
            let Some((_, (oldest, weight))) = resting.by_turn.pop_first() else {
                break;
            };
            resting.total -= weight;
            evicted.push(oldest);
        }
        evicted
    }

    /// How many runs in memory rest.
    pub(crate) fn len(&self) -> usize {
        self.lock().by_turn.len()
    }

    /// Notes that a run no longer rests.
    pub(crate) fn stir(&self, rest: &mut Rest) {
        if rest.0.is_some() {
            self.lock().remove(rest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resting {
    /// One that had to go has lost its place already.
    fn remove(&mut self, rest: &mut Rest) {
        let turn = rest.0.take();
        if let Some((_, weight)) = turn.and_then(|turn| self.by_turn.remove(&turn)) {
            self.total -= weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use rewake_core::time::Timestamp;

    use super::*;

    fn run(n: u128) -> RunId {
        RunId::mint(Timestamp::ZERO, n)
    }

    #[test]
    fn whoever_rested_longest_goes_first() {
        let budget = Budget::new(100);
        let [mut one, mut two, mut three] = [const { Rest(None) }; 3];
        assert!(budget.rest(&mut one, run(1), 60).is_empty());
        assert!(budget.rest(&mut two, run(2), 40).is_empty());
        assert!(
            budget.rest(&mut one, run(1), 60).is_empty(),
            "it rests anew, and is counted once"
        );
        assert_eq!(budget.rest(&mut three, run(3), 50), [run(2), run(1)]);
        budget.stir(&mut one);
        assert!(
            budget.rest(&mut two, run(2), 50).is_empty(),
            "what had to go is counted no more, and goes once"
        );
    }

    #[test]
    fn a_run_that_stirs_is_left_alone() {
        let budget = Budget::new(100);
        let mut one = Rest::default();
        assert!(budget.rest(&mut one, run(1), 80).is_empty());
        budget.stir(&mut one);
        assert!(budget.rest(&mut Rest::default(), run(2), 80).is_empty());
    }

    #[test]
    fn without_a_budget_every_rest_evicts() {
        let mut one = Rest::default();
        assert_eq!(Budget::new(0).rest(&mut one, run(1), 1), [run(1)]);
    }
}
