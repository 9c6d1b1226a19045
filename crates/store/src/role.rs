//! The roles a store plays. Each method says what is atomic with what.
//!
//! Futures resolve after the commit (or rollback) they speak of. Dropping one changes nothing about
//! whether the request takes effect: a request that was handed over may commit.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, try_join, try_join_all};
use rewake_core::entity::RunStatus;
use rewake_core::event::{Frame, Position};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::admission::{Admit, AdmitRefusal, Admitted, Post, PostRefusal, Posted};
use crate::error::{Failed, StoreError};
use crate::lineage::Lineage;
use crate::nodes::Nodes;
use crate::request::{
    Answer, AnswerRefusal, Answered, Append, AppendRefusal, Appended, Create, CreateRefusal,
    Created, Deliver, DeliverRefusal, Delivered,
};
use crate::row::{ChunkRow, MailRow, Parked, RunRow, ScopeId, TokenRow};

/// What a store's methods return.
pub type StoreFuture<T, E = StoreError> = BoxFuture<'static, Result<T, E>>;

/// The logs: the only way anything happens.
///
/// Each write is one transaction: the conditions are evaluated, the frame is written at the next
/// positions, and every row that follows from it (the run's, tokens, keys) changes with it, or
/// nothing does. When the future resolves with success, all of it is on stable storage. The same
/// request with the same ids, repeated (and marked as a repeat, where it can be), gets the first
/// answer and writes nothing; [`Deliver::repeat`] says where that ends for payloads without a key.
///
/// Requests may be handed over before earlier ones are answered. Each is judged alone, against what
/// those before it left; a refused one leaves nothing. They are judged in the order in which they were
/// handed over, except that an outsider's, which carries no mark, may go before workers' that
/// are not answered yet. Never the other way round.
pub trait Log {
    /// Begins a log. Atomic with it: the start key, and the tokens of hooks it begins with.
    fn create(&self, request: Create) -> StoreFuture<Created, Failed<CreateRefusal>>;

    /// Adds to a log. Atomic with it: the run's row, tokens taken and released, what the mailbox keeps
    /// for a token that is taken, the logs of child runs that begin, what an end leaves for parent and
    /// children, and what becomes of payloads that are left unread: the log of a
    /// run that they start, the mailbox.
    fn append(&self, request: Append) -> StoreFuture<Appended, Failed<AppendRefusal>>;

    /// Adds to several logs, in this order. Each request is judged alone, as by [`append`](Self::append),
    /// and one that is refused is in nobody else's way; its refusal stands in its place among the
    /// answers. An error says of none of them whether it took effect.
    fn append_all(
        &self,
        requests: Vec<Append>,
    ) -> StoreFuture<Vec<Result<Appended, AppendRefusal>>> {
        let appends = requests.into_iter().map(|request| self.append(request));
        let answers = join_all(appends).map(|answers| {
            let each = answers.into_iter().map(|answer| match answer {
                Ok(appended) => Ok(Ok(appended)),
                Err(Failed::Refused(refusal)) => Ok(Err(refusal)),
                Err(Failed::Store(error)) => Err(error),
            });
            each.collect()
        });
        answers.boxed()
    }

    /// Hands a payload to the live hook of a token. Atomic with it: the finding of the hook, its
    /// counts, the delivery key with its answer, the run's row.
    fn deliver(&self, request: Deliver) -> StoreFuture<Delivered, Failed<DeliverRefusal>>;

    /// Hands a payload to the live hook of a token, or begins the log of a run that owns the token
    /// and has the payload. Atomic with it: the choice between the two, what the mailbox keeps for
    /// the token, the delivery key with its answer.
    fn admit(&self, request: Admit) -> StoreFuture<Admitted, Failed<AdmitRefusal>>;

    /// The frames of a run after a position, oldest first: at least one if there is any, and no
    /// more than about `max_bytes` of them. Empty at the end, and for a run that is not in `scope`.
    /// A snapshot is held no longer than this call.
    fn frames(
        &self,
        scope: ScopeId,
        run: RunId,
        after: Position,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Frame>>;
}

/// The mailbox: payloads for tokens that nobody held when they came.
pub trait Mailbox {
    /// Hands a payload to the live hook of a token, or keeps it. Atomic with it: the choice between
    /// the two, the delivery key with its answer.
    fn post(&self, request: Post) -> StoreFuture<Posted, Failed<PostRefusal>>;

    /// What is kept and whose time is not over, with its places, oldest first, after `after`
    /// (exclusive), at most `limit`.
    fn mail(
        &self,
        scope: ScopeId,
        after: Option<u64>,
        limit: usize,
    ) -> StoreFuture<Vec<(u64, MailRow)>>;

    /// Removes payloads whose time is over, at most `limit`; how many.
    fn sweep(&self, scope: ScopeId, limit: usize) -> StoreFuture<usize>;
}

/// A run that a worker must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WakeUp {
    /// Since when, or from when on.
    pub at: Timestamp,
    /// The run.
    pub run: RunId,
}

