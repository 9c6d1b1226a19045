//! What the attempts of a called step run, where that is not simply the function of the step's name.

use std::fmt;
use std::sync::Arc;

use crate::registry::StepBody;

/// Makes the body of one attempt of an inline step.
pub type BeginInline = dyn Fn() -> StepBody + Send + Sync;

/// What the attempts of a called step run.
///
/// It is no part of the log. A replay meets the call again, and the call brings it again: so an
/// attempt can be made wherever the workflow can be replayed.
#[derive(Clone)]
pub enum Work {
    /// A function that the registry knows, whatever the call is named.
    Registered(&'static str),
    /// A closure of the workflow's.
    Inline(Arc<BeginInline>),
}

impl Work {
    /// Roughly what it holds in memory beside itself, in bytes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Registered(_) => 0,
            Self::Inline(begin) => size_of_val(&**begin),
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered(function) => f.debug_tuple("Registered").field(function).finish(),
            Self::Inline(_) => f.debug_tuple("Inline").finish_non_exhaustive(),
        }
    }
}
