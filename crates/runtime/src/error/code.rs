//! What programs tell errors apart by: stable names, whether the same call may succeed later, and
//! whether something may have happened. `docs/errors.md` lists the names; a test of the facade holds
//! that list and this together.

use super::{
    AdmitError, AnswerError, OpenError, PostError, QueryError, ResumeError, StartError,
    WebhookError,
};
use crate::engine::{CancelError, WakeUpError};
use crate::registry::RegistryError;

impl RegistryError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SameWorkflow { .. } => "SAME_WORKFLOW_NAME",
            Self::SameStep { .. } => "SAME_STEP_NAME",
        }
    }
}

impl OpenError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Registry(error) => error.code(),
            Self::EmptySecret { .. } => "EMPTY_SECRET",
            Self::NoSteps => "NO_STEPS",
            Self::InvalidName(error) => error.code(),
            Self::InvalidPublicUrl => "INVALID_PUBLIC_URL",
            Self::NothingAllowed { .. } => "NOTHING_ALLOWED",
            Self::Store(error) => error.code(),
        }
    }

    /// True where opening may succeed later with nothing else changed.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Registry(_)
            | Self::EmptySecret { .. }
            | Self::NoSteps
            | Self::InvalidName(_)
            | Self::InvalidPublicUrl
            | Self::NothingAllowed { .. } => false,
        }
    }
}

impl StartError {
    /// True where the run may have been started: repeat with the same idempotency key.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_have_happened())
    }

    /// True where the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::UnknownWorkflow { .. }
            | Self::NotEncodable { .. }
            | Self::TooLarge { .. }
            | Self::InvalidAttribute(_)
            | Self::InvalidKey(_)
            | Self::RunExists { .. }
            | Self::KeyReused { .. }
            | Self::ShuttingDown
            | Self::Refused { .. } => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownWorkflow { .. } => "UNKNOWN_WORKFLOW",
            Self::NotEncodable { .. } => "NOT_ENCODABLE",
            Self::TooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Self::InvalidAttribute(error) => error.code(),
            Self::InvalidKey(error) => error.code(),
            Self::RunExists { .. } => "RUN_EXISTS",
            Self::KeyReused { .. } => "KEY_REUSED",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Refused { .. } => "REFUSED",
            Self::Store(error) => error.code(),
        }
    }
}

impl ResumeError {
    /// True where the payload may have been taken: repeat with the same idempotency key.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_have_happened())
    }

    /// True where the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::Store(error) => error.is_retryable(),
            Self::NullPayload
            | Self::Invalid { .. }
            | Self::NotEncodable { .. }
            | Self::TooLarge { .. }
            | Self::InvalidToken(_)
            | Self::InvalidKey(_)
            | Self::NotAHook
            | Self::KeyReused
            | Self::Refused { .. } => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NullPayload => "NULL_PAYLOAD",
            Self::Invalid { .. } => "INVALID_PAYLOAD",
            Self::NotEncodable { .. } => "NOT_ENCODABLE",
            Self::TooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Self::InvalidToken(error) => error.code(),
            Self::InvalidKey(error) => error.code(),
            Self::NotAHook => "NOT_A_HOOK",
            Self::KeyReused => "KEY_REUSED",
            Self::Full { .. } => "HOOK_FULL",
            Self::Refused { .. } => "REFUSED",
            Self::Store(error) => error.code(),
        }
    }
}

impl AdmitError {
    /// True where the payload may have been admitted: repeat with the same idempotency key.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_have_happened())
    }

    /// True where the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::Store(error) => error.is_retryable(),
            Self::NullPayload
            | Self::NotEncodable { .. }
            | Self::TooLarge { .. }
            | Self::InvalidToken(_)
            | Self::InvalidKey(_)
            | Self::UnknownWorkflow { .. }
            | Self::NotAHook
            | Self::KeyReused
            | Self::ShuttingDown
            | Self::Refused { .. } => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NullPayload => "NULL_PAYLOAD",
            Self::NotEncodable { .. } => "NOT_ENCODABLE",
            Self::TooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Self::InvalidToken(error) => error.code(),
            Self::InvalidKey(error) => error.code(),
            Self::UnknownWorkflow { .. } => "UNKNOWN_WORKFLOW",
            Self::NotAHook => "NOT_A_HOOK",
            Self::KeyReused => "KEY_REUSED",
            Self::Full { .. } => "HOOK_FULL",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Refused { .. } => "REFUSED",
            Self::Store(error) => error.code(),
        }
    }
}

