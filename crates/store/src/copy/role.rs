//! The two sides of a copy. Stores give them out; they are no role of an engine's store.

use crate::role::StoreFuture;

use super::row::{AnyRow, RowKind, RowPlace};
use super::tally::Tally;

/// A store that is read whole.
///
/// Nothing else may write to it meanwhile, or what is written must not show: all pages are of one
/// state.
pub trait CopyOut: Send {
    /// Rows of one kind behind a place, in the order in which the store keeps them: at least one if
    /// there is any, and no more than about `max_bytes` of them. Empty at the end. Runs and frames
    /// come in order of the run's id, and the frames of a run in order of their positions.
    ///
    /// What is stored is checked as for any other question: a row that is not what was written is
    /// [`StoreError::Corrupt`](crate::StoreError::Corrupt), which names it.
    fn page(
        &mut self,
        kind: RowKind,
        after: Option<RowPlace>,
        max_bytes: usize,
    ) -> StoreFuture<Vec<AnyRow>>;
}

/// A store that is filled.
///
/// It was empty at the beginning, and nobody sees anything in it before [`finish`](Self::finish) has
/// succeeded: whoever opens it meanwhile, or after this was dropped without that, finds it empty, does
/// not find it at all, or is refused.
pub trait CopyIn: Send {
    /// Writes rows. Each place is written once. After a failure this is good for nothing but to be
    /// dropped.
    fn load(&mut self, rows: Vec<AnyRow>) -> StoreFuture<()>;

    /// Counts what was written, where it was written.
    fn tally(&mut self) -> StoreFuture<Tally>;

    /// Makes all of it seen at once, and durable. After [`StoreError::OutcomeUnknown`](crate::StoreError::OutcomeUnknown) it is either
    /// there as a whole or not at all.
    fn finish(self: Box<Self>) -> StoreFuture<()>;
}
