//! The closed set of events.
//!
//! The numbers (`#[n(…)]`) are the stored form: never reused, never renumbered. Adding a variant or
//! an optional field is a new minor version of the format; anything else is a new major one.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::id::{HookId, RunId, StepId, WaitId};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::token::Token;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum EventKind {
    /// The run exists. First event of every log.
    #[n(0)]
    RunCreated {
        /// Which workflow it executes.
        #[n(0)]
        workflow: String,
        /// Its arguments, as an array.
        #[n(1)]
        input: Payload,
        /// The build that started it.
        #[n(2)]
        build: String,
        /// 128 bits of the operating system's entropy: what `random()` and `uuid()` grow from.
        #[cbor(n(3), with = "minicbor::bytes")]
        seed: [u8; 16],
        /// Numbered changes of replay behaviour that hold for this log.
        #[n(4)]
        flags: u32,
        /// The run and step that started it, for a child.
        #[n(5)]
        parent: Option<Parent>,
        /// The time before which the workflow must not begin.
        #[n(6)]
        not_before: Option<Timestamp>,
        /// The run that this one goes on from.
        #[n(7)]
        continued_from: Option<RunId>,
        /// Searchable key-values given at the start.
        #[n(8)]
        attributes: BTreeMap<String, String>,
        /// What made the run: a start, or a payload for a hook that did not exist.
        #[n(9)]
        created_by: CreatedBy,
    },
    /// The workflow began to execute.
    #[n(1)]
    RunStarted,
    /// The workflow returned a value.
    #[n(2)]
    RunCompleted {
        /// The value.
        #[n(0)]
        output: Payload,
    },
    /// The workflow returned an error.
    #[n(3)]
    RunFailed {
        /// The error.
        #[n(0)]
        error: Failure,
    },
    /// The run was cancelled or terminated.
    #[n(4)]
    RunCancelled {
        /// Why, in the words of whoever asked.
        #[n(0)]
        reason: Option<String>,
        /// True where nothing of the workflow's was allowed to run any more.
        #[n(1)]
        terminated: bool,
    },
    /// Somebody asked for the run to be cancelled.
    #[n(5)]
    RunCancelRequested {
        /// Why, in their words.
        #[n(0)]
        reason: Option<String>,
    },
    /// The run ended in favour of a successor with a fresh log.
    #[n(6)]
    RunContinued {
        /// The successor.
        #[n(0)]
        successor: RunId,
    },
    /// The workflow called a step.
    #[n(7)]
    StepCreated {
        /// The step.
        #[n(0)]
        step: StepId,
        /// The name of its function.
        #[n(1)]
        name: String,
        /// Its arguments.
        #[n(2)]
        input: Payload,
        /// How it is tried.
        #[n(3)]
        options: StepOptions,
    },
    /// An attempt of a step began.
    #[n(8)]
    StepStarted {
        /// The step.
        #[n(0)]
        step: StepId,
        /// Which attempt, from 1.
        #[n(1)]
        attempt: u32,
    },
    /// A step returned a value.
    #[n(9)]
    StepCompleted {
        /// The step.
        #[n(0)]
        step: StepId,
        /// The value.
        #[n(1)]
        result: Payload,
    },
    /// A step failed for good.
    #[n(10)]
    StepFailed {
        /// The step.
        #[n(0)]
        step: StepId,
        /// The last attempt's error.
        #[n(1)]
        error: Failure,
        /// Why there will be no other attempt.
        #[n(2)]
        kind: FailureKind,
    },
    /// An attempt of a step failed; another follows.
    #[n(11)]
    StepRetrying {
        /// The step.
        #[n(0)]
        step: StepId,
        /// The attempt's error.
        #[n(1)]
        error: Failure,
        /// When the next attempt may begin.
        #[n(2)]
        retry_at: Timestamp,
    },
    /// A hook was registered: its token takes payloads from here on.
    #[n(12)]
    HookCreated {
        /// The hook.
        #[n(0)]
        hook: HookId,
        /// Its address.
        #[n(1)]
        token: Token,
        /// True where the workflow's code chose the token, false where it was drawn.
        #[n(2)]
        chosen: bool,
        /// What the workflow wanted to be known about it.
        #[n(3)]
        metadata: Option<Payload>,
        /// True where the public webhook route may reach it.
        #[n(4)]
        is_webhook: bool,
        /// The time after which it takes nothing.
        #[n(5)]
        expires_at: Option<Timestamp>,
    },
    /// A hook took a payload.
    #[n(13)]
    HookReceived {
        /// The hook.
        #[n(0)]
        hook: HookId,
        /// The payload.
        #[n(1)]
        payload: Payload,
        /// The caller's idempotency key, or the sender's delivery id.
        #[n(2)]
        key: Option<String>,
        /// The workflow and arguments to start with this payload if it is left unread.
        #[n(3)]
        fallback: Option<Fallback>,
    },
    /// A hook was closed or dropped by the workflow; its token is free.
    #[n(14)]
    HookDisposed {
        /// The hook.
        #[n(0)]
        hook: HookId,
        /// How.
        #[n(1)]
        by: Disposal,
    },
    /// A hook could not be registered, because another live hook holds its token.
    #[n(15)]
    HookConflict {
        /// The hook that was not made.
        #[n(0)]
        hook: HookId,
        /// The token both wanted.
        #[n(1)]
        token: Token,
        /// The run that holds it.
        #[n(2)]
        owner: RunId,
    },
    /// A hook's time ran out; its token is free.
    #[n(16)]
    HookExpired {
        /// The hook.
        #[n(0)]
        hook: HookId,
    },
    /// The workflow began to sleep.
    #[n(17)]
    WaitCreated {
        /// The wait.
        #[n(0)]
        wait: WaitId,
        /// When it ends.
        #[n(1)]
        resume_at: Timestamp,
    },
    /// A sleep ended.
    #[n(18)]
    WaitCompleted {
        /// The wait.
        #[n(0)]
        wait: WaitId,
    },
    /// The workflow gave up a sleep.
    #[n(19)]
    WaitCancelled {
        /// The wait.
        #[n(0)]
        wait: WaitId,
    },
    /// Attributes of the run were set.
    #[n(20)]
    AttrSet {
        /// New values by key.
        #[n(0)]
        changes: BTreeMap<String, String>,
        /// The call that set them, derived as a step's id is.
        #[n(1)]
        call: StepId,
    },
    /// The workflow passed a place where old and new code differ, with the new code.
    #[n(21)]
    PatchMarked {
        /// The patch.
        #[n(0)]
        patch: String,
    },
}

