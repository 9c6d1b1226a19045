//! The roles of a store: what writes goes to the writer, what asks to the readers.

use rewake_store::core::event::{Frame, Position};
use rewake_store::core::id::RunId;
use rewake_store::core::time::Timestamp;
use rewake_store::core::token::Token;
use rewake_store::judge;
use rewake_store::{
    Admit, AdmitRefusal, Admitted, Answer, AnswerRefusal, Answered, Append, AppendRefusal,
    Appended, ChunkRow, Create, CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, Failed,
    LEAST_WEIGHT, Lineage, Log, MailRow, Mailbox, OwedRow, Parked, Post, PostRefusal, Posted,
    Queries, RunFilter, RunPage, RunRow, ScopeId, Sessions, StoreFuture, Streams, TokenRow, WakeUp,
    WakeUps,
};

use crate::lookup::{self, Lookup, Names, Plan};
use crate::page;
use crate::queue::Caller;
use crate::request::carry_out;
use crate::session;
use crate::sql::Sql;
use crate::store::PostgresStore;

impl Log for PostgresStore {
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>> {
        let (plan, bytes) = (request.names(), request.weight());
        self.write(Caller::Outsider, bytes, plan, move |sight| {
            let verdict = judge::create(sight, &request, sight.now)?;
            Ok(carry_out(sight, request.node, verdict))
        })
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        let (plan, bytes) = (request.names(), request.weight());
        let caller = if request.mark.is_some() {
            Caller::Worker
        } else {
            Caller::Outsider
        };
        self.write(caller, bytes, plan, move |sight| {
            let verdict = judge::append(sight, &request, sight.now)?;
            Ok(carry_out(sight, request.node(), verdict))
        })
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        let (plan, bytes) = (request.names(), request.weight());
        self.write(Caller::Outsider, bytes, plan, move |sight| {
            let verdict = judge::deliver(sight, &request, sight.now)?;
            Ok(carry_out(sight, None, verdict))
        })
    }

    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>> {
        let (plan, bytes) = (request.names(), request.weight());
        self.write(Caller::Outsider, bytes, plan, move |sight| {
            let verdict = judge::admit(sight, &request, sight.now)?;
            Ok(carry_out(sight, request.node, verdict))
        })
    }

    fn frames(
        &self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Frame>> {
        self.read(move |readers| async move {
            page::frames(&readers, scope, run, after, max_bytes).await
        })
    }
}

impl Mailbox for PostgresStore {
    fn post(&self, request: Post) -> StoreFuture<Posted, Failed<PostRefusal>> {
        let (plan, bytes) = (request.names(), request.weight());
        self.write(Caller::Outsider, bytes, plan, move |sight| {
            let verdict = judge::post(sight, &request, sight.now)?;
            Ok(carry_out(sight, None, verdict))
        })
    }

    fn mail(
        &self,
        scope: ScopeId,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<Vec<(u64, MailRow)>> {
        let clock = self.clock();
        self.read(
            move |readers| async move { page::mail(&readers, scope, after, clock, limit).await },
        )
    }

    fn sweep(&self, scope: ScopeId, limit: usize) -> StoreFuture<usize> {
        let plan = lookup::of_sweep(scope, limit);
        self.write(Caller::Outsider, LEAST_WEIGHT, plan, move |sight| {
            let verdict = judge::sweep(sight, scope, limit, sight.now)?;
            Ok(carry_out(sight, None, verdict))
        })
    }
}

impl WakeUps for PostgresStore {
    fn due(
        &self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<WakeUp>> {
        self.read(
            move |readers| async move { page::due(&readers, scope, after, until, limit).await },
        )
    }

    fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<(RunId, Parked)>> {
        self.read(move |readers| async move { page::parked(&readers, scope, after, limit).await })
    }
}

impl Lineage for PostgresStore {
    fn owed(&self, scope: ScopeId, parent: RunId, max_bytes: usize) -> StoreFuture<Vec<OwedRow>> {
        self.read(
            move |readers| async move { page::owed(&readers, scope, parent, max_bytes).await },
        )
    }

    fn owed_runs(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<RunId>> {
        self.read(
            move |readers| async move { page::owed_runs(&readers, scope, after, limit).await },
        )
    }

    fn children_told(&self, scope: ScopeId, run: RunId) -> StoreFuture<()> {
        let plan = Plan::from([Lookup::Held(run)]);
        self.write(Caller::Worker, LEAST_WEIGHT, plan, move |sight| {
            let verdict = judge::children_told(sight, scope, run)?;
            carry_out(sight, None, verdict);
            Ok(())
        })
    }
}

impl Streams for PostgresStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        let (plan, bytes) = (request.names(), request.weight());
        self.write(Caller::Outsider, bytes, plan, move |sight| {
            let verdict = judge::answer(sight, &request)?;
            Ok(carry_out(sight, None, verdict))
        })
    }

    fn first_chunk(
        &self,
        scope: ScopeId,
        run: RunId,
        stream: String,
    ) -> StoreFuture<Option<ChunkRow>> {
        self.read(
            move |readers| async move { page::first_chunk(&readers, scope, run, &stream).await },
        )
    }
}

impl Sessions for PostgresStore {
    fn scope(&self, project: String, environment: String) -> StoreFuture<ScopeId> {
        self.read(
            move |readers| async move { session::scope(&readers, &project, &environment).await },
        )
    }

    fn begin_session(&self) -> StoreFuture<u32> {
        self.read(|readers| async move { session::count(&readers, Sql::BeginSession).await })
    }

    fn end_session(&self) -> StoreFuture<()> {
        self.read(|readers| async move {
            session::count(&readers, Sql::EndSession).await?;
            Ok(())
        })
    }

    fn count_crashes(&self, scope: ScopeId, runs: Vec<RunId>) -> StoreFuture<Vec<u32>> {
        let bytes = LEAST_WEIGHT * runs.len().max(1);
        let plan = session::names(&runs);
        self.write(Caller::Worker, bytes, plan, move |sight| {
            session::count_crashes(sight, scope, &runs)
        })
    }

    fn close(&self) -> StoreFuture<()> {
        self.end()
    }
}

impl Queries for PostgresStore {
    fn run(&self, scope: ScopeId, run: RunId) -> StoreFuture<Option<RunRow>> {
        self.read(move |readers| async move { page::run(&readers, scope, run).await })
    }

    fn token(&self, scope: ScopeId, token: Token) -> StoreFuture<Option<TokenRow>> {
        self.read(move |readers| async move { page::token(&readers, scope, &token).await })
    }

    fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: String,
        after: Option<Token>,
        limit: usize,
    ) -> StoreFuture<Vec<TokenRow>> {
        self.read(move |readers| async move {
            page::chosen_tokens(&readers, scope, &prefix, after.as_ref(), limit).await
        })
    }

    fn runs(
        &self,
        scope: ScopeId,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<RunPage> {
        self.read(move |readers| async move {
            page::runs(&readers, scope, &filter, before, limit).await
        })
    }
}
