//! Rows that are in memory, as the source of a copy.

use futures_util::FutureExt;
use futures_util::future::ready;

use crate::role::StoreFuture;
use crate::weight::LEAST_WEIGHT;

use super::role::CopyOut;
use super::row::{AnyRow, RowKind, RowPlace};

/// Rows that are in memory, as the source of a copy. A store that keeps all it has in memory gives
/// them out like this; tests make them up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InHand {
    rows: Vec<AnyRow>,
}

impl InHand {
    /// These rows. Those of one kind stand in the order in which a source gives them.
    pub const fn new(rows: Vec<AnyRow>) -> Self {
        Self { rows }
    }

    /// The rows.
    pub fn rows(&self) -> &[AnyRow] {
        &self.rows
    }
}

impl CopyOut for InHand {
    fn page(
        &mut self,
        kind: RowKind,
        after: Option<RowPlace>,
        max_bytes: usize,
    ) -> StoreFuture<Vec<AnyRow>> {
        let rows = self.rows.iter().filter(|row| row.kind() == kind);
        let most = (max_bytes / LEAST_WEIGHT).max(1);
        let page = match after {
            None => rows.take(most).cloned().collect(),
            Some(after) => rows
                .skip_while(|row| row.place() != after)
                .skip(1)
                .take(most)
                .cloned()
                .collect(),
        };
        ready(Ok(page)).boxed()
    }
}
