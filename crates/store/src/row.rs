//! The rows a store keeps, apart from frames.
//!
//! Each is an index over the logs, maintained in the transaction that makes it true, except delivery
//! keys, the mailbox, stream chunks and the parked mark, which are truths of their own. The stored form is
//! described in `docs/format.md`; the numbers are never reused.

use std::collections::BTreeMap;

use rewake_core::entity::RunStatus;
use rewake_core::event::{EventKind, Fallback, Parent, Position, Taken};
use rewake_core::id::{EventId, HookId, RunId, StepId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use minicbor::{Decode, Encode};

/// A project and environment, as the store numbers them. Every row belongs to one, and no request
/// sees rows of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ScopeId(#[n(0)] pub u32);

/// A process that works on the store together with others, as the store numbers it. No number is
/// given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct NodeId(#[n(0)] pub u64);

/// What is known of a run without reading its log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RunRow {
    /// Its project and environment.
    #[n(0)]
    pub scope: ScopeId,
    /// Which workflow it executes.
    #[n(1)]
    pub workflow: String,
    /// The build that started it.
    #[n(2)]
    pub build: String,
    /// How far it has come.
    #[n(3)]
    pub status: RunStatus,
    /// The last event of its log.
    #[n(4)]
    pub head: Position,
    /// The last event that a worker wrote: what the next worker's append builds on.
    #[n(5)]
    pub worker: Position,
    /// How far the workflow's reactions are recorded. May lag behind: the cost is a replay.
    #[n(6)]
    pub reacted: Position,
    /// The time of the last frame; the next one's is not earlier.
    #[n(7)]
    pub last_at: Timestamp,
    /// When a worker must look at the run: in the past where a reaction is owed or a step is open,
    /// in the future where a wait or an expiry is all there is, none where only a hook or a child's
    /// end can wake it. One that has ended is looked at as long as its children were not told.
    #[n(8)]
    pub wake_at: Option<Timestamp>,
    /// How many unclean ends of a process it has been found ready after, in a row.
    #[n(9)]
    pub crashes: u32,
    /// Why nothing is done for it until a person or another build comes.
    #[n(10)]
    pub parked: Option<Parked>,
    /// How many live hooks it has.
    #[n(11)]
    pub live_hooks: u32,
    /// Payloads taken, for live hooks that have received any.
    #[n(12)]
    pub taken: Vec<Taken>,
    /// When it was made.
    #[n(13)]
    pub created_at: Timestamp,
    /// When it ended.
    #[n(14)]
    pub ended_at: Option<Timestamp>,
    /// The first event of its last frame; once it has ended, the frame that holds the end.
    #[n(15)]
    pub tail: Position,
    /// Hooks that take nothing more and hold payloads which their receivers may still read.
    #[n(16)]
    pub left: Vec<Left>,
    /// How many payloads it has accepted that do not stay here if they are left unread. Where there
    /// are none, nobody need look for them.
    #[n(17)]
    pub fated: u64,
    /// How many payloads were left unread and stay here.
    #[n(18)]
    pub unread: u64,
    /// The run and step that it belongs to, for a child.
    #[n(19)]
    pub parent: Option<Parent>,
    /// How many attached child runs it has whose end its log does not hold. Once it has ended: those
    /// that must be told so, and until they were it has a wake-up.
    #[n(20)]
    pub children: u32,
    /// Its attributes, as its log has them.
    #[n(21)]
    #[cbor(default)]
    pub attributes: BTreeMap<String, String>,
    /// The node that leases it, or had it when it ended: none where one process works on the store, and
    /// none for a run that was parked. It says who saves whom the effort; what may be appended does not
    /// depend on it.
    #[n(22)]
    pub node: Option<NodeId>,
}

impl RunRow {
    /// True where a fact stands in the log whose reaction is not yet recorded.
    pub fn is_ready(&self) -> bool {
        !self.status.is_terminal() && self.parked.is_none() && self.reacted < self.head
    }
}

/// A hook that takes nothing more, with payloads that were not taken.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Left {
    /// Its token, which somebody else may hold by now.
    #[n(0)]
    pub token: Token,
    /// How many payloads it has accepted.
    #[n(1)]
    pub received: u64,
    /// The hook, and what was taken of them.
    #[n(2)]
    pub taken: Taken,
}

/// Why a run is parked: it is recorded beside the log, because nothing may be appended for it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Parked {
    /// The build that could not follow. Another one may still take the run.
    #[n(0)]
    pub build: String,
    /// A stable name of what happened.
    #[n(1)]
    pub code: String,
    /// What happened and what to do, for a person.
    #[n(2)]
    pub reason: String,
    /// When.
    #[n(3)]
    pub at: Timestamp,
    /// Builds that could not follow either, before this one.
    #[n(4)]
    #[cbor(default)]
    pub before: Vec<String>,
}

