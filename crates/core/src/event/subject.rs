//! Events by what they are about: one small closed set per kind of entity.
//!
//! A reader that cares about steps matches the five events of a step, and need not list the other
//! seventeen to stay exhaustive. This module must not know what an event changes.

use std::collections::BTreeMap;

use super::{Child, Correlation, Disposal, EventKind, Failure, FailureKind, Parent, StepOptions};
use crate::id::{HookId, RunId, StepId, WaitId};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::token::Token;

/// An event, sorted by the kind of entity that it changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    Run(RunEvent<'a>),
    Step(StepId, StepEvent<'a>),
    Hook(HookId, HookEvent<'a>),
    Wait(WaitId, WaitEvent),
}

/// What a run begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CreatedRun<'a> {
    pub(crate) workflow: &'a str,
    pub(crate) input: &'a Payload,
    pub(crate) build: &'a str,
    pub(crate) seed: [u8; 16],
    pub(crate) parent: Option<Parent>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) attributes: &'a BTreeMap<String, String>,
}

/// What happens to a run itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RunEvent<'a> {
    Created(CreatedRun<'a>),
    Started,
    Completed {
        output: &'a Payload,
    },
    Failed {
        error: &'a Failure,
    },
    Cancelled {
        reason: Option<&'a str>,
        terminated: bool,
    },
    CancelRequested {
        reason: Option<&'a str>,
    },
    Continued,
    AttrSet {
        changes: &'a BTreeMap<String, String>,
        call: StepId,
    },
    PatchMarked {
        patch: &'a str,
    },
}

/// What happens to a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StepEvent<'a> {
    Created {
        name: &'a str,
        input: &'a Payload,
        options: StepOptions,
        child: Option<Child>,
    },
    Started {
        attempt: u32,
    },
    Completed {
        result: &'a Payload,
    },
    Failed {
        error: &'a Failure,
        kind: FailureKind,
    },
    Retrying {
        error: &'a Failure,
        retry_at: Timestamp,
    },
}

/// What happens to a hook.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HookEvent<'a> {
    Created {
        token: &'a Token,
        chosen: bool,
        metadata: Option<&'a Payload>,
        is_webhook: bool,
        expires_at: Option<Timestamp>,
    },
    Received {
        payload: &'a Payload,
    },
    Disposed {
        by: Disposal,
    },
    Conflict {
        token: &'a Token,
        owner: RunId,
    },
    Expired,
}

/// What happens to a wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WaitEvent {
    Created { resume_at: Timestamp },
    Completed,
    Cancelled,
}

impl EventKind {
    /// The event by what it is about.
    #[expect(clippy::too_many_lines, reason = "one exhaustive table of all events")]
    pub(crate) fn subject(&self) -> Subject<'_> {
        match self {
            Self::RunCreated {
                workflow,
                input,
                build,
                seed,
                parent,
                not_before,
                attributes,
                ..
            } => {
                let created = CreatedRun {
                    workflow,
                    input,
                    build,
                    seed: *seed,
                    parent: *parent,
                    not_before: *not_before,
                    attributes,
                };
                Subject::Run(RunEvent::Created(created))
            }
            Self::RunStarted => Subject::Run(RunEvent::Started),
            Self::RunCompleted { output } => Subject::Run(RunEvent::Completed { output }),
            Self::RunFailed { error } => Subject::Run(RunEvent::Failed { error }),
            Self::RunCancelled { reason, terminated } => Subject::Run(RunEvent::Cancelled {
                reason: reason.as_deref(),
                terminated: *terminated,
            }),
            Self::RunCancelRequested { reason } => Subject::Run(RunEvent::CancelRequested {
                reason: reason.as_deref(),
            }),
            Self::RunContinued { .. } => Subject::Run(RunEvent::Continued),
            Self::AttrSet { changes, call } => Subject::Run(RunEvent::AttrSet {
                changes,
                call: *call,
            }),
            Self::PatchMarked { patch } => Subject::Run(RunEvent::PatchMarked { patch }),
            Self::StepCreated {
                step,
                name,
                input,
                options,
                child,
            } => Subject::Step(
                *step,
                StepEvent::Created {
                    name,
                    input,
                    options: *options,
                    child: *child,
                },
            ),
            Self::StepStarted { step, attempt } => {
                Subject::Step(*step, StepEvent::Started { attempt: *attempt })
            }
            Self::StepCompleted { step, result } => {
                Subject::Step(*step, StepEvent::Completed { result })
            }
            Self::StepFailed { step, error, kind } => {
                Subject::Step(*step, StepEvent::Failed { error, kind: *kind })
            }
            Self::StepRetrying {
                step,
                error,
                retry_at,
            } => Subject::Step(
                *step,
                StepEvent::Retrying {
                    error,
                    retry_at: *retry_at,
                },
            ),
            Self::HookCreated {
                hook,
                token,
                chosen,
                metadata,
                is_webhook,
                expires_at,
            } => {
                let created = HookEvent::Created {
                    token,
                    chosen: *chosen,
                    metadata: metadata.as_ref(),
                    is_webhook: *is_webhook,
                    expires_at: *expires_at,
                };
                Subject::Hook(*hook, created)
            }
            Self::HookReceived { hook, payload, .. } => {
                Subject::Hook(*hook, HookEvent::Received { payload })
            }
            Self::HookDisposed { hook, by } => {
                Subject::Hook(*hook, HookEvent::Disposed { by: *by })
            }
            Self::HookConflict { hook, token, owner } => Subject::Hook(
                *hook,
                HookEvent::Conflict {
                    token,
                    owner: *owner,
                },
            ),
            Self::HookExpired { hook } => Subject::Hook(*hook, HookEvent::Expired),
            Self::WaitCreated { wait, resume_at } => Subject::Wait(
                *wait,
                WaitEvent::Created {
                    resume_at: *resume_at,
                },
            ),
            Self::WaitCompleted { wait } => Subject::Wait(*wait, WaitEvent::Completed),
            Self::WaitCancelled { wait } => Subject::Wait(*wait, WaitEvent::Cancelled),
        }
    }

    /// The id of what the event is about; none for events about the run itself.
    ///
    /// `attr_set` changes the run, and is about the call that set the attributes.
    pub fn correlation_id(&self) -> Option<Correlation> {
        match self.subject() {
            Subject::Step(step, _) => Some(Correlation::Step(step)),
            Subject::Hook(hook, _) => Some(Correlation::Hook(hook)),
            Subject::Wait(wait, _) => Some(Correlation::Wait(wait)),
            Subject::Run(RunEvent::AttrSet { call, .. }) => Some(Correlation::Step(call)),
            Subject::Run(
                RunEvent::Created(_)
                | RunEvent::Started
                | RunEvent::Completed { .. }
                | RunEvent::Failed { .. }
                | RunEvent::Cancelled { .. }
                | RunEvent::CancelRequested { .. }
                | RunEvent::Continued
                | RunEvent::PatchMarked { .. },
            ) => None,
        }
    }
}
