//! The two kinds of function that the attributes make, and what messages call them.

/// What a function becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Workflow,
    Step,
}

impl Kind {
    /// The name of the attribute, and of the thing.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Step => "step",
        }
    }
}
