//! What events carry: the parts that more than one reader of a log looks at.
//!
//! The numbers (`#[n(…)]`) are the stored form, as those of [`EventKind`](super::EventKind) are.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::id::{EventId, HookId, RunId, StepId};
use crate::payload::Payload;

/// What made a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CreatedBy {
    /// Somebody started it.
    #[default]
    #[n(0)]
    Start,
    /// A payload came for a token that nobody held.
    #[n(1)]
    Admission,
}

/// The run and step a child run belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Parent {
    /// The parent run.
    #[n(0)]
    pub run: RunId,
    /// The step of the parent that the child's end completes.
    #[n(1)]
    pub step: StepId,
    /// True where the child outlives its parent's end.
    #[n(2)]
    pub detached: bool,
}

/// The run that is the body of a step: what makes the step a child run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Child {
    /// The child run, minted where the call was first made, and taken from the record ever after.
    #[n(0)]
    pub run: RunId,
    /// True where the step ends with the child's beginning, and the child outlives its parent.
    #[n(1)]
    pub detached: bool,
}

/// The run that an unread payload of `resume_or_start` starts: all that its log begins with, minted by
/// the caller before its first try, so that whoever ends the hook needs no entropy.
///
/// A payload starts one run at most: in the log of the run that it started it has no fallback.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Fallback {
    /// Which workflow.
    #[n(0)]
    pub workflow: String,
    /// With which arguments.
    #[n(1)]
    pub input: Payload,
    /// The build that asked for it.
    #[n(2)]
    pub build: String,
    /// The run.
    #[n(3)]
    pub run: RunId,
    /// 128 bits of the operating system's entropy, for the run's `random()` and `uuid()`.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub seed: [u8; 16],
    /// Numbered changes of replay behaviour that hold for its log.
    #[n(5)]
    pub flags: u32,
    /// The hook that its log begins with, which owns the token.
    #[n(6)]
    pub hook: HookId,
    /// The first event of its log.
    #[n(7)]
    pub event: EventId,
}

/// How a hook came to its end by the workflow's own doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Disposal {
    /// `close()`: what has arrived is still read.
    #[n(0)]
    Closed,
    /// The receiver was dropped.
    #[n(1)]
    Dropped,
}

/// How a step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StepOptions {
    /// Attempts after the first.
    #[n(0)]
    pub max_retries: u32,
    /// The longest an attempt may take, in milliseconds.
    #[n(1)]
    pub timeout_ms: Option<u64>,
    /// The pause before the second attempt, in milliseconds; later pauses grow from it.
    #[n(2)]
    pub backoff_ms: u64,
}

impl Default for StepOptions {
    /// Three retries, no timeout, a first pause of one second.
    fn default() -> Self {
        Self {
            max_retries: 3,
            timeout_ms: None,
            backoff_ms: 1_000,
        }
    }
}

/// An error as it is recorded: what survives of it for those who read the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Failure {
    /// What it says.
    #[n(0)]
    pub message: String,
    /// What its sources say, outermost first.
    #[n(1)]
    pub causes: Vec<String>,
}

impl Failure {
    /// The most bytes of one text that are recorded.
    pub const LONGEST: usize = 16 * 1024;
    /// The most causes that are recorded.
    pub const MOST_CAUSES: usize = 32;

    /// A failure that has no cause of its own.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
        }
    }

    /// The failure as it is recorded: an error may quote a whole response, and the log is for what
    /// people read.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        self.causes.truncate(Self::MOST_CAUSES);
        for text in self.causes.iter_mut().chain([&mut self.message]) {
            let len = text.len();
            if len > Self::LONGEST {
                let kept = &text[..text.floor_char_boundary(Self::LONGEST)];
                *text = format!("{kept}… ({len} bytes in all)");
            }
        }
        self
    }
}

/// Why a step has no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum FailureKind {
    /// The step said that trying again is of no use.
    #[n(0)]
    Fatal,
    /// Every allowed attempt failed.
    #[n(1)]
    RetriesExhausted,
    /// Every allowed attempt failed, the last by taking too long.
    #[n(2)]
    TimedOut,
    /// The result cannot be encoded, so trying again is of no use.
    #[n(3)]
    NotEncodable,
    /// The child run that the step stands for was cancelled.
    #[n(4)]
    Cancelled,
    /// The child run that the step stands for was terminated.
    #[n(5)]
    Terminated,
}
