//! What can be asked of a token whether anybody holds it or not: to start a run that takes the
//! payload, or to keep it.

use std::time::Duration;

use rewake_core::event::{Fallback, Frame, Position};
use rewake_core::id::{EventId, HookId, RunId};
use rewake_core::payload::Payload;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;

use crate::request::{Deliver, DeliverRefusal, Delivered, DeliveryKey, Door, UnreadLimit};
use crate::row::{NodeId, ScopeId, TokenRow};

/// Hands a payload to the live hook of a token, or starts a run that owns the token.
#[derive(Clone, Debug)]
pub struct Admit {
    /// The project and environment.
    pub scope: ScopeId,
    /// The token.
    pub token: Token,
    /// The id of the event, where a live hook takes the payload; minted by the caller.
    pub id: EventId,
    /// The payload.
    pub payload: Payload,
    /// Under which key, if any, a second request finds the first.
    pub key: Option<DeliveryKey>,
    /// The run to start: now where nobody holds the token, later if the payload is left unread.
    pub fallback: Fallback,
    /// True where the workflow begins with the log: its worker is at hand.
    pub begins: bool,
    /// The node that will drive the run, where the caller is one.
    pub node: Option<NodeId>,
    /// How much the hook may hold unread.
    pub limit: UnreadLimit,
    /// True where a try before this one had an unknown outcome.
    pub repeat: bool,
}

/// A payload that was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The hook that took it.
    pub hook: TokenRow,
    /// True where the hook's run was started for it.
    pub started: bool,
    /// Where the payload stands in the log.
    pub position: Position,
    /// The event.
    pub event: EventId,
    /// The frame, where this request wrote it.
    pub frame: Option<Frame>,
}

/// Why a payload was not admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmitRefusal {
    /// The token is a webhook's.
    #[error("the token belongs to a hook that is not reached this way")]
    WrongDoor,
    /// The time of the hook that holds the token has run out. Expire it, then repeat.
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
    #[error("the hook holds {count} payloads of {bytes} bytes that its workflow has not read")]
    Full {
        /// Payloads unread.
        count: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// A run with the id exists, and another request made it.
    #[error("run `{run}` exists already")]
    RunExists {
        /// The run.
        run: RunId,
    },
}

impl Admit {
    /// The part of the request that concerns a live hook.
    pub(crate) fn delivery(&self) -> Deliver {
        Deliver {
            scope: self.scope,
            token: self.token.clone(),
            id: self.id,
            payload: self.payload.clone(),
            key: self.key.clone(),
            fallback: Some(Box::new(self.fallback.clone())),
            door: Door::Hook,
            limit: self.limit,
            repeat: self.repeat,
        }
    }
}

/// Hands a payload to the live hook of a token, or keeps it for whoever opens the token in time.
#[derive(Clone, Debug)]
pub struct Post {
    /// The project and environment.
    pub scope: ScopeId,
    /// The token.
    pub token: Token,
    /// The id of the event, minted by the caller.
    pub id: EventId,
    /// The payload.
    pub payload: Payload,
    /// Under which key, if any, a second request finds the first.
    pub key: Option<DeliveryKey>,
    /// How long it is kept, from now.
    pub keep_for: Duration,
    /// How much a hook may hold unread, and so how much may be kept for one.
    pub limit: UnreadLimit,
    /// How many payloads the mailbox may keep.
    pub most: u64,
    /// True where a try before this one had an unknown outcome.
    pub repeat: bool,
}

/// A payload that was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// A live hook took it.
    Delivered(Box<Delivered>),
    /// The mailbox keeps it.
    Kept {
        /// Until when.
        until: Timestamp,
    },
}

/// Why a payload was not posted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostRefusal {
    /// The token is a webhook's.
    #[error("the token belongs to a hook that is not reached this way")]
    WrongDoor,
    /// The time of the hook that holds the token has run out. Expire it, then repeat.
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
    /// The hook holds as much unread, or the mailbox keeps as much for the token, as it may.
    #[error("{count} payloads of {bytes} bytes wait under the token, and no more may")]
    Full {
        /// Payloads that wait.
        count: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// The mailbox keeps as many payloads as it may. Try later.
    #[error("the mailbox keeps {count} payloads and may keep no more")]
    MailboxFull {
        /// Payloads kept.
        count: u64,
    },
}

impl Post {
    /// The part of the request that concerns a live hook.
    pub(crate) fn delivery(&self) -> Deliver {
        Deliver {
            scope: self.scope,
            token: self.token.clone(),
            id: self.id,
            payload: self.payload.clone(),
            key: self.key.clone(),
            fallback: None,
            door: Door::Hook,
            limit: self.limit,
            repeat: self.repeat,
        }
    }
}

/// A refusal of a delivery that ends the larger request too; none where nobody holds the token.
pub(crate) const fn admit_refusal(refusal: &DeliverRefusal) -> Option<AdmitRefusal> {
    match refusal {
        DeliverRefusal::NoHook => None,
        DeliverRefusal::WrongDoor => Some(AdmitRefusal::WrongDoor),
        DeliverRefusal::HookOverdue { run, hook } => Some(AdmitRefusal::HookOverdue {
            run: *run,
            hook: *hook,
        }),
        DeliverRefusal::KeyReused => Some(AdmitRefusal::KeyReused),
        DeliverRefusal::Full { count, bytes } => Some(AdmitRefusal::Full {
            count: *count,
            bytes: *bytes,
        }),
    }
}

/// Likewise for a post.
pub(crate) const fn post_refusal(refusal: &DeliverRefusal) -> Option<PostRefusal> {
    match refusal {
        DeliverRefusal::NoHook => None,
        DeliverRefusal::WrongDoor => Some(PostRefusal::WrongDoor),
        DeliverRefusal::HookOverdue { run, hook } => Some(PostRefusal::HookOverdue {
            run: *run,
            hook: *hook,
        }),
        DeliverRefusal::KeyReused => Some(PostRefusal::KeyReused),
        DeliverRefusal::Full { count, bytes } => Some(PostRefusal::Full {
            count: *count,
            bytes: *bytes,
        }),
    }
}
