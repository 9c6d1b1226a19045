//! The clock of a process that shares its store: the store's, so that nodes whose clocks differ agree on
//! what is due.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rewake_core::time::Timestamp;
use rewake_store::Store;

use crate::host::Clock;

/// Tells the store's time wherever that is known, and waits by the process's own clock.
pub(crate) struct SharedClock {
    store: Arc<dyn Store>,
    own: Arc<dyn Clock>,
}

impl SharedClock {
    pub(crate) fn new(store: Arc<dyn Store>, own: Arc<dyn Clock>) -> Self {
        Self { store, own }
    }

    /// When it is so late by the process's own clock, as far as can be said now.
    fn on_own(&self, at: Timestamp) -> Timestamp {
        let own = self.own.now();
        self.store.now().map_or(at, |now| own.after(at.since(now)))
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        self.store.now().unwrap_or_else(|| self.own.now())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        self.own.sleep_until(self.on_own(at))
    }

    fn lull_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        self.own.lull_until(self.on_own(at))
    }
}
