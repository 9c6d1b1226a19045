//! The store of a simulated process: the memory store behind a disk that fails.
//!
//! Every request is handed over and carried out later, when the scheduler says so, in any order. A
//! write may take its process with it, before or after; its answer may get lost; it may be late.

use std::fmt::{self, Display};
use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::pending;
use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::memory::MemoryStore;
use rewake_store::{
    Answer, AnswerRefusal, Answered, Append, AppendRefusal, Appended, ChunkRow, Create,
    CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, Failed, Log, Parked, Queries,
    RunFilter, RunPage, RunRow, ScopeId, Sessions, StoreError, StoreFuture, Streams, TokenRow,
    WakeUp, WakeUps,
};

use crate::scheduler::ProcessId;
use crate::shadow;
use crate::world::World;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is carried out and answered.
    Plain,
    /// Its process ends before it is carried out.
    CrashBefore,
    /// It is carried out, and its process ends before it hears of it.
    CrashAfter,
    /// It is carried out, and the answer gets lost.
    AnswerLost,
    /// It gets lost, and the process does not learn that.
    RequestLost,
    /// The process gives up waiting, and it is carried out after all.
    Late,
    /// The store has too much to do.
    Overloaded,
    /// The disk is full.
    DiskFull,
    /// The database says no.
    Refused,
}

/// What a request may change.
#[derive(Clone, Debug)]
enum About {
    Read,
    Run(ScopeId, RunId),
    Token(ScopeId, Token),
    Sessions,
}

type CarryOut = Box<dyn FnMut(&World, Fate) -> String + Send>;

/// A request on its way.
pub(crate) struct Request {
    pub(crate) process: ProcessId,
    pub(crate) name: &'static str,
    pub(crate) writes: bool,
    /// Nobody waits for it any more.
    pub(crate) orphan: bool,
    pub(crate) carry_out: CarryOut,
}

/// The store, as one process has it.
pub(crate) struct FaultyStore {
    pub(crate) world: Arc<World>,
    pub(crate) process: ProcessId,
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

impl FaultyStore {
    fn hand_over<A, E>(
        &self,
        name: &'static str,
        about: About,
        act: impl FnOnce(&MemoryStore) -> StoreFuture<A, E> + Send + 'static,
    ) -> StoreFuture<A, E>
    where
        A: Send + 'static,
        E: From<StoreError> + Display + Send + 'static,
    {
        let (sender, answered) = oneshot::channel();
        let (mut act, mut sender) = (Some(act), Some(sender));
        let writes = !matches!(about, About::Read);
        let carry_out = move |world: &World, fate: Fate| {
            let answer = without_store(fate).map_or_else(
                || {
                    let act = act.take().expect("a request is carried out once");
                    judge(world, &about, act)
                },
                |error| Err(E::from(error)),
            );
            let summary = match &answer {
                Ok(_) => "ok".to_owned(),
                Err(error) => error.to_string(),
            };
            let answer = if fate == Fate::AnswerLost {
                Err(E::from(unknown()))
            } else {
                answer
            };
            let is_heard = !matches!(fate, Fate::CrashBefore | Fate::CrashAfter);
            if let (true, Some(sender)) = (is_heard, sender.take()) {
                let _gone = sender.send(answer);
            }
            summary
        };
        self.world.hand_over(Request {
            process: self.process,
            name,
            writes,
            orphan: false,
            carry_out: Box::new(carry_out),
        });
        async move {
            match answered.await {
                Ok(answer) => answer,
                Err(_) => pending().await,
            }
        }
        .boxed()
    }
}

/// How a request ends that the store does not get to see (yet).
fn without_store(fate: Fate) -> Option<StoreError> {
    match fate {
        Fate::Plain | Fate::AnswerLost | Fate::CrashAfter => None,
        Fate::CrashBefore | Fate::RequestLost | Fate::Late => Some(unknown()),
        Fate::Overloaded => Some(StoreError::Overloaded),
        Fate::DiskFull => Some(StoreError::DiskFull),
        Fate::Refused => Some(StoreError::Backend {
            reason: "simulated".to_owned(),
        }),
    }
}

fn unknown() -> StoreError {
    StoreError::OutcomeUnknown {
        reason: "simulated".to_owned(),
    }
}

/// Carries a request out, and checks what must hold after each write.
fn judge<A, E>(
    world: &World,
    about: &About,
    act: impl FnOnce(&MemoryStore) -> StoreFuture<A, E>,
) -> Result<A, E> {
    let target = match about {
        About::Read | About::Sessions => None,
        About::Run(scope, run) => Some((*scope, *run)),
        About::Token(scope, token) => {
            let held = world.shadow().tokens().get(token).copied();
            held.map(|(run, _)| (*scope, run))
        }
    };
    let before = target.and_then(|(scope, run)| shadow::row(&world.memory, scope, run));
    let answer = act(&world.memory)
        .now_or_never()
        .expect("the memory store answers at once");
    if let Some((scope, run)) = target {
        let followed = world
            .shadow()
            .follow(&world.memory, (scope, run), world.latest());
        if let Err(problem) = followed {
            world.fail(problem);
        }
        let after = shadow::row(&world.memory, scope, run);
        if answer.is_err() && after != before {
            world.fail(format!(
                "a refused request changed run {run}: {before:?} became {after:?}"
            ));
        }
    }
    answer
}

impl Log for FaultyStore {
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>> {
        let about = About::Run(request.scope, request.run);
        self.hand_over("create", about, |store| store.create(request))
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        let about = About::Run(request.scope, request.run);
        self.hand_over("append", about, |store| store.append(request))
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        let about = About::Token(request.scope, request.token.clone());
        self.hand_over("deliver", about, |store| store.deliver(request))
    }