impl Parked {
    /// True where this build could not follow: it would not the next time.
    pub fn is_by(&self, build: &str) -> bool {
        self.build == build || self.before.iter().any(|before| before == build)
    }
}

/// A live hook, by its token.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TokenRow {
    /// Its project and environment.
    #[n(0)]
    pub scope: ScopeId,
    /// Its token.
    #[n(1)]
    pub token: Token,
    /// Its run.
    #[n(2)]
    pub run: RunId,
    /// The hook.
    #[n(3)]
    pub hook: HookId,
    /// When it was registered.
    #[n(4)]
    pub created_at: Timestamp,
    /// What the workflow wanted to be known about it.
    #[n(5)]
    pub metadata: Option<Payload>,
    /// True where the public webhook route may reach it.
    #[n(6)]
    pub is_webhook: bool,
    /// True where the workflow's code chose the token.
    #[n(7)]
    pub chosen: bool,
    /// The time after which it takes nothing.
    #[n(8)]
    pub expires_at: Option<Timestamp>,
    /// How many payloads it has taken in.
    #[n(9)]
    pub received: u64,
    /// Their size in bytes, as encoded.
    #[n(10)]
    pub received_bytes: u64,
    /// True where it has taken a payload with a delivery key: there is something to forget once it
    /// has gone.
    #[n(11)]
    pub keyed: bool,
}

/// A delivery key, with the answer that its first use got.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeyRow {
    /// The hook as it was when it took the payload; none where the mailbox took it.
    #[n(0)]
    pub hook: Option<TokenRow>,
    /// Where the payload stands in the run's log.
    #[n(1)]
    pub position: Position,
    /// The event.
    #[n(2)]
    pub event: EventId,
    /// A digest of the payload; none where the request is not compared.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub digest: Option<[u8; 32]>,
    /// True where the payload started the hook's run.
    #[n(4)]
    pub started: bool,
    /// Until when the mailbox keeps the payload, where it took it.
    #[n(5)]
    pub kept_until: Option<Timestamp>,
}

/// A payload in the mailbox: it came for a token that nobody held, and waits for whoever opens it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MailRow {
    /// Its project and environment.
    #[n(0)]
    pub scope: ScopeId,
    /// The token.
    #[n(1)]
    pub token: Token,
    /// The event that brought it, or the id that its event would have had.
    #[n(2)]
    pub event: EventId,
    /// The payload.
    #[n(3)]
    pub payload: Payload,
    /// The caller's idempotency key.
    #[n(4)]
    pub key: Option<String>,
    /// The run to start with it if whoever opens the token leaves it unread.
    #[n(5)]
    pub fallback: Option<Box<Fallback>>,
    /// Since when it has been here.
    #[n(6)]
    pub posted_at: Timestamp,
    /// Until when it is kept.
    #[n(7)]
    pub until: Timestamp,
}

/// Delivery keys that are forgotten from a time on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ForgetRow {
    /// Their project and environment.
    #[n(0)]
    pub scope: ScopeId,
    /// From when on.
    #[n(1)]
    pub at: Timestamp,
    /// Their token.
    #[n(2)]
    pub token: Token,
    /// Which of the token's.
    #[n(3)]
    pub which: WhichKeys,
    /// The key up to which this is done.
    #[n(4)]
    pub after: Option<String>,
}

/// Which keys of a token are forgotten.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum WhichKeys {
    /// Those that are answered with a hook, which has gone.
    #[n(0)]
    Hook(#[n(0)] HookId),
    /// One, of a payload that the mailbox took and keeps no longer.
    #[n(1)]
    Key(#[n(0)] String),
}

/// The end of a child run that its parent's log does not hold yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OwedRow {
    /// The project and environment of both.
    #[n(0)]
    pub scope: ScopeId,
    /// The parent.
    #[n(1)]
    pub parent: RunId,
    /// The step of the parent that the end completes.
    #[n(2)]
    pub step: StepId,
    /// The child.
    #[n(3)]
    pub child: RunId,
    /// How it ended: one of the events that end a run.
    #[n(4)]
    pub end: EventKind,
}

/// The idempotency key of a start.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StartKeyRow {
    /// The run that was started under it.
    #[n(0)]
    pub run: RunId,
    /// A digest of workflow and arguments.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 32],
}

/// One chunk of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ChunkRow {
    /// The step that wrote it, where one did.
    #[n(0)]
    pub writer: Option<StepId>,
    /// What it holds.
    #[n(1)]
    pub payload: Payload,
}
