//! The roles of a store, each handed to the thread that plays it.

use rewake_store::core::event::{Frame, Position};
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::judge::{self, Rows, Verdict};
use rewake_store::{
    Admit, AdmitRefusal, Admitted, Answer, AnswerRefusal, Answered, Append, AppendRefusal,
    Appended, ChunkRow, Create, CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, Failed,
    LEAST_WEIGHT, Lineage, Log, MailRow, Mailbox, Nodes, OwedRow, Parked, Post, PostRefusal,
    Posted, Queries, RunFilter, RunPage, RunRow, RunWithLog, ScopeId, Sessions, StoreError,
    StoreFuture, Streams, TokenRow, WakeUp, WakeUps,
};

use crate::queue::Caller;
use crate::request::Span;
use crate::store::SqliteStore;
use crate::tables::Tables;

/// Writes what a verdict says and keeps its answer.
fn carry_out<A, E: From<StoreError>>(tables: &mut Tables<'_>, verdict: Verdict<A>) -> Result<A, E> {
    tables.write(verdict.writes)?;
    Ok(verdict.answer)
}

impl Log for SqliteStore {
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>> {
        let bytes = request.weight();
        self.write(Caller::Outsider, bytes, move |tables, now| {
            let verdict = judge::create(tables, &request, now)?;
            carry_out(tables, verdict)
        })
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        let bytes = request.weight();
        let caller = if request.mark.is_some() {
            Caller::Worker
        } else {
            Caller::Outsider
        };
        self.write(caller, bytes, move |tables, now| {
            let verdict = judge::append(tables, &request, now)?;
            carry_out(tables, verdict)
        })
    }

    /// One request: there is one answer to wait for, however many there are.
    fn append_all(
        &self,
        requests: Vec<Append>,
    ) -> StoreFuture<Vec<Result<Appended, AppendRefusal>>> {
        let bytes = requests.iter().map(Append::weight).sum();
        // One of a worker's must not go before those of its that came earlier.
        let any_from_worker = requests.iter().any(|request| request.mark.is_some());
        let caller = if any_from_worker {
            Caller::Worker
        } else {
            Caller::Outsider
        };
        self.write(caller, bytes, move |tables, now| {
            let each = requests
                .iter()
                .map(|request| match judge::append(tables, request, now) {
                    Ok(verdict) => carry_out(tables, verdict).map(Ok),
                    Err(Failed::Refused(refusal)) => Ok(Err(refusal)),
                    Err(Failed::Store(error)) => Err(error),
                });
            each.collect()
        })
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        let bytes = request.weight();
        self.write(Caller::Outsider, bytes, move |tables, now| {
            let verdict = judge::deliver(tables, &request, now)?;
            carry_out(tables, verdict)
        })
    }

    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>> {
        let bytes = request.weight();
        self.write(Caller::Outsider, bytes, move |tables, now| {
            let verdict = judge::admit(tables, &request, now)?;
            carry_out(tables, verdict)
        })
    }

    fn frames(
        &self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Frame>> {
        self.read(Span::Brief, move |tables| {
            tables.frames_in(scope, run, after, max_bytes)
        })
    }
}

impl Mailbox for SqliteStore {
    fn post(&self, request: Post) -> StoreFuture<Posted, Failed<PostRefusal>> {
        let bytes = request.weight();
        self.write(Caller::Outsider, bytes, move |tables, now| {
            let verdict = judge::post(tables, &request, now)?;
            carry_out(tables, verdict)
        })
    }

    fn mail(
        &self,
        scope: ScopeId,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<Vec<(u64, MailRow)>> {
        let now = self.now();
        self.read(Span::Long, move |tables| {
            tables.mail_after(scope, after, now, limit)
        })
    }

    fn sweep(&self, scope: ScopeId, limit: usize) -> StoreFuture<usize> {
        self.write(Caller::Outsider, LEAST_WEIGHT, move |tables, now| {
            let verdict = judge::sweep(tables, scope, limit, now)?;
            carry_out(tables, verdict)
        })
    }
}

impl WakeUps for SqliteStore {
    fn due(
        &self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<WakeUp>> {
        self.read(Span::Long, move |tables| {
            tables.due(scope, after, until, limit)
        })
    }

    fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<(RunId, Parked)>> {
        self.read(Span::Long, move |tables| tables.parked(scope, after, limit))
    }
}

impl Lineage for SqliteStore {
    fn owed(&self, scope: ScopeId, parent: RunId, max_bytes: usize) -> StoreFuture<Vec<OwedRow>> {
        self.read(Span::Long, move |tables| {
            tables.owed(scope, parent, max_bytes)
        })
    }