    fn frames(
        &self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Frame>> {
        // Small pages, so that a log comes in many.
        let max_bytes = max_bytes.min(512);
        self.hand_over("frames", About::Read, move |store| {
            store.frames(scope, run, after, max_bytes)
        })
    }
}

impl WakeUps for FaultyStore {
    fn due(
        &self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<WakeUp>> {
        self.hand_over("due", About::Read, move |store| {
            store.due(scope, after, until, limit)
        })
    }

    fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<(RunId, Parked)>> {
        self.hand_over("parked", About::Read, move |store| {
            store.parked(scope, after, limit)
        })
    }
}

impl Streams for FaultyStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        let about = About::Run(request.scope, request.run);
        self.hand_over("answer", about, |store| store.answer(request))
    }

    fn first_chunk(
        &self,
        scope: ScopeId,
        run: RunId,
        stream: String,
    ) -> StoreFuture<Option<ChunkRow>> {
        self.hand_over("first_chunk", About::Read, move |store| {
            store.first_chunk(scope, run, stream)
        })
    }
}

impl Sessions for FaultyStore {
    fn scope(&self, project: String, environment: String) -> StoreFuture<ScopeId> {
        self.hand_over("scope", About::Sessions, |store| {
            store.scope(project, environment)
        })
    }

    fn begin_session(&self) -> StoreFuture<u32> {
        self.hand_over("begin_session", About::Sessions, MemoryStore::begin_session)
    }

    fn end_session(&self) -> StoreFuture<()> {
        self.hand_over("end_session", About::Sessions, MemoryStore::end_session)
    }

    fn count_crashes(&self, scope: ScopeId, runs: Vec<RunId>) -> StoreFuture<Vec<u32>> {
        self.hand_over("count_crashes", About::Sessions, move |store| {
            store.count_crashes(scope, runs)
        })
    }

    fn close(&self) -> StoreFuture<()> {
        self.hand_over("close", About::Read, MemoryStore::close)
    }
}

impl Queries for FaultyStore {
    fn run(&self, scope: ScopeId, run: RunId) -> StoreFuture<Option<RunRow>> {
        self.hand_over("run", About::Read, move |store| store.run(scope, run))
    }

    fn token(&self, scope: ScopeId, token: Token) -> StoreFuture<Option<TokenRow>> {
        self.hand_over("token", About::Read, move |store| store.token(scope, token))
    }

    fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: String,
        after: Option<Token>,
        limit: usize,
    ) -> StoreFuture<Vec<TokenRow>> {
        self.hand_over("chosen_tokens", About::Read, move |store| {
            store.chosen_tokens(scope, prefix, after, limit)
        })
    }

    fn runs(
        &self,
        scope: ScopeId,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<RunPage> {
        self.hand_over("runs", About::Read, move |store| {
            store.runs(scope, filter, before, limit)
        })
    }
}
