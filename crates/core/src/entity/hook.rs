//! A hook as its run's log shows it.

use serde::{Deserialize, Serialize};

use crate::event::Disposal;
use crate::id::{HookId, RunId};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::token::Token;

/// Whether a hook takes payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum HookState {
    /// It takes payloads under its token.
    Live,
    /// The workflow closed or dropped it.
    Disposed {
        /// How.
        by: HowDisposed,
    },
    /// Its time ran out.
    Expired,
    /// Another live hook held its token, so it was never made.
    Conflicted {
        /// The run of that hook.
        owner: RunId,
    },
}

/// [`Disposal`], in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HowDisposed {
    /// `close()`.
    Closed,
    /// The receiver was dropped.
    Dropped,
}

impl From<Disposal> for HowDisposed {
    fn from(by: Disposal) -> Self {
        match by {
            Disposal::Closed => Self::Closed,
            Disposal::Dropped => Self::Dropped,
        }
    }
}

/// A hook, folded from its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its id.
    pub id: HookId,
    /// Its address.
    pub token: Token,
    /// True where the workflow's code chose the token.
    pub chosen: bool,
    /// What the workflow wanted to be known about it.
    pub metadata: Option<Payload>,
    /// True where the public webhook route may reach it.
    pub is_webhook: bool,
    /// The time after which it takes nothing.
    pub expires_at: Option<Timestamp>,
    /// Whether it takes payloads.
    pub state: HookState,
    /// How many payloads it has taken in.
    pub received: u64,
    /// How many of them the workflow has read, as its worker last recorded.
    pub taken: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ceased to take payloads.
    pub ended_at: Option<Timestamp>,
    /// When the workflow dropped its receiver: what it held then is unread. Also where it had been
    /// closed or had expired before.
    pub dropped_at: Option<Timestamp>,
}

impl Hook {
    /// True while it takes payloads.
    pub const fn is_live(&self) -> bool {
        matches!(self.state, HookState::Live)
    }
}
