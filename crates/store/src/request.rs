//! What can be asked of a log, and how each request can be answered.
//!
//! Every request carries ids minted by its caller before the first try, so that a repeat after an
//! unknown outcome finds the first answer. Conditions are data, from a closed list.

use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Fallback, Frame, Position, Taken};
use rewake_core::id::{EventId, HookId, RunId, StepId, WaitId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::lineage::Kin;
use crate::row::{ChunkRow, NodeId, Parked, ScopeId, TokenRow};

/// Begins a log.
#[derive(Clone, Debug)]
pub struct Create {
    /// The project and environment.
    pub scope: ScopeId,
    /// The run, minted by the caller.
    pub run: RunId,
    /// The id of the first event, minted by the caller.
    pub id: EventId,
    /// `run_created`, and what goes with it: `run_started`, hooks.
    pub events: Vec<EventKind>,
    /// Under which key, if any, a second start finds the first.
    pub key: Option<StartKey>,
    /// The node that will drive the run, where its caller is one.
    pub node: Option<NodeId>,
}

/// The idempotency key of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartKey {
    /// The key, chosen by the caller.
    pub key: String,
    /// A digest of workflow and arguments; another under the same key is refused.
    pub digest: [u8; 32],
}

/// A run that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The run: the one asked for, or the one that was started under the same key before.
    pub run: RunId,
    /// The frame, where this request wrote it.
    pub frame: Option<Frame>,
}

/// Why no log was begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateRefusal {
    /// A run with this id exists, and another request made it.
    #[error("run `{run}` exists already")]
    RunExists {
        /// The run.
        run: RunId,
    },
    /// The key was used before, with another workflow or other arguments.
    #[error(
        "the idempotency key was used for run `{run}` with another workflow or other arguments"
    )]
    KeyReused {
        /// The run that was started under it.
        run: RunId,
    },
    /// A token that the log was to begin with is held by a live hook.
    #[error("a live hook of run `{owner}` holds the token")]
    TokenTaken {
        /// The run that holds it.
        owner: RunId,
    },
    /// A token that the log was to begin with is held by a hook past its time. Expire it, then
    /// repeat.
    #[error("the token is held by hook `{hook}` of run `{run}`, whose time has run out")]
    HookOverdue {
        /// The run of that hook.
        run: RunId,
        /// The hook.
        hook: HookId,
        /// The token.
        token: Token,
    },
}

/// Adds to the log of a run that exists.
#[derive(Clone, Debug)]
pub struct Append {
    /// The project and environment.
    pub scope: ScopeId,
    /// The run.
    pub run: RunId,
    /// The id of the first event, minted by the caller.
    pub id: EventId,
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// The events; none where only the mark moves.
    pub events: Vec<EventKind>,
    /// The tokens of the hooks that the events end; at the run's end, of all its hooks.
    pub release: Vec<Token>,
    /// What it says about child runs.
    pub kin: Kin,
    /// The answers to webhooks' requests that its events record: all of them are given, or nothing is
    /// appended.
    pub answers: Vec<Answering>,
    /// What the worker says about its run, where the worker appends.
    pub mark: Option<Mark>,
    /// Answer with the events after this position too.
    pub since: Option<Position>,
    /// True where a try before this one had an unknown outcome.
    pub repeat: bool,
}

impl Append {
    /// The node whose worker appends, where it belongs to one.
    pub fn node(&self) -> Option<NodeId> {
        self.mark.as_ref().and_then(|mark| mark.node)
    }
}

/// An answer to a webhook's request, given with the append that records the step which answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answering {
    /// The stream.
    pub stream: String,
    /// The step; it may repeat its answer.
    pub step: StepId,
    /// The answer.
    pub payload: Payload,
}

/// What must hold for an append. This is all that a store decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// No worker has written since this position. Required of every worker's append.
    WorkerPosition(Position),
    /// The run has not ended. Required of every append, so rarely named.
    RunLive,
    /// The hook takes payloads.
    HookLive {
        /// The hook.
        hook: HookId,
        /// Its token.
        token: Token,
    },
    /// The step has not ended.
    StepOpen(StepId),
    /// Once the events are taken, the run has no more live hooks than this. Named where hooks are
    /// registered; what a limit that was higher once has let in stays.
    HooksAtMost(u32),
    /// The wait has not ended since a position up to which whoever asks has read the log and found
    /// it open. So a wake-up and the timer never complete one wait twice, and nobody folds a log.
    WaitOpen {
        /// The wait.
        wait: WaitId,
        /// How far the log was read.
        since: Position,
    },
}

