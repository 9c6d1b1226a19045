//! What the engine's calls can fail with, one enum for each.

use rewake_core::attribute::InvalidAttribute;
use rewake_core::id::{InvalidId, RunId};
use rewake_core::key::InvalidKey;
use rewake_core::token::InvalidToken;
use rewake_core::transition::IllegalTransition;
use rewake_store::StoreError;

use crate::engine::InvalidName;
use crate::registry::RegistryError;
use crate::webhook::{BadSignature, InvalidSettings, Unverifiable};

mod admission;
mod code;

pub use admission::{AdmitError, PostError};

/// An engine that could not be opened. Nothing runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Names do not tell the program's workflows and steps apart.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A secret was given without a value: everybody could sign with it.
    #[error("the secret `{name}` is empty; give it its value, or leave it out")]
    EmptySecret {
        /// Its name.
        name: String,
    },
    /// No attempt of a step may ever be under way: no run would come to its end.
    #[error("no step could ever run; let at least one be under way, with `.max_steps(1)`")]
    NoSteps,
    /// The project, the environment, the owner or the build cannot be called so.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    /// The public URL is none that webhooks could be below.
    #[error(
        "the public URL is not one; write scheme and host, and a path if there is one, such as `https://app.example/hooks`"
    )]
    InvalidPublicUrl,
    /// A limit is zero, so that nothing could ever be done.
    #[error("with a limit of zero for {what} nothing could be done; set a higher one, or none")]
    NothingAllowed {
        /// What the limit is of.
        what: &'static str,
    },
    /// The store could not be read or written.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
}

