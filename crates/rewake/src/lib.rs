//! Durable execution for Rust: ordinary async functions that survive crashes, sleep for weeks, and
//! wake when someone resumes a *hook* or calls a *webhook*.
//!
//! It is no server and no queue: a library with an embedded SQLite file, and one append-only log for
//! each run. A function marked `#[workflow]` is replayed from its log after a crash; what it does to
//! the world it does in functions marked `#[step]`, whose results are recorded.
//!
//! ```
//! use rewake::prelude::*;
//!
//! #[step]
//! async fn greet(name: String) -> Result<String, std::convert::Infallible> {
//!     Ok(format!("hello, {name}"))
//! }
//!
//! #[workflow]
//! async fn welcome(name: String) -> anyhow::Result<String> {
//!     let mut approvals = create_hook::<bool>().token(format!("welcome:{name}")).await?;
//!     if approvals.recv().await? { Ok(greet(name).await?) } else { Ok("turned away".into()) }
//! }
//!
//! # fn main() -> anyhow::Result<()> {
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let rewake = Rewake::open("sqlite::memory:").await?;
//! let run = rewake.start(welcome("Ada".into())).await?;
//! // Nobody listens under another token; under this one the payload is durable when it returns.
//! assert!(rewake.resume_hook("welcome:Bob", &true).await?.is_none());
//! while rewake.resume_hook("welcome:Ada", &true).await?.is_none() {
//!     tokio::task::yield_now().await;
//! }
//! assert_eq!(run.result().await?, "hello, Ada");
//! # rewake.shutdown(std::time::Duration::from_secs(1)).await?;
//! # anyhow::Ok(())
//! # })
//! # }
//! ```
//!
//! Where to read on: [`workflow`] and [`step`] (what may stand in them), [`create_hook`],
//! [`create_webhook`], [`Rewake`] (starting, resuming, asking).

#![forbid(unsafe_code)]

mod builder;
mod call;
mod definition;
mod error;
mod handle;
mod hook;
mod host;
mod metadata;
mod provided;
mod query;
mod random;
mod request;
mod run;
mod select;
mod time;
mod timer;
mod webhook;

pub use builder::{Build, Limit, OpenError, RewakeBuilder, StoreSource, WorkflowFunction};
pub use call::{StepCall, WorkflowCall};
pub use error::{
    Elapsed, FatalError, HookConflict, HookError, RetryAfter, RetryableError, RunError, StepError,
    StepErrorKind,
};
pub use handle::{ResumeHook, Rewake, StartRun};
pub use hook::{CreateHook, Hook, HookReceiver, create_hook};
pub use metadata::{StepMetadata, WorkflowMetadata, step_metadata, workflow_metadata};
pub use provided::{MissingProvided, provided};
pub use query::{Page, Runs};
pub use random::{Random, random, uuid};
pub use run::{Run, RunStatus};
pub use time::{Sleep, Timeout, days, hours, minutes, now, seconds, sleep, sleep_until, timeout};

pub use webhook::{
    BodyError, CreateWebhook, Respond, WebhookReceiver, WebhookRequest, create_webhook,
};

pub use rewake_core::id::{HookId, InvalidId, RunId, StepId};
pub use rewake_core::token::{InvalidToken, Token};
pub use rewake_macros::{step, workflow};
pub use rewake_runtime::{
    AnswerError, CancelError, QueryError, ResumeError, RunView, StartError, WebhookError,
};
pub use rewake_sqlite::Durability;

/// What a program that uses Rewake names most.
pub mod prelude {
    pub use crate::{
        FatalError, Hook, HookConflict, HookError, HookReceiver, RetryableError, Rewake, Run,
        RunError, StepError, WebhookReceiver, WebhookRequest, create_hook, create_webhook, days,
        hours, minutes, now, provided, random, seconds, select, sleep, sleep_until, step,
        step_metadata, timeout, uuid, workflow, workflow_metadata,
    };
    pub use serde::{Deserialize, Serialize};
}

/// What the attributes' expansions name. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::definition::{
        Outcome, RegisteredStep, RegisteredWorkflow, StartedBody as WorkflowBody, StepDefinition,
        WorkflowDefinition, missing_provided, run_step, run_workflow,
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
