//! The memory budget: which resting runs must give up their memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

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
    by_turn: BTreeMap<u64, RunId>,
    by_run: BTreeMap<RunId, (u64, usize)>,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            bytes,
            resting: Mutex::default(),
        }
    }

    /// Notes that a run rests and holds so many bytes; which runs must go.
    pub(crate) fn rest(&self, run: RunId, weight: usize) -> Vec<RunId> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.remove(run);
        resting.turn += 1;
        let turn = resting.turn;
        resting.by_turn.insert(turn, run);
        resting.by_run.insert(run, (turn, weight));
        resting.total += weight;
        let mut evicted = Vec::new();
        while resting.total > self.bytes {
            let Some((_, oldest)) = resting.by_turn.first_key_value() else {
                break;
            };
            let oldest = *oldest;
            resting.remove(oldest);
            evicted.push(oldest);
        }
        evicted
    }

    /// How many runs in memory rest.
    pub(crate) fn len(&self) -> usize {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.by_run.len()
    }

    /// Notes that a run no longer rests.
    pub(crate) fn stir(&self, run: RunId) {
        self.resting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(run);
    }
}

impl Resting {
    fn remove(&mut self, run: RunId) {
        if let Some((turn, weight)) = self.by_run.remove(&run) {
            self.by_turn.remove(&turn);
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
        assert!(budget.rest(run(1), 60).is_empty());
        assert!(budget.rest(run(2), 40).is_empty());
        assert!(
            budget.rest(run(1), 60).is_empty(),
            "it rests anew, and is counted once"
        );
        assert_eq!(budget.rest(run(3), 50), [run(2), run(1)]);
    }

    #[test]
    fn a_run_that_stirs_is_left_alone() {
        let budget = Budget::new(100);
        assert!(budget.rest(run(1), 80).is_empty());
        budget.stir(run(1));
        assert!(budget.rest(run(2), 80).is_empty());
    }

    #[test]
    fn without_a_budget_every_rest_evicts() {
        assert_eq!(Budget::new(0).rest(run(1), 1), [run(1)]);
    }
}
