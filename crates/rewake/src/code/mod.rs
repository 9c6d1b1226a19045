//! What programs tell the facade's own errors apart by, and whether the same thing may work later.
//! Those of the engine are in `rewake-runtime`; `docs/errors.md` lists all of them.

#[cfg(test)]
mod tests;

use crate::attributes::SetAttributesError;
use crate::builder::OpenError;
use crate::error::{Elapsed, HookConflict, HookError, RunError, StepError, StepErrorKind};
use crate::provided::MissingProvided;
use crate::webhook::BodyError;

impl OpenError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoStore => "NO_STORE",
            Self::UnknownStore { .. } => "UNKNOWN_STORE",
            Self::Sqlite(error) => error.code(),
            #[cfg(feature = "postgres")]
            Self::Postgres(error) => error.code(),
            Self::NotProvided { .. } => "NOT_PROVIDED",
            Self::Engine(error) => error.code(),
            Self::NoTokio => "NO_TOKIO",
        }
    }

    /// True where opening may succeed later with nothing else changed.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.is_retryable(),
            #[cfg(feature = "postgres")]
            Self::Postgres(error) => error.is_retryable(),
            Self::Engine(error) => error.is_retryable(),
            Self::NoStore
            | Self::UnknownStore { .. }
            | Self::NotProvided { .. }
            | Self::NoTokio => false,
        }
    }
}

impl StepErrorKind {
    /// A stable name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fatal => "STEP_FATAL",
            Self::RetriesExhausted => "STEP_RETRIES_EXHAUSTED",
            Self::TimedOut => "STEP_TIMED_OUT",
            Self::NotEncodable => "STEP_NOT_ENCODABLE",
        }
    }
}

impl StepError {
    /// A stable name for programs: that of its [`kind`](Self::kind).
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// True where another call of the step may succeed. The attempts of this one are used up.
    pub const fn is_retryable(&self) -> bool {
        match self.kind {
            StepErrorKind::RetriesExhausted | StepErrorKind::TimedOut => true,
            StepErrorKind::Fatal | StepErrorKind::NotEncodable => false,
        }
    }
}

impl RunError {
    /// A stable name for programs. Why a run is parked has a name of its own, the `code` of
    /// [`Parked`](Self::Parked).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "RUN_FAILED",
            Self::Cancelled { .. } => "RUN_CANCELLED",
            Self::Parked { .. } => "RUN_PARKED",
            Self::Unknown { .. } => "RUN_UNKNOWN",
            Self::Decode { .. } => "RESULT_UNREADABLE",
            Self::NotEncodable { .. } => "NOT_ENCODABLE",
            Self::InvalidAttribute(error) => error.code(),
            Self::NotInWorkflow => "NOT_IN_WORKFLOW",
            Self::Query(error) => error.code(),
        }
    }

    /// True where asking again later may give something else. A parked run is not among it: a person
    /// or another build has to do something first.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Query(error) => error.is_retryable(),
            Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Parked { .. }
            | Self::Unknown { .. }
            | Self::Decode { .. }
            | Self::NotEncodable { .. }
            | Self::InvalidAttribute(_)
            | Self::NotInWorkflow => false,
        }
    }
}

impl HookConflict {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "HOOK_CONFLICT"
    }
}

impl HookError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Conflict(conflict) => conflict.code(),
            Self::Closed => "HOOK_CLOSED",
            Self::Expired => "HOOK_EXPIRED",
            Self::Decode { .. } => "PAYLOAD_UNREADABLE",
            Self::InvalidToken(error) => error.code(),
            Self::NotEncodable { .. } => "NOT_ENCODABLE",
            Self::InvalidOption { .. } => "INVALID_OPTION",
            Self::NoPublicUrl => "NO_PUBLIC_URL",
            Self::NotInWorkflow => "NOT_IN_WORKFLOW",
        }
    }

    /// True where the same may succeed later: whoever holds the token lets it go some day.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Conflict(_) => true,
            Self::Closed
            | Self::Expired
            | Self::Decode { .. }
            | Self::InvalidToken(_)
            | Self::NotEncodable { .. }
            | Self::InvalidOption { .. }
            | Self::NoPublicUrl
            | Self::NotInWorkflow => false,
        }
    }
}

impl SetAttributesError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::NotInWorkflow => "NOT_IN_WORKFLOW",
        }
    }
}

impl MissingProvided {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "NOT_PROVIDED"
    }
}

impl BodyError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "BODY_MISMATCH"
    }
}

impl Elapsed {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "ELAPSED"
    }
}
