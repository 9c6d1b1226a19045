//! Deadlines: what falls due by itself, and when.
//!
//! This module must not know what time it is.

use crate::event::Correlation;
use crate::few::Few;
use crate::time::Timestamp;

/// Waits to complete and hooks to expire, by time and by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    in_order: Few<(Timestamp, Correlation), ()>,
    by_id: Few<Correlation, Timestamp>,
}

impl Deadlines {
    pub(super) fn set(&mut self, id: Correlation, at: Timestamp) {
        self.in_order.add((at, id));
        self.by_id.insert(id, at);
    }

    pub(super) fn lift(&mut self, id: Correlation) {
        if let Some(at) = self.by_id.remove(&id) {
            self.in_order.take(&(at, id));
        }
    }

    pub(super) fn clear(&mut self) {
        self.in_order.clear();
        self.by_id.clear();
    }

    /// What falls due at or before `now`, earliest first.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = Correlation> {
        self.in_order
            .keys()
            .take_while(move |(at, _)| *at <= now)
            .map(|(_, id)| *id)
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.in_order.keys().next().map(|(at, _)| *at)
    }

    /// Roughly what all of it holds in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.in_order.weight() + self.by_id.weight()
    }
}
