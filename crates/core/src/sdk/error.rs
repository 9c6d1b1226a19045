//! Why an event of the Workflow SDK cannot be read.

use crate::id::{InvalidId, RunId};
use crate::token::InvalidToken;
use crate::transition::IllegalTransition;

/// An event of the Workflow SDK has no place in a log of ours. Nothing was folded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is not JSON of an event's shape.
    #[error("the text is no event of the Workflow SDK")]
    Shape(#[source] serde_json::Error),
    /// The kind of event is not one of those that can be read.
    #[error("`{event}` is no event that is read; it may be of another version of the Workflow SDK")]
    UnknownEvent {
        /// What the event calls itself.
        event: String,
    },
    /// The event lacks a field. A log that was listed without its data (`resolveData: "none"`) lacks
    /// all payloads: list it with them.
    #[error("`{event}` lacks `{field}`")]
    MissingField {
        /// The event.
        event: String,
        /// The field.
        field: &'static str,
    },
    /// An id is not of the form that its field wants.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// The token is one that no hook here can have; the Workflow SDK checks none.
    #[error("the hook's token cannot be one here")]
    Token(#[source] InvalidToken),
    /// The event belongs to the log of another run.
    #[error("the event is run `{found}`'s, in the log of run `{expected}`")]
    OtherRun {
        /// The run whose log is read.
        expected: RunId,
        /// The run that the event names.
        found: RunId,
    },
    /// The event must not follow those before it, in that package's logs no more than in ours.
    #[error("the event does not follow from those before it")]
    Illegal(#[source] IllegalTransition),
}

impl ReadError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Shape(_) => "SDK_EVENT_SHAPE",
            Self::UnknownEvent { .. } => "SDK_EVENT_UNKNOWN",
            Self::MissingField { .. } => "SDK_EVENT_FIELD_MISSING",
            Self::Id(_) => "SDK_EVENT_ID",
            Self::Token(_) => "SDK_EVENT_TOKEN",
            Self::OtherRun { .. } => "SDK_EVENT_OTHER_RUN",
            Self::Illegal(illegal) => illegal.code(),
        }
    }
}
