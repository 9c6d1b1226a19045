//! What really happened, counted by name: a simulation proves nothing about what it never did.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::fault::{Fate, Trouble};
use crate::outsider::Action;
use crate::program::Op;

/// How often each thing happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// What nothing does on purpose, and what enough seeds bring about all the same: appends of workers
/// that lose a race, tokens that are taken, code that does not match, callers that a workflow answers,
/// payloads for a run that is parked, shields that a cancelled run finishes or that run out of time, calls
/// that are undone for either reason.
const MET: [&str; 9] = [
    "met worker-moved",
    "met conflict",
    "met diverged",
    "met answered-call",
    "met delivery-to-parked",
    "met shield-finished",
    "met shield-cut-short",
    "met undone-after-failure",
    "met undone-after-cancel",
];

/// What follows from nodes that share a store.
const MET_TOGETHER: [&str; 6] = [
    "met claimed",
    "met orphan",
    "met leased-elsewhere",
    "met taken-for-dead",
    "met news-lost",
    "met frozen",
];

/// What did not happen and should have where several nodes share the store.
pub fn missing_together(counts: &Counts) -> Vec<&'static str> {
    let all = MET_TOGETHER.iter().chain(&MET).copied();
    let mut missing: Vec<_> = all.filter(|name| !counts.contains_key(name)).collect();
    missing.extend(self::missing(counts));
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// What did not happen and should have: operations of the grammar, actions of outsiders, faults, and
/// what follows from them.
pub fn missing(counts: &Counts) -> Vec<&'static str> {
    let fates = Fate::ALL.map(Fate::name);
    let all = Op::NAMES
        .iter()
        .chain(&Action::NAMES)
        .chain(&Trouble::NAMES)
        .chain(&fates)
        .chain(&MET);
    all.filter(|name| !counts.contains_key(*name))
        .copied()
        .collect()
}

/// Counts what happens.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<Counts>,
}

impl Tally {
    pub(crate) fn count(&self, name: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(name).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
