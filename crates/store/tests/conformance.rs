//! The conformance suite on the in-memory store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rewake_store::Store;
use rewake_store::conformance::Harness;
use rewake_store::core::time::Timestamp;
use rewake_store::memory::MemoryStore;

/// Clones of a store share what it holds, so the store itself is what a new opening finds.
#[derive(Default)]
struct Memory {
    now: Arc<AtomicU64>,
}

impl Harness for Memory {
    fn open(&self) -> Arc<dyn Store> {
        let now = Arc::clone(&self.now);
        let clock = move || Timestamp::from_millis(now.load(Ordering::Relaxed));
        Arc::new(MemoryStore::new(Arc::new(clock)))
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        Some(store)
    }

    fn set_now(&self, now: Timestamp) {
        self.now.store(now.as_millis(), Ordering::Relaxed);
    }
}

rewake_store::conformance_suite!(Memory::default());
