//! What an event makes of a wait.

use super::IllegalTransition;
use crate::entity::{Wait, WaitStatus};
use crate::event::{Correlation, EventKind, EventRef};

/// The wait after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn wait(before: Option<&Wait>, event: EventRef<'_>) -> Result<Wait, IllegalTransition> {
    let name = event.kind.name();
    let Some(Correlation::Wait(id)) = event.kind.correlation_id() else {
        return Err(IllegalTransition::Misrouted {
            event: name,
            entity: "wait",
        });
    };
    let status = match event.kind {
        EventKind::WaitCreated { resume_at, .. } => {
            return match before {
                Some(_) => Err(IllegalTransition::WaitExists { wait: id }),
                None => Ok(Wait {
                    id,
                    resume_at: *resume_at,
                    status: WaitStatus::Waiting,
                    created_at: event.at,
                    ended_at: None,
                }),
            };
        }
        EventKind::WaitCompleted { .. } => WaitStatus::Completed,
        EventKind::WaitCancelled { .. } => WaitStatus::Cancelled,
        EventKind::RunCreated { .. }
        | EventKind::RunStarted
        | EventKind::RunCompleted { .. }
        | EventKind::RunFailed { .. }
        | EventKind::RunCancelled { .. }
        | EventKind::RunCancelRequested { .. }
        | EventKind::RunContinued { .. }
        | EventKind::StepCreated { .. }
        | EventKind::StepStarted { .. }
        | EventKind::StepCompleted { .. }
        | EventKind::StepFailed { .. }
        | EventKind::StepRetrying { .. }
        | EventKind::HookCreated { .. }
        | EventKind::HookReceived { .. }
        | EventKind::HookDisposed { .. }
        | EventKind::HookConflict { .. }
        | EventKind::HookExpired { .. }
        | EventKind::AttrSet { .. }
        | EventKind::PatchMarked { .. } => {
            return Err(IllegalTransition::Misrouted {
                event: name,
                entity: "wait",
            });
        }
    };
    let before = before.ok_or(IllegalTransition::WaitMissing {
        event: name,
        wait: id,
    })?;
    match before.status {
        WaitStatus::Waiting => Ok(Wait {
            status,
            ended_at: Some(event.at),
            ..before.clone()
        }),
        // Somebody woke the run just when its workflow gave the sleep up: the command was issued, so
        // its record stands, and changes nothing.
        WaitStatus::Completed if status == WaitStatus::Cancelled => Ok(before.clone()),
        WaitStatus::Completed | WaitStatus::Cancelled => Err(IllegalTransition::WaitEnded {
            event: name,
            wait: id,
        }),
    }
}