/// What a worker says about its run with an append.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The last event whose reaction is in the log once this append is.
    pub reacted: Position,
    /// When a worker must look at the run again, if nothing new happens: at once where it has open
    /// steps, else when the next wait or expiry falls due.
    pub wake_at: Option<Timestamp>,
    /// Payloads taken, for hooks where that changed.
    pub taken: Vec<Taken>,
    /// The run has come to rest: whatever it was counted for is forgotten.
    pub rested: bool,
    /// Park the run, or let it go on.
    pub parked: Option<Parked>,
    /// The node that the worker belongs to: it leases the run from now on, unless the run is parked.
    pub node: Option<NodeId>,
}

/// What an append left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// What others have written after `since`, and then the frame itself, as stored: a
    /// `hook_created` whose token is held became a `hook_conflict`.
    pub frames: Vec<Frame>,
    /// The end of the log.
    pub head: Position,
    /// Runs that payloads have started which this append left unread. Nobody is told of them, nor of
    /// the child runs that the frame names, but whoever appended; a repeat does not say them again, for the wake-up index has them.
    pub started: Vec<RunId>,
    /// The steps of its answers that had answered before: what they said then stands. A repeat says
    /// so of all.
    pub stood: Vec<StepId>,
}

/// Why nothing was appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendRefusal {
    /// There is no such run in this project and environment.
    #[error("there is no run `{run}`")]
    RunUnknown {
        /// The run.
        run: RunId,
    },
    /// The run has ended.
    #[error("run `{run}` has ended as {status}")]
    RunEnded {
        /// The run.
        run: RunId,
        /// How.
        status: RunStatus,
    },
    /// Another worker has written. Read the tail, and go on from there or stand down.
    #[error("run `{run}`: a worker wrote at {actual}, the append builds on {expected}")]
    WorkerMoved {
        /// The run.
        run: RunId,
        /// The position the append builds on.
        expected: Position,
        /// The position a worker wrote last.
        actual: Position,
    },
    /// The hook takes nothing any more.
    #[error("hook `{hook}` takes nothing any more")]
    HookGone {
        /// The hook.
        hook: HookId,
    },
    /// The step has ended or never was.
    #[error("step `{step}` is not open")]
    StepClosed {
        /// The step.
        step: StepId,
    },
    /// The wait has ended.
    #[error("wait `{wait}` has ended")]
    WaitClosed {
        /// The wait.
        wait: WaitId,
    },
    /// A hook that holds a token which the append wants is past its time. Expire it, then repeat.
    #[error("the token is held by hook `{hook}` of run `{run}`, whose time has run out")]
    HookOverdue {
        /// The run of that hook.
        run: RunId,
        /// The hook.
        hook: HookId,
        /// The token.
        token: Token,
    },
    /// The run is parked: nothing is appended on its behalf.
    #[error("run `{run}` is parked")]
    RunParked {
        /// The run.
        run: RunId,
    },
    /// The run would have more live hooks than it may.
    #[error("run `{run}` would have {live} live hooks, and may have {limit}")]
    TooManyHooks {
        /// The run.
        run: RunId,
        /// How many it would have.
        live: u32,
        /// How many it may have.
        limit: u32,
    },
    /// The append ends the run and leaves tokens behind: a fault of the caller's.
    #[error("the end of run `{run}` leaves {left} of its tokens behind")]
    TokensLeft {
        /// The run.
        run: RunId,
        /// How many.
        left: u32,
    },
    /// The append records a child run and does not say how it begins: a fault of the caller's.
    #[error("the append records child run `{child}` and does not say how it begins")]
    ChildMissing {
        /// The child.
        child: RunId,
    },
    /// The append records a child run that exists already.
    #[error("child run `{child}` exists already")]
    ChildExists {
        /// The child.
        child: RunId,
    },
    /// The append records the end of a child run that left none for it.
    #[error("child run `{child}` has left no end to record")]
    NotOwed {
        /// The child.
        child: RunId,
    },
    /// Somebody else has answered what a step was to answer with the append.
    #[error("the request that step `{step}` answers has been answered already")]
    AlreadyAnswered {
        /// The step.
        step: StepId,
    },
}

