//! What a store's crate brings so that the suite can be run on its store.

use std::sync::Arc;

use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::role::Store;

/// A case that a store does not pass on purpose, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The case, as `topic::name`, or a whole topic.
    pub case: &'static str,
    /// Why the store cannot pass it.
    pub reason: &'static str,
}

/// What a harness does to the store it opened, on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Injury {
    /// The commit of the next request that writes fails so that nobody knows whether it happened.
    /// The next opening is whole again.
    Commit,
    /// What is stored of the log of this run is not what was written.
    Log(RunId),
    /// What is stored of the row of this run is not what was written.
    Run(RunId),
    /// What is stored of the live hooks of this token is not what was written.
    Hook(Token),
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

    /// Injures the store that is open; false where this harness cannot. Then it skips the cases that
    /// need the injury, with the reason.
    fn injure(&self, _injury: &Injury) -> bool {
        false
    }

    /// True where a store serves nothing more once a commit has failed in a way that leaves open
    /// whether it happened, until it is opened again: one that owns its files and can no longer
    /// trust them. One whose database is a server of its own goes on with the next connection.
    fn fails_shut(&self) -> bool {
        true
    }

    /// Cases that the store does not pass on purpose.
    fn skips(&self) -> &[Skip] {
        &[]
    }
}
