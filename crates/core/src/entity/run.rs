//! The run as its log shows it.

use std::collections::BTreeMap;
use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::event::{Failure, Parent};
use crate::id::RunId;
use crate::payload::Payload;
use crate::time::Timestamp;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// It exists and has not begun.
    #[n(0)]
    Pending,
    /// It has begun and not ended; also while it waits, and while it is parked.
    #[n(1)]
    Running,
    /// Its workflow returned a value.
    #[n(2)]
    Completed,
    /// Its workflow returned an error.
    #[n(3)]
    Failed,
    /// It was cancelled or terminated.
    #[n(4)]
    Cancelled,
}

impl RunStatus {
    /// True once nothing will ever be added to what the run did.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Completed | Self::Failed | Self::Cancelled => true,
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

/// A run, folded from its own events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Which workflow it executes.
    pub workflow: String,
    /// The build that started it.
    pub build: String,
    /// How far it has come.
    pub status: RunStatus,
    /// Its arguments, as an array.
    pub input: Payload,
    /// What it returned, once completed.
    pub output: Option<Payload>,
    /// Why it failed, once failed.
    pub error: Option<Box<Failure>>,
    /// The run and step that started it, for a child.
    pub parent: Option<Box<Parent>>,
    /// Searchable key-values.
    pub attributes: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its workflow began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The time before which it must not begin.
    pub not_before: Option<Timestamp>,
    /// True once somebody asked for it to be cancelled.
    pub cancel_requested: bool,
    /// Why, in the words of whoever asked.
    pub cancel_reason: Option<String>,
}
