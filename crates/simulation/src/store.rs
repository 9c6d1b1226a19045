//! The store of a simulated process: the memory store behind a disk that fails.
//!
//! Every request is handed over and carried out later, when the scheduler says so, in any order. A
//! write may take its process with it, before or after; its answer may get lost; it may be late.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::sync::{Arc, Mutex};

use futures_channel::oneshot;
use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::future::{pending, ready};
use rewake_core::event::{EventKind, Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::{
    Admit, AdmitRefusal, Admitted, Answer, AnswerRefusal, Answered, Append, AppendRefusal,
    Appended, ChunkRow, Create, CreateRefusal, Created, Deliver, DeliverRefusal, Delivered, Failed,
    Lineage, Log, MailRow, Mailbox, Nodes, OwedRow, Parked, Post, PostRefusal, Posted, Queries,
    RunFilter, RunPage, RunRow, ScopeId, Sessions, Store, StoreError, StoreFuture, Streams,
    TokenRow, WakeUp, WakeUps,
};

use crate::check::write::{About, judge};
use crate::fault::{Fate, Site};
use crate::ledger;
use crate::scheduler::ProcessId;
use crate::world::{World, lock};

type CarryOut = Box<dyn FnMut(&World, Fate) -> String + Send>;

/// A request on its way.
pub(crate) struct Request {
    pub(crate) site: Site,
    pub(crate) writes: bool,
    /// Nobody waits for it any more.
    pub(crate) orphan: bool,
    pub(crate) carry_out: CarryOut,
}

/// The store, as one process has it.
pub(crate) struct FaultyStore {
    pub(crate) world: Arc<World>,
    pub(crate) process: ProcessId,
    /// How many requests of each name it made.
    pub(crate) asked: Mutex<BTreeMap<&'static str, u64>>,
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

/// How a request is carried out: which fate it has, and whether it is a repetition.
#[derive(Clone, Copy, Debug)]
struct Time {
    fate: Fate,
    repeat: bool,
}

impl FaultyStore {
    fn hand_over<A, E>(
        &self,
        name: &'static str,
        about: About,
        act: impl Fn(&dyn Store, Time) -> StoreFuture<A, E> + Send + 'static,
    ) -> StoreFuture<A, E>
    where
        A: Send + 'static,
        E: From<StoreError> + Display + Send + 'static,
    {
        let (sender, answered) = oneshot::channel();
        let mut sender = Some(sender);
        let process = self.process;
        let writes = about.writes();
        let carry_out = move |world: &World, fate: Fate| {
            let answer = without_store(fate).map_or_else(
                || carry_out(world, process, &about, fate, &act),
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
            if let (false, Some(sender)) = (fate.is_crash(), sender.take()) {
                let _gone = sender.send(answer);
            }
            summary
        };
        self.world.hand_over(Request {
            site: self.site(name),
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

    fn site(&self, name: &'static str) -> Site {
        let mut asked = lock(&self.asked);
        let asked = asked.entry(name).or_default();
        let nth = *asked;
        *asked += 1;
        Site {
            process: self.process,
            name: name.into(),
            nth,
        }
    }

    fn read<A: Send + 'static>(
        &self,
        name: &'static str,
        act: impl Fn(&dyn Store) -> StoreFuture<A> + Send + 'static,
    ) -> StoreFuture<A> {
        self.hand_over(name, About::Read, move |store, _| act(store))
    }
}

/// Carries a request out, once or twice.
fn carry_out<A, E>(
    world: &World,
    process: ProcessId,
    about: &About,
    fate: Fate,
    act: &impl Fn(&dyn Store, Time) -> StoreFuture<A, E>,
) -> Result<A, E> {
    let once = |repeat| {
        judge(world, process, about, || {
            block_on(act(&*world.store(), Time { fate, repeat }))
        })
    };
    let first = once(false)?;
    if fate == Fate::Twice && about.may_repeat() {
        once(true)
    } else {
        Ok(first)
    }
}

/// How a request ends that the store does not get to see (yet).
fn without_store(fate: Fate) -> Option<StoreError> {
    match fate {
        Fate::Plain | Fate::AnswerLost | Fate::CrashAfter | Fate::Survives | Fate::Twice => None,
        Fate::CrashBefore | Fate::CrashDuring | Fate::RequestLost | Fate::Late => Some(unknown()),
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

impl Log for FaultyStore {
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>> {
        let about = About::Create(request.scope, request.run);
        self.hand_over("create", about, move |store, _| {
            store.create(request.clone())
        })
    }

    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>> {
        let about = About::append(&request);
        self.hand_over("append", about, move |store, time| {
            let appended = store.append(Append {
                repeat: time.repeat,
                ..request.clone()
            });
            appended.inspect(note_append).boxed()
        })
    }

    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>> {
        let about = About::Deliver(request.scope, request.token.clone());
        let sabotage = self.world.sabotage;
        self.hand_over("deliver", about, move |store, time| {
            let delivered = store.deliver(Deliver {
                repeat: time.repeat,
                ..request.clone()
            });
            if let Some(sabotage) = sabotage {
                sabotage(store, &request, time.fate);
            }
            delivered
        })
    }

    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>> {
        self.hand_over("admit", About::Sessions, move |store, time| {
            store.admit(Admit {
                repeat: time.repeat,
                ..request.clone()
            })
        })
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
        self.read("frames", move |store| {
            store.frames(scope, run, after, max_bytes)
        })
    }
}

/// Counts what only a race between workers, or with somebody outside, brings.
fn note_append(appended: &Result<Appended, Failed<AppendRefusal>>) {
    match appended {
        Ok(appended) => {
            let events = appended.frames.iter().flat_map(|frame| &frame.events);
            let conflicts = |kind: &&EventKind| matches!(kind, EventKind::HookConflict { .. });
            if events.filter(conflicts).count() > 0 {
                ledger::count("met conflict");
            }
        }
        Err(Failed::Refused(AppendRefusal::WorkerMoved { .. })) => {
            ledger::count("met worker-moved");
        }
        Err(Failed::Refused(AppendRefusal::HookGone { .. })) => ledger::count("met hook-gone"),
        Err(Failed::Refused(AppendRefusal::HookOverdue { .. })) => {
            ledger::count("met hook-overdue");
        }
        Err(_) => {}
    }
}

impl Mailbox for FaultyStore {
    fn post(&self, request: Post) -> StoreFuture<Posted, Failed<PostRefusal>> {
        self.hand_over("post", About::Sessions, move |store, time| {
            store.post(Post {
                repeat: time.repeat,
                ..request.clone()
            })
        })
    }

    fn mail(
        &self,
        scope: ScopeId,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<Vec<(u64, MailRow)>> {
        self.hand_over("mail", About::Read, move |store, _| {
            store.mail(scope, after, limit)
        })
    }

    fn sweep(&self, scope: ScopeId, limit: usize) -> StoreFuture<usize> {
        self.hand_over("sweep", About::Sessions, move |store, _| {
            store.sweep(scope, limit)
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
        self.read("due", move |store| store.due(scope, after, until, limit))
    }

    fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<(RunId, Parked)>> {
        self.read("parked", move |store| store.parked(scope, after, limit))
    }
}

impl Lineage for FaultyStore {
    fn owed(&self, scope: ScopeId, parent: RunId, max_bytes: usize) -> StoreFuture<Vec<OwedRow>> {
        // Small pages, so that what is owed comes in many.
        let max_bytes = max_bytes.min(512);
        self.read("owed", move |store| store.owed(scope, parent, max_bytes))
    }

    fn owed_runs(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<RunId>> {
        self.read("owed_runs", move |store| {
            store.owed_runs(scope, after, limit)
        })
    }

    fn children_told(&self, scope: ScopeId, run: RunId) -> StoreFuture<()> {
        self.hand_over("children_told", About::Sessions, move |store, _| {
            store.children_told(scope, run)
        })
    }
}

impl Streams for FaultyStore {
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>> {
        let about = About::Answer(request.scope, request.run);
        self.hand_over("answer", about, move |store, _| {
            store.answer(request.clone())
        })
    }

    fn first_chunk(
        &self,
        scope: ScopeId,
        run: RunId,
        stream: String,
    ) -> StoreFuture<Option<ChunkRow>> {
        self.read("first_chunk", move |store| {
            store.first_chunk(scope, run, stream.clone())
        })
    }
}

impl Sessions for FaultyStore {
    fn scope(&self, project: String, environment: String) -> StoreFuture<ScopeId> {
        self.hand_over("scope", About::Sessions, move |store, _| {
            store.scope(project.clone(), environment.clone())
        })
    }

    fn begin_session(&self) -> StoreFuture<u32> {
        self.hand_over("begin_session", About::Once, |store, _| {
            store.begin_session()
        })
    }

    fn end_session(&self) -> StoreFuture<()> {
        self.hand_over("end_session", About::Sessions, |store, _| {
            store.end_session()
        })
    }

    fn count_crashes(&self, scope: ScopeId, runs: Vec<RunId>) -> StoreFuture<Vec<u32>> {
        self.hand_over("count_crashes", About::Once, move |store, _| {
            store.count_crashes(scope, runs.clone())
        })
    }

    fn close(&self) -> StoreFuture<()> {
        // The store is shared: what a process closes is its own handle.
        self.read("close", |_| ready(Ok(())).boxed())
    }
}

impl Nodes for FaultyStore {}

impl Queries for FaultyStore {
    fn run(&self, scope: ScopeId, run: RunId) -> StoreFuture<Option<RunRow>> {
        self.read("run", move |store| store.run(scope, run))
    }

    fn token(&self, scope: ScopeId, token: Token) -> StoreFuture<Option<TokenRow>> {
        self.read("token", move |store| store.token(scope, token.clone()))
    }

    fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: String,
        after: Option<Token>,
        limit: usize,
    ) -> StoreFuture<Vec<TokenRow>> {
        self.read("chosen_tokens", move |store| {
            store.chosen_tokens(scope, prefix.clone(), after.clone(), limit)
        })
    }

    fn runs(
        &self,
        scope: ScopeId,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<RunPage> {
        self.read("runs", move |store| {
            store.runs(scope, filter.clone(), before, limit)
        })
    }
}