impl PostError {
    /// True where the payload may have been taken: repeat with the same idempotency key.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_have_happened())
    }

    /// True where the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Full { .. } | Self::MailboxFull { .. } => true,
            Self::Store(error) => error.is_retryable(),
            Self::NullPayload
            | Self::NotEncodable { .. }
            | Self::TooLarge { .. }
            | Self::InvalidToken(_)
            | Self::InvalidKey(_)
            | Self::KeptForNoTime
            | Self::KeptTooLong { .. }
            | Self::NotAHook
            | Self::KeyReused
            | Self::Refused { .. } => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NullPayload => "NULL_PAYLOAD",
            Self::NotEncodable { .. } => "NOT_ENCODABLE",
            Self::TooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Self::InvalidToken(error) => error.code(),
            Self::InvalidKey(error) => error.code(),
            Self::KeptForNoTime => "KEPT_FOR_NO_TIME",
            Self::KeptTooLong { .. } => "KEPT_TOO_LONG",
            Self::NotAHook => "NOT_A_HOOK",
            Self::KeyReused => "KEY_REUSED",
            Self::Full { .. } => "HOOK_FULL",
            Self::MailboxFull { .. } => "MAILBOX_FULL",
            Self::Refused { .. } => "REFUSED",
            Self::Store(error) => error.code(),
        }
    }
}

impl WebhookError {
    /// True where the workflow has got the request, or may have.
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::RunEnded
            | Self::NoAnswer
            | Self::UnreadableAnswer { .. }
            | Self::AnswerLost(_) => true,
            Self::Store(error) => error.may_have_happened(),
            Self::NotFound
            | Self::MethodNotAllowed { .. }
            | Self::TooLarge { .. }
            | Self::Body { .. }
            | Self::BodyTooSlow
            | Self::NotSigned(_)
            | Self::CannotVerify(_)
            | Self::Full
            | Self::TooManyCallers
            | Self::InvalidSettings(_)
            | Self::Refused { .. } => false,
        }
    }

    /// True where the same request, sent again, may succeed later. Where it may have been taken, that
    /// is safe only for a webhook that knows its sender's deliveries.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Body { .. }
            | Self::BodyTooSlow
            | Self::CannotVerify(_)
            | Self::Full
            | Self::TooManyCallers => true,
            Self::Store(error) => error.is_retryable(),
            Self::NotFound
            | Self::MethodNotAllowed { .. }
            | Self::TooLarge { .. }
            | Self::NotSigned(_)
            | Self::RunEnded
            | Self::NoAnswer
            | Self::InvalidSettings(_)
            | Self::UnreadableAnswer { .. }
            | Self::AnswerLost(_)
            | Self::Refused { .. } => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "WEBHOOK_NOT_FOUND",
            Self::MethodNotAllowed { .. } => "METHOD_NOT_ALLOWED",
            Self::TooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Self::Body { .. } => "BODY_UNREADABLE",
            Self::BodyTooSlow => "BODY_TOO_SLOW",
            Self::NotSigned(error) => error.code(),
            Self::CannotVerify(error) => error.code(),
            Self::Full => "HOOK_FULL",
            Self::TooManyCallers => "TOO_MANY_CALLERS",
            Self::RunEnded => "RUN_ENDED",
            Self::NoAnswer => "NO_ANSWER",
            Self::InvalidSettings(_) => "INVALID_SETTINGS",
            Self::UnreadableAnswer { .. } => "UNREADABLE_ANSWER",
            Self::AnswerLost(_) => "ANSWER_LOST",
            Self::Refused { .. } => "REFUSED",
            Self::Store(error) => error.code(),
        }
    }
}

impl AnswerError {
    /// True where the answer may stand: the same step may give it again.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_have_happened())
    }

    /// True where the same answer may be given later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::AlreadyAnswered
            | Self::RunEnded
            | Self::NotManual
            | Self::NotInRun
            | Self::NotEncodable { .. } => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyAnswered => "ALREADY_ANSWERED",
            Self::RunEnded => "RUN_ENDED",
            Self::NotManual => "NOT_MANUAL",
            Self::NotInRun => "NOT_IN_RUN",
            Self::NotEncodable { .. } => "NOT_ENCODABLE",
            Self::Store(error) => error.code(),
        }
    }
}

impl QueryError {
    /// True where the same question may have an answer later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::InvalidToken(_)
            | Self::InvalidCursor(_)
            | Self::InvalidPlace
            | Self::IllegalLog { .. }
            | Self::ShuttingDown => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidToken(error) => error.code(),
            Self::InvalidCursor(_) | Self::InvalidPlace => "INVALID_CURSOR",
            Self::IllegalLog { .. } => "ILLEGAL_LOG",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Store(error) => error.code(),
        }
    }
}

impl CancelError {
    /// True where the request may have been recorded; repeating it is harmless.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_have_happened())
    }

    /// True where the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::RunUnknown { .. } | Self::Refused { .. } => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RunUnknown { .. } => "RUN_UNKNOWN",
            Self::Refused { .. } => "REFUSED",
            Self::Store(error) => error.code(),
        }
    }
}

impl WakeUpError {
    /// True where the run may have been woken; repeating it is harmless.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_have_happened())
    }

    /// True where the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::RunUnknown { .. } | Self::RunEnded { .. } | Self::Refused { .. } => false,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RunUnknown { .. } => "RUN_UNKNOWN",
            Self::RunEnded { .. } => "RUN_ENDED",
            Self::Refused { .. } => "REFUSED",
            Self::Store(error) => error.code(),
        }
    }
}
