//! The closed set of events.
//!
//! The numbers (`#[n(…)]`) are the stored form: never reused, never renumbered. Adding a variant or
//! an optional field is a new minor version of the format; anything else is a new major one.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::field::{
    Child, CreatedBy, Disposal, Failure, FailureKind, Fallback, Parent, StepOptions,
};
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
        /// The run whose end is the step's, for a child run: its name is the workflow's, and it
        /// has no attempts.
        #[n(4)]
        child: Option<Child>,
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
        /// The run to start with this payload if it is left unread.
        #[n(3)]
        fallback: Option<Box<Fallback>>,
        /// Until when the payload is kept for whoever opens the token if it is left unread.
        #[n(4)]
        kept_until: Option<Timestamp>,
    },
    /// A hook was closed or dropped by the workflow; its token is free. A drop may follow a close or an
    /// expiry: the receiver was dropped later.
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
