//! A step as its run's log shows it.

use serde::{Deserialize, Serialize};

use crate::event::{Child, Failure, FailureKind, StepOptions};
use crate::id::StepId;
use crate::payload::Payload;
use crate::time::Timestamp;

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    /// No attempt is under way: none has begun, or the last one failed and another follows.
    Pending,
    /// An attempt has begun.
    Running,
    /// It returned a value.
    Completed,
    /// It failed for good.
    Failed,
}

/// A step, folded from its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its id.
    pub id: StepId,
    /// The name of its function.
    pub name: String,
    /// Its arguments.
    pub input: Payload,
    /// How it is tried.
    pub options: StepOptions,
    /// The run that it stands for, for a child run.
    pub child: Option<Child>,
    /// How far it has come.
    pub status: StepStatus,
    /// How many attempts have begun.
    pub attempt: u32,
    /// What it returned, once completed.
    pub result: Option<Payload>,
    /// The latest attempt's error.
    pub error: Option<Failure>,
    /// Why it has no further attempt, once failed.
    pub failure: Option<FailureKind>,
    /// When the next attempt may begin, between two of them.
    pub retry_at: Option<Timestamp>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Step {
    /// How many attempts it may have in all.
    pub const fn max_attempts(&self) -> u32 {
        self.options.max_retries.saturating_add(1)
    }
}
