//! Deadlines: what falls due by itself, and when.
//!
//! This module must not know what time it is.

use crate::event::Correlation;
use crate::few::Few;
use crate::time::Timestamp;

/// Waits to complete and hooks to expire, by time and by id. In a box while there are any: a run that
/// waits for somebody to resume a hook mostly has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines(Option<Box<Kept>>);

#[derive(Clone, Debug, Default)]
struct Kept {
    in_order: Few<(Timestamp, Correlation), ()>,
    by_id: Few<Correlation, Timestamp>,
}

impl Deadlines {
    pub(super) fn set(&mut self, id: Correlation, at: Timestamp) {
        let kept = self.0.get_or_insert_default();
        kept.in_order.add((at, id));
        kept.by_id.insert(id, at);
    }

    pub(super) fn lift(&mut self, id: Correlation) {
        let Some(kept) = &mut self.0 else {
            return;
        };
        if let Some(at) = kept.by_id.remove(&id) {
            kept.in_order.take(&(at, id));
        }
        if kept.by_id.is_empty() {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// What falls due at or before `now`, earliest first.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = Correlation> {
        self.in_order()
            .take_while(move |(at, _)| *at <= now)
            .map(|(_, id)| *id)
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.in_order().next().map(|(at, _)| *at)
    }

    fn in_order(&self) -> impl Iterator<Item = &(Timestamp, Correlation)> {
        self.0.iter().flat_map(|kept| kept.in_order.keys())
    }

    /// Roughly what all of it holds in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        let of = |kept: &Kept| size_of::<Kept>() + kept.in_order.weight() + kept.by_id.weight();
        self.0.as_deref().map_or(0, of)
    }
}