/// The wake-up index: which runs a worker must look at, and when. Derived from the logs, in the
/// transaction of each append.
pub trait WakeUps {
    /// Wake-ups after `after` (exclusive, in order of time, then run) and due at or before `until`,
    /// oldest first, at most `limit`. Parked and ended runs have none.
    fn due(
        &self,
        scope: ScopeId,
        after: Option<WakeUp>,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Vec<WakeUp>>;

    /// Parked runs after `after` in order of id, at most `limit`.
    fn parked(
        &self,
        scope: ScopeId,
        after: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<Vec<(RunId, Parked)>>;
}

/// Streams: chunks of a run outside its events. Here only what answers to webhooks need.
pub trait Streams {
    /// Puts the first chunk of a stream, if there is none and the run is live. The same writer may
    /// repeat it: the first chunk stands.
    fn answer(&self, request: Answer) -> StoreFuture<Answered, Failed<AnswerRefusal>>;

    /// The first chunk of a stream.
    fn first_chunk(
        &self,
        scope: ScopeId,
        run: RunId,
        stream: String,
    ) -> StoreFuture<Option<ChunkRow>>;
}

/// The sessions of the process that works on the store: how a new one learns how the last ended.
pub trait Sessions {
    /// The number of a project and environment, made if it is new. Atomic.
    fn scope(&self, project: String, environment: String) -> StoreFuture<ScopeId>;

    /// Notes that a worker begins, and answers how many workers before it, in a row, did not end
    /// cleanly.
    fn begin_session(&self) -> StoreFuture<u32>;

    /// Notes that the worker ends cleanly.
    fn end_session(&self) -> StoreFuture<()>;

    /// Counts one more unclean end for each of these runs, in one commit, and answers with the
    /// counts in the same order; zero for a run that is unknown.
    fn count_crashes(&self, scope: ScopeId, runs: Vec<RunId>) -> StoreFuture<Vec<u32>>;

    /// Closes the store: what is queued is written, then every request is refused as closed.
    fn close(&self) -> StoreFuture<()>;
}

/// Which runs a listing shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only runs of this workflow.
    pub workflow: Option<String>,
    /// Only runs in this state.
    pub status: Option<RunStatus>,
    /// Only runs that have live hooks.
    pub with_live_hooks: bool,
    /// Only runs that have all of these attributes.
    pub attributes: BTreeMap<String, String>,
    /// Only child runs of this one.
    pub parent: Option<RunId>,
}

impl RunFilter {
    /// True where the listing shows the run.
    pub fn shows(&self, row: &RunRow) -> bool {
        self.workflow
            .as_ref()
            .is_none_or(|workflow| *workflow == row.workflow)
            && self.status.is_none_or(|status| status == row.status)
            && (!self.with_live_hooks || row.live_hooks > 0)
            && self
                .attributes
                .iter()
                .all(|(key, value)| row.attributes.get(key) == Some(value))
            && self
                .parent
                .is_none_or(|parent| row.parent.is_some_and(|of| of.run == parent))
    }
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPage {
    /// The runs, newest first.
    pub runs: Vec<(RunId, RunRow)>,
    /// Where the next page begins; none at the end.
    pub next: Option<RunId>,
}

/// What a worker needs that takes a run up: its row, and its log from the beginning, or the first page
/// of that.
pub type RunWithLog = (RunRow, Vec<Frame>);

/// Questions. Each is answered from one snapshot, except where it says otherwise.
pub trait Queries: Log {
    /// A run's row; none for a run that is not in `scope`.
    fn run(&self, scope: ScopeId, run: RunId) -> StoreFuture<Option<RunRow>>;

    /// A run's row, and about `max_bytes` of its log. None for a run that is not in `scope`. The two may
    /// be of different states, neither older than the call.
    fn run_with_log(
        &self,
        scope: ScopeId,
        run: RunId,
        max_bytes: usize,
    ) -> StoreFuture<Option<RunWithLog>> {
        let (row, log) = (
            self.run(scope, run),
            self.frames(scope, run, Position::START, max_bytes),
        );
        try_join(row, log)
            .map(|both| both.map(|(row, log)| Some((row?, log))))
            .boxed()
    }

    /// The same for several runs, in their order: for as many of them, from the first on, as come to
    /// about `max_bytes` of logs, and for one at least. A store may also give each an equal part of that,
    /// and one frame at least. An error may be about any of them.
    fn runs_with_logs(
        &self,
        scope: ScopeId,
        runs: Vec<RunId>,
        max_bytes: usize,
    ) -> StoreFuture<Vec<Option<RunWithLog>>> {
        let share = max_bytes / runs.len().max(1);
        let each = runs
            .into_iter()
            .map(|run| self.run_with_log(scope, run, share));
        try_join_all(each).boxed()
    }

    /// The live hook of a token. Overdue ones are still live here: the log decides.
    fn token(&self, scope: ScopeId, token: Token) -> StoreFuture<Option<TokenRow>>;

    /// Live hooks whose tokens were chosen by workflows and begin with `prefix`, after `after` in
    /// order of the tokens' bytes, at most `limit`. Random tokens are left out: a listing must not
    /// help to guess one.
    fn chosen_tokens(
        &self,
        scope: ScopeId,
        prefix: String,
        after: Option<Token>,
        limit: usize,
    ) -> StoreFuture<Vec<TokenRow>>;

    /// Runs before `before`, newest first, at most `limit`.
    fn runs(
        &self,
        scope: ScopeId,
        filter: RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> StoreFuture<RunPage>;
}

/// A store: all roles together.
pub trait Store:
    Log
    + Mailbox
    + WakeUps
    + Lineage
    + Streams
    + Sessions
    + Nodes
    + Queries
    + std::fmt::Debug
    + Send
    + Sync
    + 'static
{
}

impl<T> Store for T where
    T: Log
        + Mailbox
        + WakeUps
        + Lineage
        + Streams
        + Sessions
        + Nodes
        + Queries
        + std::fmt::Debug
        + Send
        + Sync
        + 'static
{
}
