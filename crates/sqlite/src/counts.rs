//! What a store has done since it was opened, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transactions that were committed. With [`Durability::Full`](crate::Durability::Full) each
    /// is followed by a sync of the write-ahead log before anybody is answered; at full load some may
    /// share one.
    pub commits: u64,
    /// Requests that were answered, with an answer or a refusal.
    pub requests: u64,
    /// Rows inserted, updated and deleted, as the database counts them.
    pub rows: u64,
    /// Checkpoints of the write-ahead log.
    pub checkpoints: u64,
    /// How often writing paused for the write-ahead log.
    pub pauses: u64,
    /// How often such a pause was in vain, because a reader from elsewhere held on to an old state.
    pub overruns: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) rows: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) pauses: AtomicU64,
    pub(crate) overruns: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        Counts {
            commits: read(&self.commits),
            requests: read(&self.requests),
            rows: read(&self.rows),
            checkpoints: read(&self.checkpoints),
            pauses: read(&self.pauses),
            overruns: read(&self.overruns),
        }
    }
}

/// Adds to a counter of [`Counters`].
pub(crate) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::AcqRel);
}
