//! What a store's crate brings so that the suite can be run on its store.

use std::sync::Arc;

use rewake_core::time::Timestamp;

use crate::role::Store;

/// A case that a store does not pass on purpose, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The case, as `topic::name`.
    pub case: &'static str,
    /// Why the store cannot pass it.
    pub reason: &'static str,
}

/// Opens stores for the suite, and is their clock. Each case gets a harness of its own.
pub trait Harness {
    /// An empty store that takes the time from this harness.
    fn open(&self) -> Arc<dyn Store>;

    /// The same store opened again, after `store` was closed and dropped; none where the store
    /// keeps nothing that could be opened again.
    fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>>;

    /// Sets the time that every later request is judged at.
    fn set_now(&self, now: Timestamp);

    /// Cases that the store does not pass on purpose.
    fn skips(&self) -> &[Skip] {
        &[]
    }
}
