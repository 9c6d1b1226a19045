//! Parents and children: what an append says about child runs, and what their ends leave for each
//! other.
//!
//! A child run is a step of its parent whose body is another run. Two logs are written in one
//! transaction only where the second is new, so what an end means to a run that exists already is
//! left behind for that run's side to take up:
//!
//! ```text
//!  parent's append ──────▶ its own log and the whole beginning of each child's
//!  child's end ──────────▶ its own log and a row of what is owed
//!  parent's worker ──────▶ records what is owed, and the row goes with that append
//!  parent's end ─────────▶ its own log, which stays due until the running children were told
//! ```
//!
//! Every arrow is one transaction, so a crash between any two of them loses nothing.

use std::collections::BTreeMap;

use rewake_core::id::{EventId, RunId};

use crate::role::StoreFuture;
use crate::row::{OwedRow, ScopeId};

/// What an append says about child runs; nothing in most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kin {
    /// How the children begin that the append's events record: one for each, by its run.
    pub begin: Vec<ChildBegins>,
    /// The children whose ends the append's events record. What they left for it is gone with that.
    pub settled: Vec<RunId>,
}

/// How the log of a child run begins, apart from what its parent's record says. All of it was minted
/// by the caller, so that the store needs no entropy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildBegins {
    /// The child, as the record names it.
    pub run: RunId,
    /// The id of the first event of its log.
    pub id: EventId,
    /// The build that starts it.
    pub build: String,
    /// 128 bits of the operating system's entropy, for its `random()` and `uuid()`.
    pub seed: [u8; 16],
    /// Numbered changes of replay behaviour that hold for its log.
    pub flags: u32,
    /// What it can be looked up by.
    pub attributes: BTreeMap<String, String>,
    /// True where its workflow begins in the same frame, because it will be driven at once: by the node
    /// that leases the parent.
    pub begins: bool,
}

/// What ends have left for the other side, and has not been taken up.
pub trait Lineage {
    /// What is owed to a run by its children, in order of the children's ids: at least one if there is
    /// any, and no more than about `max_bytes` of them. Empty for a run that is not in `scope`.
    fn owed(&self, scope: ScopeId, parent: RunId, max_bytes: usize) -> StoreFuture<Vec<OwedRow>>;

    /// The runs to which something is owed, after `after` in order of id, at most `limit`.
    fn owed_runs(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<RunId>>;

    /// Notes that all attached children of a run that has ended were told so; from then on it is due
    /// no more. Nothing changes for a run that lives, and none where it was noted before.
    fn children_told(&self, scope: ScopeId, run: RunId) -> StoreFuture<()>;
}
