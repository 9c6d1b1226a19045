//! The in-memory store as either side of a copy.

use futures_util::FutureExt;
use futures_util::future::ready;

use super::MemoryStore;
use super::tables::Tables;
use crate::copy::{AnyRow, CopyIn, CopyOut, InHand, NotEmpty, Tally};
use crate::error::StoreError;
use crate::role::StoreFuture;

impl MemoryStore {
    /// The store as it stands at this moment, to be copied into another one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] where a row is not what was written.
    pub fn copy_out(&self) -> Result<Box<dyn CopyOut>, StoreError> {
        let rows = self.tables().rows()?;
        Ok(Box::new(InHand::new(rows)))
    }

    /// Fills the store, which shows nothing of it before the copy is finished.
    ///
    /// # Errors
    ///
    /// [`NotEmpty`] where it holds anything.
    pub fn copy_in(&self) -> Result<Box<dyn CopyIn>, NotEmpty> {
        let found = self.tables().tally();
        if found.total() > 0 {
            return Err(NotEmpty { found });
        }
        Ok(Box::new(Staged {
            store: self.clone(),
            tables: Tables::default(),
        }))
    }
}

/// What will be the store's.
struct Staged {
    store: MemoryStore,
    tables: Tables,
}

impl CopyIn for Staged {
    fn load(&mut self, rows: Vec<AnyRow>) -> StoreFuture<()> {
        let (scopes, writes) = AnyRow::into_writes(rows);
        for row in scopes {
            self.tables.put_scope(row);
        }
        self.tables.write(writes);
        ready(Ok(())).boxed()
    }

    fn tally(&mut self) -> StoreFuture<Tally> {
        ready(Ok(self.tables.tally())).boxed()
    }

    fn finish(self: Box<Self>) -> StoreFuture<()> {
        let Self { store, tables } = *self;
        store.tables().fill(tables);
        ready(Ok(())).boxed()
    }
}
