//! The conformance suite on the in-memory store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rewake_store::Store;
use rewake_store::conformance::{Harness, Skip};
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
        Arc::new(MemoryStore::shared(Arc::new(clock)))
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        Some(store)
    }

    fn set_now(&self, now: Timestamp) {
        self.now.store(now.as_millis(), Ordering::Relaxed);
    }

    fn skips(&self) -> &[Skip] {
        SKIPS
    }
}

const SKIPS: &[Skip] = &[
    cannot_fail("unknown::a_start_is_there_once_when_it_is_repeated"),
    cannot_fail("unknown::an_append_is_there_once_when_it_is_repeated"),
    cannot_fail("unknown::a_payload_is_there_once_when_it_is_repeated"),
    cannot_fail("unknown::an_answer_stands_when_it_is_repeated"),
    cannot_be_reached("damage::a_log_is_not_read"),
    cannot_be_reached("damage::a_run_takes_nothing"),
    cannot_be_reached("damage::a_hook_takes_nothing"),
    Skip {
        case: "sessions::a_closed_store_serves_nothing",
        reason: "clones share what is stored, and the others go on",
    },
];

const fn cannot_fail(case: &'static str) -> Skip {
    let reason = "nothing is between its answer and its map; the simulation wraps it to fail";
    Skip { case, reason }
}

const fn cannot_be_reached(case: &'static str) -> Skip {
    let reason = "its maps are its own";
    Skip { case, reason }
}

rewake_store::conformance_suite!(Memory::default());
