//! Runs as this process has written them last.
//!
//! What stands here may be out of date: another process may have written since. So nothing is
//! answered from it; a write that builds on it goes through only where the row is still the same.

use std::collections::BTreeMap;

use rewake_store::RunRow;
use rewake_store::core::id::RunId;

/// How many runs are remembered before those that were not asked for meanwhile are forgotten.
const MOST: usize = 16_384;

#[derive(Debug, Default)]
pub(crate) struct Remembered {
    young: BTreeMap<RunId, RunRow>,
    old: BTreeMap<RunId, RunRow>,
}

impl Remembered {
    /// Remembers a run, unless it has ended: nothing more is written for that.
    pub(crate) fn put(&mut self, run: RunId, row: RunRow) {
        self.old.remove(&run);
        if row.status.is_terminal() {
            self.young.remove(&run);
            return;
        }
        self.young.insert(run, row);
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
    }

    pub(crate) fn get(&mut self, run: RunId) -> Option<RunRow> {
        if let Some(row) = self.old.remove(&run) {
            self.put(run, row);
        }
        self.young.get(&run).or_else(|| self.old.get(&run)).cloned()
    }

    pub(crate) fn forget(&mut self, run: RunId) {
        self.young.remove(&run);
        self.old.remove(&run);
    }
}
