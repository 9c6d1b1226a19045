//! A store in memory that a test can make fail, be slow, or let somebody else come first.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::ready;
use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::memory::{MemoryStore, Now};
use rewake_store::{
    Admit, AdmitRefusal, Admitted, Answer, AnswerRefusal, Answered, Append, AppendRefusal,
    Appended, ChunkRow, Create, CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, Failed,
    Lineage, Log, MailRow, Mailbox, Nodes, OwedRow, Parked, Post, PostRefusal, Posted, Queries,
    RunFilter, RunPage, RunRow, RunWithLog, ScopeId, Sessions, StoreError, StoreFuture, Streams,
    TokenRow, WakeUp, WakeUps, decode_row,
};

type First = Box<dyn FnOnce(&MemoryStore) + Send>;

/// The store; clones are the same one.
#[derive(Clone)]
pub(crate) struct TestStore {
    pub(crate) memory: MemoryStore,
    control: Arc<Control>,
}

#[derive(Default)]
struct Control {
    appends: AtomicUsize,
    is_slow: AtomicBool,
    is_full: AtomicBool,
    loses_answer: AtomicBool,
    loses_append: AtomicBool,
    busy_for: AtomicUsize,
    before_append: Mutex<Option<First>>,
    damaged: Mutex<Option<RunId>>,
    /// How often the row of one run was asked for alone, and how often those of several were.
    asked: [AtomicUsize; 2],
    holds_reading_ahead: Mutex<Option<oneshot::Receiver<()>>>,
    reads_little_ahead: AtomicBool,
}

impl TestStore {
    pub(crate) fn new(now: Now) -> Self {
        Self {
            memory: MemoryStore::new(now),
            control: Arc::default(),
        }
    }

    /// How many appends were asked for.
    pub(crate) fn appends(&self) -> usize {
        self.control.appends.load(Ordering::SeqCst)
    }

    /// From now on answers come some time after the commit.
    pub(crate) fn is_slow(&self) {
        self.control.is_slow.store(true, Ordering::SeqCst);
    }

    /// From now on nothing can be appended.
    pub(crate) fn is_full(&self) {
        self.control.is_full.store(true, Ordering::SeqCst);
    }

    /// The next delivery is committed, and its answer gets lost.
    pub(crate) fn loses_next_answer(&self) {
        self.control.loses_answer.store(true, Ordering::SeqCst);
    }

    /// The next append is committed, and its answer gets lost.
    pub(crate) fn loses_next_append(&self) {
        self.control.loses_append.store(true, Ordering::SeqCst);
    }

    /// So many appends are refused because there is too much to do.
    pub(crate) fn is_busy_for(&self, appends: usize) {
        self.control.busy_for.store(appends, Ordering::SeqCst);
    }

    /// From now on what is stored about a run is damaged.
    pub(crate) fn is_damaged(&self, run: RunId) {
        *self.control.damaged.lock().unwrap() = Some(run);
    }

    /// How often the row of one run was asked for alone since this was called last, and how often several
    /// were asked for with their logs.
    pub(crate) fn asked(&self) -> [usize; 2] {
        self.control
            .asked
            .each_ref()
            .map(|asked| asked.swap(0, Ordering::SeqCst))
    }

    /// The next answer about several runs, once it stands, waits until it is let go of.
    pub(crate) fn holds_reading_ahead(&self) -> oneshot::Sender<()> {
        let (let_go, held) = oneshot::channel();
        *self.control.holds_reading_ahead.lock().unwrap() = Some(held);
        let_go
    }

    /// From now on an answer about several runs has the beginnings of their logs alone.
    pub(crate) fn reads_little_ahead(&self) {
        let little = &self.control.reads_little_ahead;
        little.store(true, Ordering::SeqCst);
    }

    /// Somebody else comes before the next append.
    pub(crate) fn before_next_append(&self, first: impl FnOnce(&MemoryStore) + Send + 'static) {
        *self.control.before_append.lock().unwrap() = Some(Box::new(first));
    }

    fn answer_later<T: Send + 'static, E: Send + 'static>(
        &self,
        answer: StoreFuture<T, E>,
    ) -> StoreFuture<T, E> {
        if !self.control.is_slow.load(Ordering::SeqCst) {
            return answer;
        }
        let mut has_waited = false;
        let pause = std::future::poll_fn(move |cx| {
            if has_waited {
                return std::task::Poll::Ready(());
            }
            has_waited = true;
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        });
        async move {
            pause.await;
            answer.await
        }
        .boxed()
    }
}

impl fmt::Debug for TestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestStore").finish_non_exhaustive()
    }
}

fn lost<T: Send + 'static, E: From<StoreError> + Send + 'static>() -> StoreFuture<T, E> {
    let reason = "the connection broke".to_owned();
    ready(Err(StoreError::OutcomeUnknown { reason }.into())).boxed()
}

