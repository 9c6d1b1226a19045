//! The refusals.

use crate::entity::RunStatus;
use crate::id::{HookId, RunId, StepId, WaitId};

/// An event that must not follow those before it.
///
/// Where a store hands this out, nothing was changed. Where it comes from a stored log, the log was
/// not written by Rewake or is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IllegalTransition {
    /// The run's log does not begin with `run_created`.
    #[error("`{event}` comes before the run exists")]
    RunMissing {
        /// The event.
        event: &'static str,
    },
    /// The run was created before.
    #[error("run `{run}` exists already")]
    RunExists {
        /// The run.
        run: RunId,
    },
    /// The run has begun before.
    #[error("run `{run}` has begun already")]
    RunStarted {
        /// The run.
        run: RunId,
    },
    /// The workflow has not begun, so it cannot have done this.
    #[error("`{event}` comes before the run has begun")]
    RunNotStarted {
        /// The event.
        event: &'static str,
    },
    /// The run has ended.
    #[error("`{event}` comes after the run has ended as {status}")]
    RunEnded {
        /// The event.
        event: &'static str,
        /// How the run ended.
        status: RunStatus,
    },
    /// The step was created before.
    #[error("step `{step}` exists already")]
    StepExists {
        /// The step.
        step: StepId,
    },
    /// The step was never created.
    #[error("`{event}` names step `{step}`, which does not exist")]
    StepMissing {
        /// The event.
        event: &'static str,
        /// The step.
        step: StepId,
    },
    /// No attempt of the step is under way.
    #[error("`{event}` names step `{step}`, of which no attempt is under way")]
    StepNotStarted {
        /// The event.
        event: &'static str,
        /// The step.
        step: StepId,
    },
    /// The step has ended.
    #[error("`{event}` comes after step `{step}` has ended")]
    StepEnded {
        /// The event.
        event: &'static str,
        /// The step.
        step: StepId,
    },
    /// The step stands for a child run, which has no attempts.
    #[error("`{event}` names step `{step}`, which is a child run and has no attempts")]
    StepIsChild {
        /// The event.
        event: &'static str,
        /// The step.
        step: StepId,
    },
    /// The attempt does not follow the one before.
    #[error("attempt {found} of step `{step}` does not follow attempt {last}")]
    AttemptOutOfOrder {
        /// The step.
        step: StepId,
        /// The last attempt that began.
        last: u32,
        /// The attempt that the event names.
        found: u32,
    },
    /// The hook was created before.
    #[error("hook `{hook}` exists already")]
    HookExists {
        /// The hook.
        hook: HookId,
    },
    /// The hook was never created.
    #[error("`{event}` names hook `{hook}`, which does not exist")]
    HookMissing {
        /// The event.
        event: &'static str,
        /// The hook.
        hook: HookId,
    },
    /// The hook takes nothing any more.
    #[error("`{event}` comes after hook `{hook}` has ended")]
    HookEnded {
        /// The event.
        event: &'static str,
        /// The hook.
        hook: HookId,
    },
    /// The wait was created before.
    #[error("wait `{wait}` exists already")]
    WaitExists {
        /// The wait.
        wait: WaitId,
    },
    /// The wait was never created.
    #[error("`{event}` names wait `{wait}`, which does not exist")]
    WaitMissing {
        /// The event.
        event: &'static str,
        /// The wait.
        wait: WaitId,
    },
    /// The wait has ended.
    #[error("`{event}` comes after wait `{wait}` has ended")]
    WaitEnded {
        /// The event.
        event: &'static str,
        /// The wait.
        wait: WaitId,
    },
    /// The event is about another kind of entity: a fault of the caller's.
    #[error("`{event}` is not about a {entity}")]
    Misrouted {
        /// The event.
        event: &'static str,
        /// The kind of entity it was given to.
        entity: &'static str,
    },
}

impl IllegalTransition {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RunMissing { .. } => "RUN_MISSING",
            Self::RunExists { .. } => "RUN_EXISTS",
            Self::RunStarted { .. } => "RUN_STARTED",
            Self::RunNotStarted { .. } => "RUN_NOT_STARTED",
            Self::RunEnded { .. } => "RUN_ENDED",
            Self::StepExists { .. } => "STEP_EXISTS",
            Self::StepMissing { .. } => "STEP_MISSING",
            Self::StepNotStarted { .. } => "STEP_NOT_STARTED",
            Self::StepEnded { .. } => "STEP_ENDED",
            Self::StepIsChild { .. } => "STEP_IS_CHILD",
            Self::AttemptOutOfOrder { .. } => "ATTEMPT_OUT_OF_ORDER",
            Self::HookExists { .. } => "HOOK_EXISTS",
            Self::HookMissing { .. } => "HOOK_MISSING",
            Self::HookEnded { .. } => "HOOK_ENDED",
            Self::WaitExists { .. } => "WAIT_EXISTS",
            Self::WaitMissing { .. } => "WAIT_MISSING",
            Self::WaitEnded { .. } => "WAIT_ENDED",
            Self::Misrouted { .. } => "MISROUTED",
        }
    }
}
