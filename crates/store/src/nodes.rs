//! Nodes: several processes that work on one store, each on runs of its own.
//!
//! A node joins, says every [`BEAT`] that it lives, and leaves. Runs are leased to it one by one: by
//! the log that it begins, by each append of its worker, or by a claim where nobody who lives has the
//! run. A lease holds for as long as its node lives, so a step may take hours, and a million waiting
//! runs cost no renewals.
//!
//! ```text
//!  node ── join, beat … ──▶ store ◀── outsider: resume, cancel, start
//!    ▲                        │
//!    └── news: yours, or cold ┘        cold: nobody who lives leases it; whoever claims it has it
//! ```
//!
//! Leases save duplicated effort and nothing else. Whoever appends names the worker position that it
//! builds on, with a lease or without: that decides. News are hints, which may come late, twice or
//! never; [`Nodes::claim`] and [`Nodes::leased`] find what no news told.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::ready;
use rewake_core::event::Position;
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;

use crate::error::StoreError;
use crate::judge::Write;
use crate::role::{StoreFuture, WakeUp};
use crate::row::{NodeId, RunRow, ScopeId};

/// How often a node says that it lives.
pub const BEAT: Duration = Duration::from_millis(500);
/// How long after its last beat a node is taken for dead, by the store's clock.
pub const LEASE: Duration = Duration::from_secs(2);

/// A process that wants to work on the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// The project and environment whose runs it takes.
    pub scope: ScopeId,
    /// What people call it; several may have one name.
    pub name: String,
    /// Its build: it takes no run that this build has parked.
    pub build: String,
    /// The workflows that it knows, by every name they have: it takes runs of no other.
    pub workflows: Vec<String>,
}

/// What a node hears when it says that it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// It was known to live.
    Living,
    /// It was taken for dead meanwhile, and lives again: others may have its runs.
    TakenForDead,
    /// The store knows no such node: it has left, or was forgotten. Nothing is leased to it; it may
    /// join anew.
    Unknown,
}

/// A run that was claimed: nobody who lives had it, and now the node does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The run.
    pub run: RunId,
    /// When it falls due; the present where it is owed something, or parked.
    pub at: Timestamp,
    /// How many unclean ends it has been counted for.
    pub crashes: u32,
    /// True where the node that had it died, and did not leave.
    pub orphaned: bool,
}

/// Whose a run is that a node wants to drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The node's, from now on or already.
    Own {
        /// True where the node that had it died, and did not leave.
        orphaned: bool,
    },
    /// Another node's that lives; or there is no such run; or the node itself is taken for dead.
    Elsewhere,
}

/// A run that the node has, and that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leased {
    /// The run, and since when it is due or from when on.
    pub wake_up: WakeUp,
    /// The end of its log.
    pub head: Position,
}

/// What a node is told that it did not do itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// Somebody has added to the log of a run that the node leases; it goes on up to `head` at least.
    Log {
        /// The run.
        run: RunId,
        /// The end of its log.
        head: Position,
    },
    /// A child run has left its end for a run that the node leases.
    Owed {
        /// The run.
        run: RunId,
    },
    /// There may be something to claim.
    Cold,
}

/// The nodes that work on the store, and which runs are whose.
///
/// Where [`is_shared`](Self::is_shared) is false, one process works on the store, nobody joins, and
/// nothing else here is asked for: every run is that process's. Such a store implements nothing.
///
/// All times are the store's. A node lives until [`LEASE`] after its last beat, or until it leaves.
pub trait Nodes {
    /// True where several processes may work on the store at the same time.
    fn is_shared(&self) -> bool {
        false
    }

    /// The present by the store's clock, as far as it is known without asking; nothing where nobody
    /// knows, or where it is the process's own clock. Processes whose clocks differ find the same things
    /// due by it.
    fn now(&self) -> Option<Timestamp> {
        None
    }

    /// Adds a node. It lives from now on, and has no runs. Ids are never given twice.
    fn join(&self, _node: Join) -> StoreFuture<NodeId> {
        alone()
    }

    /// Says that the node lives. One that was taken for dead lives again, with those of its runs that
    /// nobody has claimed.
    fn beat(&self, _node: NodeId) -> StoreFuture<Beat> {
        alone()
    }

