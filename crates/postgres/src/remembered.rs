//! Runs as this process has written them last.
//!
//! What stands here may be out of date: another process may have written since. So nothing is
//! answered from it; a write that builds on it goes through only where the row is still the same.

use std::collections::BTreeMap;

use rewake_store::RunRow;
use rewake_store::core::id::RunId;

use crate::row::run_body;

/// How many runs are remembered before those that were not asked for meanwhile are forgotten.
const MOST: usize = 16_384;

#[derive(Debug, Default)]
pub(crate) struct Remembered {
    young: BTreeMap<RunId, Known>,
    old: BTreeMap<RunId, Known>,
}

/// A run's row, and its body as it is stored.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) row: RunRow,
    /// Written down when it is asked for: that of the long way is often not.
    body: Option<Vec<u8>>,
}

impl Known {
    pub(crate) const fn written(row: RunRow, body: Vec<u8>) -> Self {
        Self {
            row,
            body: Some(body),
        }
    }

    /// The body as it is stored.
    pub(crate) fn into_body(mut self) -> Vec<u8> {
        let body = self.body.take();
        body.unwrap_or_else(|| run_body(&mut self.row))
    }
}

impl From<RunRow> for Known {
    fn from(row: RunRow) -> Self {
        Self { row, body: None }
    }
}

impl Remembered {
    /// Remembers a run, unless it has ended: nothing more is written for that.
    pub(crate) fn put(&mut self, run: RunId, known: Known) {
        self.old.remove(&run);
        if known.row.status.is_terminal() {
            self.young.remove(&run);
            return;
        }
        self.young.insert(run, known);
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// Takes a run out: whoever builds on it puts it back as it is then.
    pub(crate) fn take(&mut self, run: RunId) -> Option<Known> {
        self.young.remove(&run).or_else(|| self.old.remove(&run))
    }
}
