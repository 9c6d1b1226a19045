//! What an event makes of a wait.

use super::IllegalTransition;
use crate::entity::{Wait, WaitStatus};
use crate::event::{EventRef, Subject, WaitEvent};
use crate::id::WaitId;
use crate::time::Timestamp;

/// The wait after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn wait(before: Option<&Wait>, event: EventRef<'_>) -> Result<Wait, IllegalTransition> {
    let Subject::Wait(id, kind) = event.kind.subject() else {
        return Err(IllegalTransition::Misrouted {
            event: event.kind.name(),
            entity: "wait",
        });
    };
    match kind {
        WaitEvent::Created { resume_at } => match before {
            Some(_) => Err(IllegalTransition::WaitExists { wait: id }),
            None => Ok(created(id, resume_at, event.at)),
        },
        WaitEvent::Completed => ended(id, before, WaitStatus::Completed, event),
        WaitEvent::Cancelled => ended(id, before, WaitStatus::Cancelled, event),
    }
}

const fn created(id: WaitId, resume_at: Timestamp, at: Timestamp) -> Wait {
    Wait {
        id,
        resume_at,
        status: WaitStatus::Waiting,
        created_at: at,
        ended_at: None,
    }
}

fn ended(
    id: WaitId,
    before: Option<&Wait>,
    status: WaitStatus,
    event: EventRef<'_>,
) -> Result<Wait, IllegalTransition> {
    let before = before.ok_or_else(|| IllegalTransition::WaitMissing {
        event: event.kind.name(),
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
            event: event.kind.name(),
            wait: id,
        }),
    }
}