    /// Gives up all leases of the node at once, but those of the runs in `keep`, for which it goes on
    /// living and must beat; with none to keep, the node is gone. It claims nothing any more. Repeated
    /// with fewer to keep, it gives up more. Nobody's run is orphaned by this.
    fn leave(&self, _node: NodeId, _keep: Vec<RunId>) -> StoreFuture<()> {
        alone()
    }

    /// Leases to the node what no living node has, of the workflows that it knows, oldest first, at
    /// most `limit` of each of these:
    ///
    /// - runs that are due at or before `until`, or by now; also ended ones, of whichever workflow;
    /// - runs that are parked, and not by the node's build, now or before;
    /// - runs that are owed something and not parked.
    ///
    /// Those of the last two kinds that the node has already are found again, beyond the limit, until what
    /// is to be done for them is on record.
    ///
    /// Each is claimed by one node, however many ask at once. Atomic with it: that the run's row says
    /// so; nothing else of it changes. A node that is taken for dead claims nothing.
    fn claim(&self, _node: NodeId, _until: Timestamp, _limit: usize) -> StoreFuture<Vec<Claimed>> {
        alone()
    }

    /// Leases one run to the node, unless another that lives has it; whatever its workflow and its
    /// state. Nothing else of it changes.
    fn lease(&self, _node: NodeId, _run: RunId) -> StoreFuture<Lease> {
        alone()
    }

    /// The wake-ups of the runs that the node leases, after `after` (exclusive, in order of time, then
    /// run) and due at or before `until`, oldest first, at most `limit`.
    fn leased(
        &self,
        _node: NodeId,
        _after: Option<WakeUp>,
        _until: Timestamp,
        _limit: usize,
    ) -> StoreFuture<Vec<Leased>> {
        alone()
    }

    /// What the node was not told before; resolves once there is something. Dropped before it
    /// resolves, it keeps nothing from the next. It fails as closed where the node has left or the
    /// store is closed.
    ///
    /// What is told follows from [`Concern::of`]: a living node hears of its runs, and of those that
    /// no living node has, every one that lives in the project and environment hears. A store tells
    /// after the commit, puts together what it can, and may lose any of it.
    fn heard(&self, _node: NodeId) -> StoreFuture<Vec<News>> {
        alone()
    }
}

fn alone<T: Send + 'static>() -> StoreFuture<T> {
    let reason = "one process works on this store, and nobody joins it".to_owned();
    ready(Err(StoreError::Backend { reason })).boxed()
}

/// Somebody who must look at what a transaction has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// Whoever leases the run: its log went on. Whoever it may be is in the row that was written.
    Log {
        /// The project and environment.
        scope: ScopeId,
        /// The run.
        run: RunId,
        /// The end of its log.
        head: Position,
        /// The node that leases it, if it lives; everybody otherwise.
        node: Option<NodeId>,
    },
    /// Whoever leases the run: a child has left its end for it. Its row was not written.
    Owed {
        /// The project and environment.
        scope: ScopeId,
        /// The run.
        run: RunId,
    },
}

impl Concern {
    /// Whom the writes of one request concern, apart from the node whose worker made it: it knows.
    pub fn of(writes: &[Write], by: Option<NodeId>) -> Vec<Self> {
        let concern = |write: &Write| match write {
            Write::Run(run, row) if calls_somebody(row, by) => Some(Self::Log {
                scope: row.scope,
                run: *run,
                head: row.head,
                node: row.node,
            }),
            Write::Owed(row) => Some(Self::Owed {
                scope: row.scope,
                run: row.parent,
            }),
            Write::Run(..)
            | Write::Frame(..)
            | Write::Token(_)
            | Write::Release(..)
            | Write::Key(..)
            | Write::KeyGone(..)
            | Write::Forget(_)
            | Write::ForgetGone(_)
            | Write::StartKey(..)
            | Write::OwedGone(..)
            | Write::OwedAllGone(..)
            | Write::Chunk(..)
            | Write::Mail(..)
            | Write::MailGone(..) => None,
        };
        writes.iter().filter_map(concern).collect()
    }
}

/// A run that somebody has is that node's to see to. One that nobody has concerns the others where
/// something is to be done for it now: what falls due later is claimed then.
fn calls_somebody(row: &RunRow, by: Option<NodeId>) -> bool {
    match row.node {
        Some(node) => by != Some(node),
        None => row.parked.is_some() || row.wake_at.is_some_and(|at| at <= row.last_at),
    }
}
