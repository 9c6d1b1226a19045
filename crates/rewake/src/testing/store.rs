//! The store of a test: in memory, and closed to processes that are dead.

use std::sync::Arc;

use futures_util::FutureExt;
use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::memory::MemoryStore;
use rewake_store::{
    Admit, AdmitRefusal, Admitted, Answer, AnswerRefusal, Answered, Append, AppendRefusal,
    Appended, ChunkRow, Create, CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, Failed,
    Lineage, Log, MailRow, Mailbox, OwedRow, Parked, Post, PostRefusal, Posted, Queries, RunFilter,
    RunPage, RunRow, ScopeId, Sessions, StoreError, StoreFuture, Streams, TokenRow, WakeUp,
    WakeUps,
};

use super::process::Process;

/// The store, as one process has it.
#[derive(Clone, Debug)]
pub(super) struct ProcessStore {
    memory: MemoryStore,
    process: Arc<Process>,
}

impl ProcessStore {
    pub(super) const fn new(memory: MemoryStore, process: Arc<Process>) -> Self {
        Self { memory, process }
    }

    /// Asks, unless the process is dead: in memory a request is carried out as soon as it is made.
    fn ask<A: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        ask: impl FnOnce(&MemoryStore) -> StoreFuture<A, E>,
    ) -> StoreFuture<A, E> {
        if self.process.is_dead() {
            let reason = "the process was killed".to_owned();
            return futures_util::future::ready(Err(StoreError::Closed { reason }.into())).boxed();
        }
        ask(&self.memory)
    }
}

impl Log for ProcessStore {
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>> {
        self.ask(|memory| memory.create(request))
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        self.ask(|memory| memory.append(request))
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        self.ask(|memory| memory.deliver(request))
    }

    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>> {
        self.ask(|memory| memory.admit(request))
    }

    fn frames(
        &self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Frame>> {
        self.ask(|memory| memory.frames(scope, run, after, max_bytes))
    }
}

impl Mailbox for ProcessStore {
    fn post(&self, request: Post) -> StoreFuture<Posted, Failed<PostRefusal>> {
        self.ask(|memory| memory.post(request))
    }

    fn mail(
        &self,
        scope: ScopeId,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<Vec<(u64, MailRow)>> {
        self.ask(|memory| memory.mail(scope, after, limit))
    }

    fn sweep(&self, scope: ScopeId, limit: usize) -> StoreFuture<usize> {
        self.ask(|memory| memory.sweep(scope, limit))
    }
}

impl WakeUps for ProcessStore {
    fn due(
        &self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<WakeUp>> {
        self.ask(|memory| memory.due(scope, after, until, limit))
    }

    fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<(RunId, Parked)>> {
        self.ask(|memory| memory.parked(scope, after, limit))
    }
}

impl Lineage for ProcessStore {
    fn owed(&self, scope: ScopeId, parent: RunId, max_bytes: usize) -> StoreFuture<Vec<OwedRow>> {
        self.ask(|memory| memory.owed(scope, parent, max_bytes))
    }

    fn owed_runs(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<RunId>> {
        self.ask(|memory| memory.owed_runs(scope, after, limit))
    }

    fn children_told(&self, scope: ScopeId, run: RunId) -> StoreFuture<()> {
        self.ask(|memory| memory.children_told(scope, run))
    }
}

impl Streams for ProcessStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        self.ask(|memory| memory.answer(request))
    }

    fn first_chunk(
        &self,
        scope: ScopeId,
        run: RunId,
        stream: String,
    ) -> StoreFuture<Option<ChunkRow>> {
        self.ask(|memory| memory.first_chunk(scope, run, stream))
    }
}

impl Sessions for ProcessStore {
    fn scope(&self, project: String, environment: String) -> StoreFuture<ScopeId> {
        self.ask(|memory| memory.scope(project, environment))
    }

    fn begin_session(&self) -> StoreFuture<u32> {
        self.ask(MemoryStore::begin_session)
    }

    fn end_session(&self) -> StoreFuture<()> {
        self.ask(MemoryStore::end_session)
    }

    fn count_crashes(&self, scope: ScopeId, runs: Vec<RunId>) -> StoreFuture<Vec<u32>> {
        self.ask(|memory| memory.count_crashes(scope, runs))
    }

    fn close(&self) -> StoreFuture<()> {
        self.ask(MemoryStore::close)
    }
}

impl Queries for ProcessStore {
    fn run(&self, scope: ScopeId, run: RunId) -> StoreFuture<Option<RunRow>> {
        self.ask(|memory| memory.run(scope, run))
    }

    fn token(&self, scope: ScopeId, token: Token) -> StoreFuture<Option<TokenRow>> {
        self.ask(|memory| memory.token(scope, token))
    }

    fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: String,
        after: Option<Token>,
        limit: usize,
    ) -> StoreFuture<Vec<TokenRow>> {
        self.ask(|memory| memory.chosen_tokens(scope, prefix, after, limit))
    }

    fn runs(
        &self,
        scope: ScopeId,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<RunPage> {
        self.ask(|memory| memory.runs(scope, filter, before, limit))
    }
}
