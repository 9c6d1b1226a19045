//! Durable execution for Rust: ordinary async functions that survive crashes, sleep for weeks, and
//! wake when someone resumes a *hook* or calls a *webhook*.
//!
//! It is no server and no queue: a library with an embedded SQLite file, and one append-only log for
//! each run. A function marked `#[workflow]` is replayed from its log after a crash; what it does to
//! the world it does in functions marked `#[step]`, whose results are recorded.
//!
//! ```text
//!  start ─────────┐                      ┌──▶ step: runs at least once, its result is
//!  resume_hook ───┼──▶ log of the run ──▶ workflow    recorded once ──┐
//!  webhook call ──┘       ▲                                           │
//!                         └───────────────────────────────────────────┘
//! ```
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//!
//! use rewake::prelude::*;
//!
//! static LETTERS: AtomicU32 = AtomicU32::new(0);
//!
//! #[step]
//! async fn write_to(name: String) -> Result<String, std::convert::Infallible> {
//!     LETTERS.fetch_add(1, Ordering::SeqCst);
//!     Ok(format!("dear {name}"))
//! }
//!
//! #[workflow]
//! async fn invite(name: String) -> anyhow::Result<String> {
//!     let letter = write_to(name.clone()).await?;
//!     let mut replies = create_hook::<bool>().token(format!("invite:{name}")).await?;
//!     let verdict = if replies.recv().await? { "comes" } else { "does not come" };
//!     Ok(format!("{letter}: {verdict}"))
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> anyhow::Result<()> {
//! # let dir = tempfile::tempdir()?;
//! # let store = format!("sqlite:{}", dir.path().join("guests.db").display());
//! let rewake = Rewake::open(&store).await?;
//! let run = rewake.start(invite("Ada".into())).await?.id();
//! while rewake.get_hook_by_token("invite:Ada").await?.is_none() {
//!     tokio::task::yield_now().await;
//! }
//! rewake.shutdown(seconds(0)).await?;
//!
//! // The workflow waits, and no process has to. Later, in another one:
//! let rewake = Rewake::open(&store).await?;
//! assert!(rewake.resume_hook("invite:Bob", &true).await?.is_none()); // Nobody waits for Bob.
//! assert!(rewake.resume_hook("invite:Ada", &true).await?.is_some()); // From here on it is durable.
//! let result = rewake.get_run::<String>(run).result().await?;
//! assert_eq!(result, "dear Ada: comes");
//! assert_eq!(LETTERS.load(Ordering::SeqCst), 1); // What was done is not done again.
//! # rewake.shutdown(seconds(1)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Where to read on: [`workflow`] and [`#[step]`](macro@step) (what may stand in them), [`create_hook`],
//! [`create_webhook`], [`Rewake`] (starting, resuming, asking); at length
//! [`Rewake::resume_hook`] and [`Rewake::resume_webhook`].

#![forbid(unsafe_code)]

mod abort;
mod admission;
mod attributes;
mod blocking;
mod builder;
mod call;
mod cancellation;
mod child;
mod code;
mod definition;
mod entropy;
mod error;
mod events;
#[cfg(any(test, doctest))]
mod guide;
mod handle;
mod hook;
mod hook_definition;
mod host;
mod inline;
mod metadata;
mod name;
mod provided;
mod query;
mod random;
mod recv_all;
mod request;
mod run;
mod select;
mod source;
pub mod testing;
mod threads;
mod time;
mod timer;
mod unread;
mod verify;
mod webhook;

pub use abort::{AbortController, AbortSignal};
pub use admission::{Admission, PostPayload, Posted, ResumeOrStart};
pub use attributes::{SetAttributes, SetAttributesError, set_attributes};
pub use builder::{Build, Limit, OpenError, RewakeBuilder, WorkflowFunction};
pub use call::{StepCall, WorkflowCall};
pub use cancellation::{Shield, shield, undo};
pub use child::{Detach, StartChild, start_child};
pub use error::{
    Elapsed, FatalError, HookConflict, HookError, RetryAfter, RetryableError, RunError, StepError,
    StepErrorKind,
};
pub use events::{Events, RunEvent, RunStep, Steps};
pub use handle::{ResumeHook, Rewake, StartRun};
pub use hook::{CreateHook, Hook, HookReceiver, ListedHook, create_hook};
pub use hook_definition::{HookDefinition, define_hook};
pub use inline::step;
pub use metadata::{StepMetadata, WorkflowMetadata, step_metadata, workflow_metadata};
pub use provided::{MissingProvided, provided};
pub use query::{Hooks, Mail, Mailbox, Page, Runs};
pub use random::{Random, random, uuid};
pub use recv_all::{Receiver, Receivers, RecvAll, recv_all};
pub use run::{Run, RunStatus, WakeUp};
pub use source::StoreSource;
pub use time::{Sleep, Timeout, days, hours, minutes, now, seconds, sleep, sleep_until, timeout};
pub use unread::Unread;
pub use verify::Verify;
pub use webhook::{
    BodyError, CreateWebhook, Respond, WebhookReceiver, WebhookRequest, create_webhook,
};

pub use rewake_core::attribute::InvalidAttribute;
pub use rewake_core::entity::StepStatus;
pub use rewake_core::id::{HookId, InvalidId, RunId, StepId, WaitId};
pub use rewake_core::key::InvalidKey;
pub use rewake_core::payload::{DecodeError, DecodeErrorKind};
pub use rewake_core::token::{InvalidToken, Token};
pub use rewake_macros::{step, workflow};
pub use rewake_runtime::step::Aborted;
pub use rewake_runtime::webhook::{BadSignature, Unverifiable};
pub use rewake_runtime::{
    AdmitError, AnswerError, AwaitedHook, CancelError, CancelRequested, InvalidName, PostError,
    QueryError, Reason, ResumeError, RunView, StartError, WakeUpError, WebhookError, Why,
    WhyParked,
};
pub use rewake_store::{Durability, StoreError};

/// What a program that uses Rewake names most.
pub mod prelude {
    pub use crate::{
        AbortController, AbortSignal, FatalError, Hook, HookConflict, HookError, HookReceiver,
        RetryableError, Rewake, Run, RunError, StepError, Verify, WebhookReceiver, WebhookRequest,
        create_hook, create_webhook, days, define_hook, hours, minutes, now, provided, random,
        recv_all, seconds, select, set_attributes, shield, sleep, sleep_until, start_child, step,
        step_metadata, timeout, undo, uuid, workflow, workflow_metadata,
    };
    pub use serde::{Deserialize, Serialize};
}

/// What the attributes' expansions name. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::definition::{
        Outcome, RegisteredStep, RegisteredWorkflow, StartedBody as WorkflowBody, StepDefinition,
        WorkflowDefinition, missing_provided, run_blocking_step, run_step, run_workflow,
    };
    pub use crate::provided::{Provided, ProvidedType};
    pub use inventory;
    pub use rewake_core::payload::Payload;
    pub use rewake_runtime::StepBody;
    pub use tokio;

    use serde::Serialize;

    use crate::call::{StepCall, WorkflowCall};

    /// A call of a workflow, with its arguments encoded.
    pub fn workflow_call<A: Serialize, T>(
        definition: &'static WorkflowDefinition,
        args: &A,
    ) -> WorkflowCall<T> {
        WorkflowCall::new(definition, args)
    }

    /// A call of a step, with its arguments encoded.
    pub fn step_call<A: Serialize, T>(
        definition: &'static StepDefinition,
        args: &A,
    ) -> StepCall<T> {
        StepCall::new(definition, args)
    }
}

/// The program in the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
