//! Why a payload was neither delivered nor started a run, nor was kept.

use std::time::Duration;

use rewake_core::key::InvalidKey;
use rewake_core::token::InvalidToken;
use rewake_store::{AdmitRefusal, PostRefusal, StoreError};

use super::ResumeError;
use crate::engine::Undeliverable;

/// A payload that was not admitted, or of which it is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmitError {
    /// The payload is null, which a workflow could not tell from nothing.
    #[error("the payload is null; send a value, for example an empty object")]
    NullPayload,
    /// The payload or the arguments could not be encoded.
    #[error("the payload or the arguments cannot be encoded: {reason}")]
    NotEncodable {
        /// Why.
        reason: String,
    },
    /// The payload or the arguments are too large.
    #[error(
        "{len} bytes are more than the {limit} allowed; store it elsewhere and send where it is"
    )]
    TooLarge {
        /// Their length, as encoded.
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
    /// No workflow of this name is part of this build.
    #[error(
        "no workflow `{name}` is part of this build; hand it to the builder with `.workflow(…)`"
    )]
    UnknownWorkflow {
        /// The name.
        name: String,
    },
    /// The token is a webhook's: call its URL, or use `resume_webhook`.
    #[error("the token is a webhook's; call its URL or use `resume_webhook`")]
    NotAHook,
    /// The idempotency key was used with another payload, or for a post that is kept.
    #[error("the idempotency key was used before with another payload or call; use another key")]
    KeyReused,
    /// The hook holds as much unread as it may. Try later.
    #[error("the hook holds {count} unread payloads of {bytes} bytes; try again when it has read")]
    Full {
        /// Payloads unread.
        count: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// The handle was shut down.
    #[error("the engine is shutting down; nothing was started")]
    ShuttingDown,
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

impl From<AdmitRefusal> for AdmitError {
    fn from(refusal: AdmitRefusal) -> Self {
        match refusal {
            AdmitRefusal::WrongDoor => Self::NotAHook,
            AdmitRefusal::KeyReused => Self::KeyReused,
            AdmitRefusal::Full { count, bytes } => Self::Full { count, bytes },
            refusal => Self::Refused {
                reason: refusal.to_string(),
            },
        }
    }
}

impl From<Undeliverable> for AdmitError {
    fn from(why: Undeliverable) -> Self {
        match why {
            Undeliverable::Null => Self::NullPayload,
            Undeliverable::TooLarge { len, limit } => Self::TooLarge { len, limit },
            Undeliverable::Token(invalid) => invalid.into(),
            Undeliverable::Key(invalid) => invalid.into(),
        }
    }
}

/// A payload that was neither delivered nor kept, or of which it is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostError {
    /// The payload is null, which a workflow could not tell from nothing.
    #[error("the payload is null; send a value, for example an empty object")]
    NullPayload,
    /// The payload could not be encoded.
    #[error("the payload cannot be encoded: {reason}")]
    NotEncodable {
        /// Why.
        reason: String,
    },
    /// The payload is too large.
    #[error(
        "{len} bytes are more than the {limit} allowed; store it elsewhere and send where it is"
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
    /// The payload was to be kept for no time: whoever did not take it at once would never see it.
    #[error(
        "a payload is kept for some time; to hand it over now or not at all, use `resume_hook`"
    )]
    KeptForNoTime,
    /// The payload was to be kept for longer than is allowed.
    #[error("the mailbox keeps a payload for at most {} days", limit.as_secs() / 86_400)]
    KeptTooLong {
        /// The most that is allowed.
        limit: Duration,
    },
    /// The token is a webhook's: call its URL, or use `resume_webhook`.
    #[error("the token is a webhook's; call its URL or use `resume_webhook`")]
    NotAHook,
    /// The idempotency key was used with another payload.
    #[error("the idempotency key was used before with another payload; use another key")]
    KeyReused,
    /// As much waits under the token as may. Try later.
    #[error(
        "{count} payloads of {bytes} bytes wait under the token; try again when some were read"
    )]
    Full {
        /// Payloads that wait.
        count: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// The mailbox keeps as many payloads as it may. Try later.
    #[error("the mailbox keeps {count} payloads and may keep no more; try again later")]
    MailboxFull {
        /// Payloads kept.
        count: u64,
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

impl From<PostRefusal> for PostError {
    fn from(refusal: PostRefusal) -> Self {
        match refusal {
            PostRefusal::WrongDoor => Self::NotAHook,
            PostRefusal::KeyReused => Self::KeyReused,
            PostRefusal::Full { count, bytes } => Self::Full { count, bytes },
            PostRefusal::MailboxFull { count } => Self::MailboxFull { count },
            refusal => Self::Refused {
                reason: refusal.to_string(),
            },
        }
    }
}

impl From<Undeliverable> for PostError {
    fn from(why: Undeliverable) -> Self {
        match why {
            Undeliverable::Null => Self::NullPayload,
            Undeliverable::TooLarge { len, limit } => Self::TooLarge { len, limit },
            Undeliverable::Token(invalid) => invalid.into(),
            Undeliverable::Key(invalid) => invalid.into(),
        }
    }
}

impl From<Undeliverable> for ResumeError {
    fn from(why: Undeliverable) -> Self {
        match why {
            Undeliverable::Null => Self::NullPayload,
            Undeliverable::TooLarge { len, limit } => Self::TooLarge { len, limit },
            Undeliverable::Token(invalid) => invalid.into(),
            Undeliverable::Key(invalid) => invalid.into(),
        }
    }
}
