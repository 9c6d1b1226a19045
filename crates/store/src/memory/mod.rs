//! The in-memory store: ordered maps behind one lock.
//!
//! For tests, for simulation, and for users who test their workflows. It keeps encoded rows, so
//! that what a test reads back went through the stored form. It must not know a runtime: every
//! future it returns is ready.

mod tables;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
use crate::request::{
    Answer, AnswerRefusal, Answered, Append, AppendRefusal, Appended, Create, CreateRefusal,
    Created, Deliver, DeliverRefusal, Delivered,
};
use crate::role::{
    Log, Mailbox, Queries, RunFilter, RunPage, Sessions, StoreFuture, Streams, WakeUp, WakeUps,
};
use crate::row::{ChunkRow, MailRow, OwedRow, Parked, RunRow, ScopeId, TokenRow};
use tables::Tables;

/// The store's own clock.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A store in memory. Clones share what is stored, so that a test can open it again.
#[derive(Clone)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    now: Now,
}

impl MemoryStore {
    /// An empty store that takes the time from `now`.
    pub fn new(now: Now) -> Self {
        Self {
            tables: Arc::default(),
            now,
        }
    }

    /// The same store with another clock: what is stored is shared.
    #[must_use]
    pub fn with_clock(&self, now: Now) -> Self {
        Self {
            tables: Arc::clone(&self.tables),
            now,
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic in a test must not hide what the store holds.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges one request and writes what the verdict says, under the lock.
    fn write<A: Send + 'static, E: Send + 'static>(
        &self,
        judge: impl FnOnce(&mut Tables, Timestamp) -> Result<judge::Verdict<A>, E>,
    ) -> StoreFuture<A, E> {
        let now = (self.now)();
        let mut tables = self.tables();
        let answer = judge(&mut tables, now).map(|verdict| {
            tables.write(verdict.writes);
            verdict.answer
        });
        drop(tables);
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
        self.write(|tables, now| judge::create(tables, &request, now))
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        self.write(|tables, now| judge::append(tables, &request, now))
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        self.write(|tables, now| judge::deliver(tables, &request, now))
    }

    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>> {
        self.write(|tables, now| judge::admit(tables, &request, now))
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
        self.write(|tables, now| judge::post(tables, &request, now))
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
        self.write(|tables, now| judge::sweep(tables, scope, limit, now))
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
        self.write(|tables, _| judge::children_told(tables, scope, run))
    }
}

impl Streams for MemoryStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        self.write(|tables, _| judge::answer(tables, &request))
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