impl Log for TestStore {
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>> {
        self.answer_later(self.memory.create(request))
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        let control = &self.control;
        control.appends.fetch_add(1, Ordering::SeqCst);
        if control.is_full.load(Ordering::SeqCst) {
            return ready(Err(StoreError::DiskFull.into())).boxed();
        }
        let less = |left: usize| left.checked_sub(1);
        let was_busy = control
            .busy_for
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        if was_busy.is_ok() {
            return ready(Err(StoreError::Overloaded.into())).boxed();
        }
        let first = control.before_append.lock().unwrap().take();
        if let Some(first) = first {
            first(&self.memory);
        }
        let appended = self.memory.append(request);
        if control.loses_append.swap(false, Ordering::SeqCst) {
            return lost();
        }
        self.answer_later(appended)
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        let delivered = self.memory.deliver(request);
        if self.control.loses_answer.swap(false, Ordering::SeqCst) {
            return lost();
        }
        self.answer_later(delivered)
    }

    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>> {
        self.answer_later(self.memory.admit(request))
    }

    fn frames(
        &self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Frame>> {
        self.memory.frames(scope, run, after, max_bytes)
    }
}

impl Mailbox for TestStore {
    fn post(&self, request: Post) -> StoreFuture<Posted, Failed<PostRefusal>> {
        self.answer_later(self.memory.post(request))
    }

    fn mail(
        &self,
        scope: ScopeId,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<Vec<(u64, MailRow)>> {
        self.memory.mail(scope, after, limit)
    }

    fn sweep(&self, scope: ScopeId, limit: usize) -> StoreFuture<usize> {
        self.memory.sweep(scope, limit)
    }
}

impl WakeUps for TestStore {
    fn due(
        &self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<WakeUp>> {
        self.memory.due(scope, after, until, limit)
    }

    fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<(RunId, Parked)>> {
        self.memory.parked(scope, after, limit)
    }
}

impl Lineage for TestStore {
    fn owed(&self, scope: ScopeId, parent: RunId, max_bytes: usize) -> StoreFuture<Vec<OwedRow>> {
        self.memory.owed(scope, parent, max_bytes)
    }

    fn owed_runs(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<RunId>> {
        self.memory.owed_runs(scope, after, limit)
    }

    fn children_told(&self, scope: ScopeId, run: RunId) -> StoreFuture<()> {
        self.memory.children_told(scope, run)
    }
}

impl Streams for TestStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        self.memory.answer(request)
    }

    fn first_chunk(
        &self,
        scope: ScopeId,
        run: RunId,
        stream: String,
    ) -> StoreFuture<Option<ChunkRow>> {
        self.memory.first_chunk(scope, run, stream)
    }
}

impl Sessions for TestStore {
    fn scope(&self, project: String, environment: String) -> StoreFuture<ScopeId> {
        self.memory.scope(project, environment)
    }

    fn begin_session(&self) -> StoreFuture<u32> {
        self.memory.begin_session()
    }

    fn end_session(&self) -> StoreFuture<()> {
        self.memory.end_session()
    }

    fn count_crashes(&self, scope: ScopeId, runs: Vec<RunId>) -> StoreFuture<Vec<u32>> {
        self.memory.count_crashes(scope, runs)
    }

    fn close(&self) -> StoreFuture<()> {
        self.memory.close()
    }
}

impl Nodes for TestStore {}

impl Queries for TestStore {
    fn run(&self, scope: ScopeId, run: RunId) -> StoreFuture<Option<RunRow>> {
        if *self.control.damaged.lock().unwrap() == Some(run) {
            let why = decode_row::<RunRow>(&[]).unwrap_err();
            return ready(Err(StoreError::corrupt_run(run, why))).boxed();
        }
        self.control.asked[0].fetch_add(1, Ordering::SeqCst);
        self.memory.run(scope, run)
    }

    fn runs_with_logs(
        &self,
        scope: ScopeId,
        runs: Vec<RunId>,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Option<RunWithLog>>> {
        self.control.asked[1].fetch_add(1, Ordering::SeqCst);
        let damaged = *self.control.damaged.lock().unwrap();
        if let Some(run) = damaged.filter(|damaged| runs.contains(damaged)) {
            let why = decode_row::<RunRow>(&[]).unwrap_err();
            return ready(Err(StoreError::corrupt_run(run, why))).boxed();
        }
        let little = self.control.reads_little_ahead.load(Ordering::SeqCst);
        let max_bytes = if little { 0 } else { max_bytes };
        let found = self.memory.runs_with_logs(scope, runs, max_bytes);
        let held = self.control.holds_reading_ahead.lock().unwrap().take();
        async move {
            let found = found.await;
            if let Some(held) = held {
                let _let_go = held.await;
            }
            found
        }
        .boxed()
    }

    fn token(&self, scope: ScopeId, token: Token) -> StoreFuture<Option<TokenRow>> {
        self.memory.token(scope, token)
    }

    fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: String,
        after: Option<Token>,
        limit: usize,
    ) -> StoreFuture<Vec<TokenRow>> {
        self.memory.chosen_tokens(scope, prefix, after, limit)
    }

    fn runs(
        &self,
        scope: ScopeId,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<RunPage> {
        self.memory.runs(scope, filter, before, limit)
    }
}
