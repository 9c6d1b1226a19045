//! A wait (a durable sleep) as its run's log shows it.

use serde::{Deserialize, Serialize};

use crate::id::WaitId;
use crate::time::Timestamp;

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaitStatus {
    /// Its time has not come.
    Waiting,
    /// Its time came, or somebody woke the run before.
    Completed,
    /// The workflow gave it up.
    Cancelled,
}

/// A wait, folded from its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Its id.
    pub id: WaitId,
    /// When it ends.
    pub resume_at: Timestamp,
    /// How far it has come.
    pub status: WaitStatus,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}
