//! The engine of Rewake: drives runs, executes steps, keeps time, recovers.
//!
//! Speaks workflow names and payload bytes; types are the facade's. Clock, spawner and entropy are
//! arguments, so that simulation can run all of it on one thread in virtual time; nothing here names
//! an async runtime. The executor is the only place that polls a workflow.
//!
//! ```text
//!  outsiders (start, resume, cancel) ──▶ store ──frame──▶ mailbox ─┐
//!  timers ─────────────────────────────────────────────────────────┤
//!  steps ◀── dispatch ── driver of one run ◀───────────────────────┘
//!                          │  feed, poll, append
//!                          ▼
//!                        store
//! ```
//!
//! Where to read on: [`Engine`] (what others call), `driver` (the loop round one machine),
//! `executor` (the polling discipline), [`workflow`] (what workflow code holds).

#![forbid(unsafe_code)]

mod dispatch;
mod driver;
mod engine;
mod error;
mod executor;
mod host;
mod mint;
mod panic;
mod registry;
pub mod step;
pub mod webhook;
pub mod workflow;

pub use engine::{
    Admission, AwaitedHook, Builder, Caller, CancelError, CancelRequested, Delivery, Engine, Hook,
    HookFilter, HookPage, InvalidName, Limits, ListedHook, Listening, LogPlace, Mail, Parting,
    Posted, Reason, Resume, ResumeOrStart, RunOutcome, RunView, RunViews, Start, Started,
    UnreadPayload, WakeUpError, Webhook, WebhookDelivery, Why, WhyParked,
};
pub use error::{
    AdmitError, AnswerError, OpenError, PostError, QueryError, ResumeError, StartError,
    WebhookError,
};
pub use host::{Clock, Entropy, Host, Spawner};
pub use registry::{
    BeginWorkflow, Registry, RegistryError, Step, StepBody, StepFailure, StepInput, Workflow,
    WorkflowBody,
};

pub use rewake_core as core;
pub use rewake_store as store;