/// What made a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CreatedBy {
    /// Somebody started it.
    #[default]
    #[n(0)]
    Start,
    /// A payload came for a token that nobody held.
    #[n(1)]
    Admission,
}

/// The run and step a child run belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Parent {
    /// The parent run.
    #[n(0)]
    pub run: RunId,
    /// The step of the parent that the child's end completes.
    #[n(1)]
    pub step: StepId,
    /// True where the child outlives its parent's end.
    #[n(2)]
    pub detached: bool,
}

/// The run that an unread payload of `resume_or_start` starts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Fallback {
    /// Which workflow.
    #[n(0)]
    pub workflow: String,
    /// With which arguments.
    #[n(1)]
    pub input: Payload,
}

/// How a hook came to its end by the workflow's own doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Disposal {
    /// `close()`: what has arrived is still read.
    #[n(0)]
    Closed,
    /// The receiver was dropped.
    #[n(1)]
    Dropped,
}

/// How a step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StepOptions {
    /// Attempts after the first.
    #[n(0)]
    pub max_retries: u32,
    /// The longest an attempt may take, in milliseconds.
    #[n(1)]
    pub timeout_ms: Option<u64>,
    /// The pause before the second attempt, in milliseconds; later pauses grow from it.
    #[n(2)]
    pub backoff_ms: u64,
}

impl Default for StepOptions {
    /// Three retries, no timeout, a first pause of one second.
    fn default() -> Self {
        Self {
            max_retries: 3,
            timeout_ms: None,
            backoff_ms: 1_000,
        }
    }
}

/// An error as it is recorded: what survives of it for those who read the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Failure {
    /// What it says.
    #[n(0)]
    pub message: String,
    /// What its sources say, outermost first.
    #[n(1)]
    pub causes: Vec<String>,
}

impl Failure {
    /// A failure that has no cause of its own.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
        }
    }
}

/// Why a step has no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum FailureKind {
    /// The step said that trying again is of no use.
    #[n(0)]
    Fatal,
    /// Every allowed attempt failed.
    #[n(1)]
    RetriesExhausted,
    /// Every allowed attempt failed, the last by taking too long.
    #[n(2)]
    TimedOut,
    /// The result cannot be encoded, so trying again is of no use.
    #[n(3)]
    NotEncodable,
}

