//! The in-memory store: ordered maps behind one lock.
//!
//! For tests, for simulation, and for users who test their workflows. It keeps encoded rows, so
//! that what a test reads back went through the stored form. It must not know a runtime: every
//! future it returns is ready, but for [`Nodes::heard`].

mod copy;
mod nodes;
mod rows;
mod tables;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::FutureExt;
use futures_util::future::ready;
use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::admission::{Admit, AdmitRefusal, Admitted, Post, PostRefusal, Posted};
use crate::error::{Failed, StoreError};
use crate::judge;
use crate::lineage::Lineage;
use crate::nodes::{Beat, Claimed, Concern, Join, Lease, Leased, News, Nodes};
use crate::request::{
    Answer, AnswerRefusal, Answered, Append, AppendRefusal, Appended, Create, CreateRefusal,
    Created, Deliver, DeliverRefusal, Delivered,
};
use crate::role::{
    Log, Mailbox, Queries, RunFilter, RunPage, Sessions, StoreFuture, Streams, WakeUp, WakeUps,
};
use crate::row::{ChunkRow, MailRow, NodeId, OwedRow, Parked, RunRow, ScopeId, TokenRow};
use nodes::Heard;
use tables::Tables;

/// The store's own clock.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A store in memory. Clones share what is stored, so that a test can open it again.
#[derive(Clone)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    now: Now,
    shared: bool,
}

impl MemoryStore {
    /// An empty store that takes the time from `now`.
    pub fn new(now: Now) -> Self {
        Self {
            tables: Arc::default(),
            now,
            shared: false,
        }
    }

    /// An empty store on which several nodes work at the same time, each with a clone of it.
    pub fn shared(now: Now) -> Self {
        Self {
            shared: true,
            ..Self::new(now)
        }
    }