    fn owed_runs(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<RunId>> {
        self.read(Span::Long, move |tables| {
            tables.owed_runs(scope, after, limit)
        })
    }

    fn children_told(&self, scope: ScopeId, run: RunId) -> StoreFuture<()> {
        self.write(Caller::Worker, LEAST_WEIGHT, move |tables, _| {
            let verdict = judge::children_told(tables, scope, run)?;
            carry_out(tables, verdict)
        })
    }
}

impl Streams for SqliteStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        let bytes = request.weight();
        self.write(Caller::Outsider, bytes, move |tables, _| {
            let verdict = judge::answer(tables, &request)?;
            carry_out(tables, verdict)
        })
    }

    fn first_chunk(
        &self,
        scope: ScopeId,
        run: RunId,
        stream: String,
    ) -> StoreFuture<Option<ChunkRow>> {
        self.read(Span::Brief, move |tables| {
            tables.chunk_in(scope, run, &stream)
        })
    }
}

impl Sessions for SqliteStore {
    /// Where the store was opened for reading only, one that is new is refused.
    fn scope(&self, project: String, environment: String) -> StoreFuture<ScopeId> {
        if self.is_read_only() {
            let refusal = self.read_only();
            return self.read(Span::Long, move |tables| {
                let found = tables.find_scope(&project, &environment)?;
                found.ok_or(refusal)
            });
        }
        self.write(Caller::Worker, LEAST_WEIGHT, move |tables, _| {
            tables.scope(&project, &environment)
        })
    }

    fn begin_session(&self) -> StoreFuture<u32> {
        self.write(Caller::Worker, LEAST_WEIGHT, |tables, _| {
            tables.begin_session()
        })
    }

    fn end_session(&self) -> StoreFuture<()> {
        self.write(Caller::Worker, LEAST_WEIGHT, |tables, _| {
            tables.end_session()
        })
    }

    fn count_crashes(&self, scope: ScopeId, runs: Vec<RunId>) -> StoreFuture<Vec<u32>> {
        let bytes = LEAST_WEIGHT * runs.len().max(1);
        self.write(Caller::Worker, bytes, move |tables, _| {
            tables.count_crashes(scope, &runs)
        })
    }

    fn close(&self) -> StoreFuture<()> {
        self.end()
    }
}

/// One process at a time works on a file.
impl Nodes for SqliteStore {}

impl Queries for SqliteStore {
    fn run(&self, scope: ScopeId, run: RunId) -> StoreFuture<Option<RunRow>> {
        self.read(Span::Brief, move |tables| tables.run_in(scope, run))
    }

    fn run_with_log(
        &self,
        scope: ScopeId,
        run: RunId,
        max_bytes: usize,
    ) -> StoreFuture<Option<RunWithLog>> {
        self.read(Span::Brief, move |tables| {
            let mut room = max_bytes;
            tables.run_with_log(scope, run, &mut room)
        })
    }

    fn runs_with_logs(
        &self,
        scope: ScopeId,
        runs: Vec<RunId>,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Option<RunWithLog>>> {
        self.read(Span::Brief, move |tables| {
            tables.runs_with_logs(scope, &runs, max_bytes)
        })
    }

    fn token(&self, scope: ScopeId, token: Token) -> StoreFuture<Option<TokenRow>> {
        self.read(Span::Brief, move |tables| tables.token(scope, &token))
    }

    fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: String,
        after: Option<Token>,
        limit: usize,
    ) -> StoreFuture<Vec<TokenRow>> {
        self.read(Span::Long, move |tables| {
            tables.chosen_tokens(scope, &prefix, after.as_ref(), limit)
        })
    }

    fn runs(
        &self,
        scope: ScopeId,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<RunPage> {
        self.read(Span::Long, move |tables| {
            tables.runs(scope, &filter, before, limit)
        })
    }
}
