//! What an event makes of a step.

use super::IllegalTransition;
use crate::entity::{Step, StepStatus};
use crate::event::{Correlation, EventKind, EventRef};
use crate::id::StepId;

/// The step after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn step(before: Option<&Step>, event: EventRef<'_>) -> Result<Step, IllegalTransition> {
    let name = event.kind.name();
    let Some(Correlation::Step(id)) = event.kind.correlation_id() else {
        return Err(IllegalTransition::Misrouted {
            event: name,
            entity: "step",
        });
    };
    if let EventKind::StepCreated { .. } = event.kind {
        return match before {
            Some(_) => Err(IllegalTransition::StepExists { step: id }),
            None => Ok(created(id, event)),
        };
    }
    let step = before.ok_or(IllegalTransition::StepMissing {
        event: name,
        step: id,
    })?;
    match step.status {
        StepStatus::Completed | StepStatus::Failed => Err(IllegalTransition::StepEnded {
            event: name,
            step: id,
        }),
        StepStatus::Pending | StepStatus::Running => after(step.clone(), event),
    }
}

fn created(id: StepId, event: EventRef<'_>) -> Step {
    let EventKind::StepCreated {
        name,
        input,
        options,
        ..
    } = event.kind
    else {
        unreachable!("only called for step_created");
    };
    Step {
        id,
        name: name.clone(),
        input: input.clone(),
        options: *options,
        status: StepStatus::Pending,
        attempt: 0,
        result: None,
        error: None,
        failure: None,
        retry_at: None,
        created_at: event.at,
        started_at: None,
        ended_at: None,
    }
}

fn after(mut step: Step, event: EventRef<'_>) -> Result<Step, IllegalTransition> {
    let name = event.kind.name();
    match event.kind {
        EventKind::StepStarted { attempt, .. } => {
            // An attempt that began and never ended counts as failed, so one may follow another.
            if *attempt != step.attempt + 1 {
                return Err(IllegalTransition::AttemptOutOfOrder {
                    step: step.id,
                    last: step.attempt,
                    found: *attempt,
                });
            }
            step.attempt = *attempt;
            step.status = StepStatus::Running;
            step.started_at = step.started_at.or(Some(event.at));
            step.retry_at = None;
        }
        EventKind::StepCompleted { result, .. } => {
            running(&step, name)?;
            step.status = StepStatus::Completed;
            step.result = Some(result.clone());
            step.ended_at = Some(event.at);
        }
        EventKind::StepFailed { error, kind, .. } => {
            running(&step, name)?;
            step.status = StepStatus::Failed;
            step.error = Some(error.clone());
            step.failure = Some(*kind);
            step.ended_at = Some(event.at);
        }
        EventKind::StepRetrying {
            error, retry_at, ..
        } => {
            running(&step, name)?;
            step.status = StepStatus::Pending;
            step.error = Some(error.clone());
            step.retry_at = Some(*retry_at);
        }
        EventKind::RunCreated { .. }
        | EventKind::RunStarted
        | EventKind::RunCompleted { .. }
        | EventKind::RunFailed { .. }
        | EventKind::RunCancelled { .. }
        | EventKind::RunCancelRequested { .. }
        | EventKind::RunContinued { .. }
        | EventKind::StepCreated { .. }
        | EventKind::HookCreated { .. }
        | EventKind::HookReceived { .. }
        | EventKind::HookDisposed { .. }
        | EventKind::HookConflict { .. }
        | EventKind::HookExpired { .. }
        | EventKind::WaitCreated { .. }
        | EventKind::WaitCompleted { .. }
        | EventKind::WaitCancelled { .. }
        | EventKind::AttrSet { .. }
        | EventKind::PatchMarked { .. } => {
            return Err(IllegalTransition::Misrouted {
                event: name,
                entity: "step",
            });
        }
    }
    Ok(step)
}

fn running(step: &Step, event: &'static str) -> Result<(), IllegalTransition> {
    match step.status {
        StepStatus::Running => Ok(()),
        StepStatus::Pending | StepStatus::Completed | StepStatus::Failed => {
            Err(IllegalTransition::StepNotStarted {
                event,
                step: step.id,
            })
        }
    }
}