    /// The same store with another clock: what is stored is shared.
    #[must_use]
    pub fn with_clock(&self, now: Now) -> Self {
        Self {
            tables: Arc::clone(&self.tables),
            now,
            shared: self.shared,
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic in a test must not hide what the store holds.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges one request and writes what the verdict says, under the lock. Tells the nodes whom that
    /// concerns, apart from the one that asked.
    fn write<A: Send + 'static, E: Send + 'static>(
        &self,
        by: Option<NodeId>,
        judge: impl FnOnce(&mut Tables, Timestamp) -> Result<judge::Verdict<A>, E>,
    ) -> StoreFuture<A, E> {
        let now = (self.now)();
        let mut tables = self.tables();
        let mut woken = Vec::new();
        let answer = judge(&mut tables, now).map(|verdict| {
            let concerns = Concern::of(&verdict.writes, by);
            tables.write(verdict.writes);
            woken = tables.tell(&concerns, now);
            verdict.answer
        });
        drop(tables);
        woken.into_iter().for_each(Waker::wake);
        ready(answer).boxed()
    }

    fn read<A: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Tables) -> Result<A, StoreError>,
    ) -> StoreFuture<A> {
        ready(read(&mut self.tables())).boxed()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl Log for MemoryStore {
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>> {
        self.write(request.node, |tables, now| {
            judge::create(tables, &request, now)
        })
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        self.write(request.node(), |tables, now| {
            judge::append(tables, &request, now)
        })
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        self.write(None, |tables, now| judge::deliver(tables, &request, now))
    }

    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>> {
        self.write(request.node, |tables, now| {
            judge::admit(tables, &request, now)
        })
    }

    fn frames(
        &self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Frame>> {
        self.read(|tables| tables.page(scope, run, after, max_bytes))
    }
}

impl Mailbox for MemoryStore {
    fn post(&self, request: Post) -> StoreFuture<Posted, Failed<PostRefusal>> {
        self.write(None, |tables, now| judge::post(tables, &request, now))
    }

    fn mail(
        &self,
        scope: ScopeId,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<Vec<(u64, MailRow)>> {
        let now = (self.now)();
        self.read(|tables| tables.mail_after(scope, after.unwrap_or_default(), now, limit))
    }

    fn sweep(&self, scope: ScopeId, limit: usize) -> StoreFuture<usize> {
        self.write(None, |tables, now| judge::sweep(tables, scope, limit, now))
    }
}

impl WakeUps for MemoryStore {
    fn due(
        &self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<WakeUp>> {
        self.read(|tables| Ok(tables.due(scope, after, until, limit)))
    }

    fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<(RunId, Parked)>> {
        self.read(|tables| tables.parked(scope, after, limit))
    }
}

impl Lineage for MemoryStore {
    fn owed(&self, scope: ScopeId, parent: RunId, max_bytes: usize) -> StoreFuture<Vec<OwedRow>> {
        self.read(|tables| tables.owed(scope, parent, max_bytes))
    }

    fn owed_runs(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<RunId>> {
        self.read(|tables| Ok(tables.owed_runs(scope, after, limit)))
    }

    fn children_told(&self, scope: ScopeId, run: RunId) -> StoreFuture<()> {
        // Whoever tells them need not be told.
        self.read(|tables| {
            let judge::Verdict { writes, answer: () } = judge::children_told(tables, scope, run)?;
            tables.write(writes);
            Ok(())
        })
    }
}

impl Streams for MemoryStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        self.write(None, |tables, _| judge::answer(tables, &request))
    }

    fn first_chunk(
        &self,
        scope: ScopeId,
        run: RunId,
        stream: String,
    ) -> StoreFuture<Option<ChunkRow>> {
        self.read(|tables| tables.chunk_in(scope, run, &stream))
    }
}

impl Sessions for MemoryStore {
    fn scope(&self, project: String, environment: String) -> StoreFuture<ScopeId> {
        self.read(|tables| Ok(tables.scope(project, environment)))
    }

    fn begin_session(&self) -> StoreFuture<u32> {
        self.read(|tables| Ok(tables.begin_session()))
    }

    fn end_session(&self) -> StoreFuture<()> {
        self.read(|tables| {
            tables.end_session();
            Ok(())
        })
    }

    fn count_crashes(&self, scope: ScopeId, runs: Vec<RunId>) -> StoreFuture<Vec<u32>> {
        self.read(|tables| tables.count_crashes(scope, &runs))
    }

    /// Nothing to let go of: a clone goes on with the same tables.
    fn close(&self) -> StoreFuture<()> {
        ready(Ok(())).boxed()
    }
}

impl Nodes for MemoryStore {
    fn is_shared(&self) -> bool {
        self.shared
    }

    fn now(&self) -> Option<Timestamp> {
        self.shared.then(|| (self.now)())
    }

    fn join(&self, node: Join) -> StoreFuture<NodeId> {
        let now = (self.now)();
        self.read(|tables| Ok(tables.nodes.join(node, now)))
    }

    fn beat(&self, node: NodeId) -> StoreFuture<Beat> {
        let now = (self.now)();
        self.read(|tables| Ok(tables.nodes.beat(node, now)))
    }

    fn leave(&self, node: NodeId, keep: Vec<RunId>) -> StoreFuture<()> {
        let now = (self.now)();
        let woken = self.tables().nodes.leave(node, keep, now);
        woken.into_iter().for_each(Waker::wake);
        ready(Ok(())).boxed()
    }

    fn claim(&self, node: NodeId, until: Timestamp, limit: usize) -> StoreFuture<Vec<Claimed>> {
        let now = (self.now)();
        self.read(|tables| tables.claim(node, (now, until.max(now)), limit))
    }

    fn lease(&self, node: NodeId, run: RunId) -> StoreFuture<Lease> {
        let now = (self.now)();
        self.read(|tables| tables.lease(node, run, now))
    }

    fn leased(
        &self,
        node: NodeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<Leased>> {
        self.read(|tables| tables.leased(node, after, until, limit))
    }

    fn heard(&self, node: NodeId) -> StoreFuture<Vec<News>> {
        let store = self.clone();
        Heard { store, node }.boxed()
    }
}

impl Queries for MemoryStore {
    fn run(&self, scope: ScopeId, run: RunId) -> StoreFuture<Option<RunRow>> {
        self.read(|tables| tables.run_in(scope, run))
    }

    fn token(&self, scope: ScopeId, token: Token) -> StoreFuture<Option<TokenRow>> {
        self.read(|tables| judge::Rows::token(tables, scope, &token))
    }

    fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: String,
        after: Option<Token>,
        limit: usize,
    ) -> StoreFuture<Vec<TokenRow>> {
        self.read(|tables| tables.chosen_tokens(scope, &prefix, after.as_ref(), limit))
    }

    fn runs(
        &self,
        scope: ScopeId,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<RunPage> {
        self.read(|tables| tables.runs(scope, &filter, before, limit))
    }
}