/// Hands a payload to the live hook of a token.
#[derive(Clone, Debug)]
pub struct Deliver {
    /// The project and environment.
    pub scope: ScopeId,
    /// The token.
    pub token: Token,
    /// The id of the event, minted by the caller.
    pub id: EventId,
    /// The payload.
    pub payload: Payload,
    /// Under which key, if any, a second delivery finds the first.
    pub key: Option<DeliveryKey>,
    /// The run to start with this payload if it is left unread.
    pub fallback: Option<Box<Fallback>>,
    /// Through which door it comes.
    pub door: Door,
    /// How much the hook may hold unread.
    pub limit: UnreadLimit,
    /// True where a try before this one had an unknown outcome. With a key it gets the first answer
    /// for as long as the key is remembered. Without one it does while a hook of the same run has
    /// the token; later nothing leads from the token to the log, and it is a new delivery: refused
    /// where no live hook has the token, taken anew where another run's has. Remembering every
    /// keyless delivery would cost each of them a row, so whoever means to repeat names a key.
    pub repeat: bool,
}

/// Through which door a payload comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `resume_hook`: for hooks that are not webhooks.
    Hook,
    /// The webhook route: for webhooks.
    Webhook,
}

/// The key of a delivery. Its scope is project, environment and token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryKey {
    /// The key, chosen by the caller or the sender.
    pub key: String,
    /// A digest of the payload, where another payload under the same key is to be refused.
    pub digest: Option<[u8; 32]>,
}

impl DeliveryKey {
    /// A webhook remembers its first keyed request under this key too, so that its settings are
    /// found as long as its keys are: also when the token is no longer live.
    pub const FIRST: &'static str = "";
}

/// How much a hook may hold that its workflow has not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadLimit {
    /// Payloads.
    pub count: u64,
    /// Bytes, as encoded.
    pub bytes: u64,
}

impl Default for UnreadLimit {
    /// 10,000 payloads and 64 MiB.
    fn default() -> Self {
        Self {
            count: 10_000,
            bytes: 64 << 20,
        }
    }
}

/// A payload that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The hook that took it.
    pub hook: TokenRow,
    /// Where it stands in the log.
    pub position: Position,
    /// The event.
    pub event: EventId,
    /// The frame, where this request wrote it; none where the same key had delivered before.
    pub frame: Option<Frame>,
}

/// Why nothing was delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliverRefusal {
    /// No live hook has the token.
    #[error("no live hook has the token")]
    NoHook,
    /// The hook exists and is not to be reached through this door.
    #[error("the token belongs to a hook that is not reached this way")]
    WrongDoor,
    /// The hook's time has run out. Expire it; then no live hook has the token.
    #[error("the time of hook `{hook}` has run out")]
    HookOverdue {
        /// Its run.
        run: RunId,
        /// The hook.
        hook: HookId,
    },
    /// The key was used before, with another payload or for something else.
    #[error("the idempotency key was used before with another payload or for another call")]
    KeyReused,
    /// The hook holds as much unread as it may. Try later, when its workflow has read.
    #[error(
        "the hook holds {count} payloads of {bytes} bytes that its workflow has not read, and may hold no more"
    )]
    Full {
        /// Payloads unread.
        count: u64,
        /// Their bytes.
        bytes: u64,
    },
}

/// Puts the first chunk of a stream: the answer to a webhook's request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The project and environment.
    pub scope: ScopeId,
    /// The run.
    pub run: RunId,
    /// The stream.
    pub stream: String,
    /// The chunk; its writer may repeat it.
    pub chunk: ChunkRow,
}

/// The answer that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// False where the same writer had answered before; that answer stands.
    pub first: bool,
}

/// Why an answer was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerRefusal {
    /// Somebody else has answered.
    #[error("the request has been answered already")]
    AlreadyAnswered,
    /// The run has ended, and nobody waits any more.
    #[error("run `{run}` has ended or does not exist")]
    RunEnded {
        /// The run.
        run: RunId,
    },
}