/// A run that was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No workflow of this name is part of this build.
    #[error(
        "no workflow `{name}` is part of this build; check the name, or hand the workflow to the builder with `.workflow(…)`"
    )]
    UnknownWorkflow {
        /// The name.
        name: String,
    },
    /// The arguments could not be encoded.
    #[error("the arguments cannot be encoded: {reason}")]
    NotEncodable {
        /// Why.
        reason: String,
    },
    /// The arguments are too large.
    #[error(
        "the arguments have {len} bytes, more than the {limit} allowed; store them elsewhere and pass where they are"
    )]
    TooLarge {
        /// Their length, as encoded.
        len: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// An attribute cannot be.
    #[error(transparent)]
    InvalidAttribute(#[from] InvalidAttribute),
    /// The text cannot be an idempotency key. Nothing happened; mend the key.
    #[error(transparent)]
    InvalidKey(#[from] InvalidKey),
    /// A run with the id exists.
    #[error("run `{run}` exists already")]
    RunExists {
        /// The run.
        run: RunId,
    },
    /// The idempotency key was used with another workflow or other arguments.
    #[error(
        "the idempotency key was used for run `{run}` with another workflow or other arguments; use another key"
    )]
    KeyReused {
        /// The run that was started under it.
        run: RunId,
    },
    /// The handle was shut down.
    #[error("the engine is shutting down; nothing was started")]
    ShuttingDown,
    /// The store refused.
    #[error("the start was refused: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The store could not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A payload that was not delivered, or of which it is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The payload is null, which a workflow could not tell from nothing.
    #[error("the payload is null; send a value, for example an empty object")]
    NullPayload,
    /// The hook's definition refuses the payload. Send one that it takes.
    #[error("hook `{hook}` refuses the payload: {reason}")]
    Invalid {
        /// The name of the definition.
        hook: &'static str,
        /// What it says.
        reason: String,
    },
    /// The payload could not be encoded.
    #[error("the payload cannot be encoded: {reason}")]
    NotEncodable {
        /// Why.
        reason: String,
    },
    /// The payload is too large.
    #[error(
        "the payload has {len} bytes, more than the {limit} allowed; store it elsewhere and send where it is"
    )]
    TooLarge {
        /// Its length, as encoded.
        len: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The text cannot be a token.
    #[error(transparent)]
    InvalidToken(#[from] InvalidToken),
    /// The text cannot be an idempotency key. Nothing happened; mend the key.
    #[error(transparent)]
    InvalidKey(#[from] InvalidKey),
    /// The token is a webhook's: call its URL, or use `resume_webhook`.
    #[error("the token is a webhook's; call its URL or use `resume_webhook`")]
    NotAHook,
    /// The idempotency key was used with another payload.
    #[error("the idempotency key was used before with another payload; use another key")]
    KeyReused,
    /// The hook holds as much unread as it may. Try later.
    #[error(
        "the hook holds {count} unread payloads of {bytes} bytes and may hold no more; try again when its workflow has read"
    )]
    Full {
        /// Payloads unread.
        count: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// The store refused.
    #[error("the payload was refused: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The store could not serve; its `may_have_happened` says whether something may have happened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A request to a webhook that has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// No live webhook has the token.
    #[error("no live webhook has the token")]
    NotFound,
    /// The webhook does not take this method.
    #[error("the webhook does not take this method; it takes {allow}")]
    MethodNotAllowed {
        /// Those it takes, as the `Allow` header has them.
        allow: String,
    },
    /// The request is too large. Nothing was recorded.
    #[error("the request has more than the {limit} bytes that are allowed, as encoded")]
    TooLarge {
        /// The most that is allowed.
        limit: usize,
    },
    /// The body could not be read.
    #[error("the request's body could not be read: {reason}")]
    Body {
        /// Why.
        reason: String,
    },
    /// The body took too long to arrive.
    #[error("the request's body took too long to arrive")]
    BodyTooSlow,
    /// The request is not signed as the webhook wants it. Nothing was recorded.
    #[error("the request is not signed as the webhook wants it: {0}")]
    NotSigned(BadSignature),
    /// This process cannot tell whether the request is signed. Nothing was recorded.
    #[error("this process cannot verify the requests of the webhook: {0}")]
    CannotVerify(Unverifiable),
    /// The webhook holds as much unread as it may. Try later.
    #[error("the webhook holds as many unread requests as it may; try again later")]
    Full,
    /// Too many callers wait for answers. Try later.
    #[error("too many callers wait for answers; try again later")]
    TooManyCallers,
    /// The run ended without answering.
    #[error("the run ended without answering")]
    RunEnded,
    /// The time to answer ran out. The run goes on.
    #[error("the workflow did not answer in time; its run goes on")]
    NoAnswer,
    /// How the webhook answers cannot be read from its hook. Nothing was recorded.
    #[error(transparent)]
    InvalidSettings(#[from] InvalidSettings),
    /// What the workflow answered cannot be read.
    #[error("the workflow's answer cannot be read: {reason}")]
    UnreadableAnswer {
        /// Why.
        reason: String,
    },
    /// The workflow has got the request, and the store cannot say what it answers.
    #[error("the request was taken, and its answer cannot be waited for")]
    AnswerLost(#[source] StoreError),
    /// The store refused.
    #[error("the request was refused: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The store could not serve; its `may_have_happened` says whether something may have happened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An answer to a webhook's request that does not stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Somebody else has answered: the first answer stands.
    #[error("the request has been answered already")]
    AlreadyAnswered,
    /// The run has ended, and nobody waits any more.
    #[error("the run has ended; nobody waits for an answer")]
    RunEnded,
    /// Not in manual mode: the request was answered when it came.
    #[error("the webhook answers by itself; use `.manual()` to answer from the workflow")]
    NotManual,
    /// Neither in a step nor in a workflow.
    #[error("a request is answered from a workflow or from one of its steps")]
    NotInRun,
    /// The answer could not be encoded.
    #[error("the answer cannot be encoded: {reason}")]
    NotEncodable {
        /// Why.
        reason: String,
    },
    /// The store could not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A question that has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The text cannot be a token.
    #[error(transparent)]
    InvalidToken(#[from] InvalidToken),
    /// The text is not a cursor that a page gave.
    #[error(transparent)]
    InvalidCursor(#[from] InvalidId),
    /// The text is not a cursor that a page of the mailbox gave.
    #[error("the cursor is none that a page of the mailbox gave")]
    InvalidPlace,
    /// The log of the run is not one that Rewake writes.
    #[error("the log of run `{run}` is not legal")]
    IllegalLog {
        /// The run.
        run: RunId,
        /// Where it is not.
        #[source]
        source: IllegalTransition,
    },
    /// The handle was shut down.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// The store could not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
}