/// What an event is to a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It came from elsewhere; the workflow is fed it.
    Fact,
    /// A command left it behind; a replay must issue the command again.
    Record,
    /// A record whose command is awaited: matched, and then fed at its own place.
    AwaitedRecord,
    /// Bookkeeping of the worker; the workflow never sees it.
    Note,
}

impl EventKind {
    /// What the event is to a replay.
    pub const fn role(&self) -> Role {
        match self {
            Self::RunStarted
            | Self::RunCancelRequested { .. }
            | Self::StepCompleted { .. }
            | Self::StepFailed { .. }
            | Self::HookReceived { .. }
            | Self::HookExpired { .. }
            | Self::WaitCompleted { .. } => Role::Fact,
            Self::RunCompleted { .. }
            | Self::RunFailed { .. }
            | Self::RunContinued { .. }
            | Self::StepCreated { .. }
            | Self::HookDisposed {
                by: Disposal::Dropped,
                ..
            }
            | Self::WaitCreated { .. }
            | Self::WaitCancelled { .. }
            | Self::PatchMarked { .. } => Role::Record,
            Self::HookCreated { .. }
            | Self::HookConflict { .. }
            | Self::HookDisposed {
                by: Disposal::Closed,
                ..
            }
            | Self::AttrSet { .. } => Role::AwaitedRecord,
            Self::RunCreated { .. }
            | Self::RunCancelled { .. }
            | Self::StepStarted { .. }
            | Self::StepRetrying { .. } => Role::Note,
        }
    }

    /// True for the events after which a run takes nothing more.
    pub const fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::RunCompleted { .. }
                | Self::RunFailed { .. }
                | Self::RunCancelled { .. }
                | Self::RunContinued { .. }
        )
    }

    /// The name of the event, as the Workflow SDK writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RunCreated { .. } => "run_created",
            Self::RunStarted => "run_started",
            Self::RunCompleted { .. } => "run_completed",
            Self::RunFailed { .. } => "run_failed",
            Self::RunCancelled { .. } => "run_cancelled",
            Self::RunCancelRequested { .. } => "run_cancel_requested",
            Self::RunContinued { .. } => "run_continued",
            Self::StepCreated { .. } => "step_created",
            Self::StepStarted { .. } => "step_started",
            Self::StepCompleted { .. } => "step_completed",
            Self::StepFailed { .. } => "step_failed",
            Self::StepRetrying { .. } => "step_retrying",
            Self::HookCreated { .. } => "hook_created",
            Self::HookReceived { .. } => "hook_received",
            Self::HookDisposed { .. } => "hook_disposed",
            Self::HookConflict { .. } => "hook_conflict",
            Self::HookExpired { .. } => "hook_expired",
            Self::WaitCreated { .. } => "wait_created",
            Self::WaitCompleted { .. } => "wait_completed",
            Self::WaitCancelled { .. } => "wait_cancelled",
            Self::AttrSet { .. } => "attr_set",
            Self::PatchMarked { .. } => "patch_marked",
        }
    }

    /// The id of what the event is about; none for events about the run itself.
    pub fn correlation_id(&self) -> Option<Correlation> {
        match self {
            Self::StepCreated { step, .. }
            | Self::StepStarted { step, .. }
            | Self::StepCompleted { step, .. }
            | Self::StepFailed { step, .. }
            | Self::StepRetrying { step, .. }
            | Self::AttrSet { call: step, .. } => Some(Correlation::Step(*step)),
            Self::HookCreated { hook, .. }
            | Self::HookReceived { hook, .. }
            | Self::HookDisposed { hook, .. }
            | Self::HookConflict { hook, .. }
            | Self::HookExpired { hook } => Some(Correlation::Hook(*hook)),
            Self::WaitCreated { wait, .. }
            | Self::WaitCompleted { wait }
            | Self::WaitCancelled { wait } => Some(Correlation::Wait(*wait)),
            Self::RunCreated { .. }
            | Self::RunStarted
            | Self::RunCompleted { .. }
            | Self::RunFailed { .. }
            | Self::RunCancelled { .. }
            | Self::RunCancelRequested { .. }
            | Self::RunContinued { .. }
            | Self::PatchMarked { .. } => None,
        }
    }
}

/// The id that joins a command to its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Correlation {
    /// A step's.
    Step(StepId),
    /// A hook's.
    Hook(HookId),
    /// A wait's.
    Wait(WaitId),
}

impl AsRef<str> for Correlation {
    fn as_ref(&self) -> &str {
        match self {
            Self::Step(id) => id.as_str(),
            Self::Hook(id) => id.as_str(),
            Self::Wait(id) => id.as_str(),
        }
    }
}
