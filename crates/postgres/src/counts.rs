//! What a store has done since it was opened, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transactions that were committed.
    pub commits: u64,
    /// Requests that were answered, with an answer or a refusal.
    pub requests: u64,
    /// How often the writer has waited for the database: what goes out together counts once.
    pub round_trips: u64,
    /// Transactions that were undone, to be tried again or refused.
    pub undone: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) round_trips: AtomicU64,
    pub(crate) undone: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        Counts {
            commits: read(&self.commits),
            requests: read(&self.requests),
            round_trips: read(&self.round_trips),
            undone: read(&self.undone),
        }
    }
}

/// Adds to a counter of [`Counters`].
pub(crate) fn count(counter: &AtomicU64, more: usize) {
    counter.fetch_add(more as u64, Ordering::AcqRel);
}
