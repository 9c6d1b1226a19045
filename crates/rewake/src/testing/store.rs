//! The store of a test: in memory, and closed to processes that are dead.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{pending, ready};
use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::memory::MemoryStore;
use rewake_store::{
    Admit, AdmitRefusal, Admitted, Answer, AnswerRefusal, Answered, Append, AppendRefusal,
    Appended, ChunkRow, Create, CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, Failed,
    Lineage, Log, MailRow, Mailbox, Nodes, OwedRow, Parked, Post, PostRefusal, Posted, Queries,
    RunFilter, RunPage, RunRow, ScopeId, Sessions, StoreError, StoreFuture, Streams, TokenRow,
    WakeUp, WakeUps,
};

use super::process::Process;
use super::world::World;

/// The store, as one process has it.
#[derive(Clone, Debug)]
pub(super) struct ProcessStore {
    memory: MemoryStore,
    process: Arc<Process>,
    world: Arc<World>,
}

impl ProcessStore {
    pub(super) const fn new(memory: MemoryStore, process: Arc<Process>, world: Arc<World>) -> Self {
        Self {
            memory,
            process,
            world,
        }
    }

    /// Asks, unless the process is dead: in memory a request is carried out as soon as it is made.
    fn ask<A: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        ask: impl FnOnce(&MemoryStore) -> StoreFuture<A, E>,
    ) -> StoreFuture<A, E> {
        if !self.process.is_dead() {
            return ask(&self.memory);
        }
        if self.process.fuse().is_some() {
            // Whoever asks is gone, and must not go on with an error that nobody would have got.
            return pending().boxed();
        }
        let reason = "the process was killed".to_owned();
        ready(Err(StoreError::Closed { reason }.into())).boxed()
    }

    /// Writes, unless the process is dead or dies of it.
    fn write<A: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        what: &[EventKind],
        write: impl FnOnce(&MemoryStore) -> StoreFuture<A, E>,
    ) -> StoreFuture<A, E> {
        let Some(fuse) = self.process.fuse().filter(|_| !self.process.is_dead()) else {
            return self.ask(write);
        };
        let what = Named(what);
        if fuse.burns_before(&what) {
            return self.die();
        }
        let Some(answer) = write(&self.memory).now_or_never() else {
            unreachable!("the store in memory answers at once");
        };
        if answer.is_ok() {
            self.world.record();
            if fuse.burns_after(&what) {
                return self.die();
            }
        }
        ready(answer).boxed()
    }

    fn die<A: Send + 'static, E: Send + 'static>(&self) -> StoreFuture<A, E> {
        self.world.draw_again();
        self.process.kill();
        pending().boxed()
    }
}

/// Events by their names.
struct Named<'a>(&'a [EventKind]);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.0.split_first() else {
            return f.write_str("what is no event");
        };
        f.write_str(first.name())?;
        rest.iter()
            .try_for_each(|kind| write!(f, ", {}", kind.name()))
    }
}

impl Log for ProcessStore {
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>> {
        let events = request.events.clone();
        self.write(&events, |memory| memory.create(request))
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        let events = request.events.clone();
        self.write(&events, |memory| memory.append(request))
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        self.write(&[], |memory| memory.deliver(request))
    }

    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>> {
        self.write(&[], |memory| memory.admit(request))
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
        self.write(&[], |memory| memory.post(request))
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
        self.write(&[], |memory| memory.children_told(scope, run))
    }
}

impl Streams for ProcessStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        self.write(&[], |memory| memory.answer(request))
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

impl Nodes for ProcessStore {}

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
