//! What an event makes of a step.

use super::IllegalTransition;
use crate::entity::{Step, StepStatus};
use crate::event::{EventRef, StepEvent, StepOptions, Subject};
use crate::id::StepId;
use crate::payload::Payload;
use crate::time::Timestamp;

/// The step after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn step(before: Option<&Step>, event: EventRef<'_>) -> Result<Step, IllegalTransition> {
    let name = event.kind.name();
    let Subject::Step(id, kind) = event.kind.subject() else {
        return Err(IllegalTransition::Misrouted {
            event: name,
            entity: "step",
        });
    };
    if let StepEvent::Created {
        name,
        input,
        options,
    } = kind
    {
        return match before {
            Some(_) => Err(IllegalTransition::StepExists { step: id }),
            None => Ok(created(id, name, input, options, event.at)),
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
        StepStatus::Pending | StepStatus::Running => after(step.clone(), kind, event),
    }
}

fn created(id: StepId, name: &str, input: &Payload, options: StepOptions, at: Timestamp) -> Step {
    Step {
        id,
        name: name.to_owned(),
        input: input.clone(),
        options,
        status: StepStatus::Pending,
        attempt: 0,
        result: None,
        error: None,
        failure: None,
        retry_at: None,
        created_at: at,
        started_at: None,
        ended_at: None,
    }
}

fn after(
    mut step: Step,
    kind: StepEvent<'_>,
    event: EventRef<'_>,
) -> Result<Step, IllegalTransition> {
    match kind {
        StepEvent::Created { .. } => return Err(IllegalTransition::StepExists { step: step.id }),
        StepEvent::Started { attempt } => {
            // An attempt that began and never ended counts as failed, so one may follow another.
            if Some(attempt) != step.attempt.checked_add(1) {
                return Err(IllegalTransition::AttemptOutOfOrder {
                    step: step.id,
                    last: step.attempt,
                    found: attempt,
                });
            }
            step.attempt = attempt;
            step.status = StepStatus::Running;
            step.started_at = step.started_at.or(Some(event.at));
            step.retry_at = None;
        }
        StepEvent::Completed { result } => {
            running(&step, event)?;
            step.status = StepStatus::Completed;
            step.result = Some(result.clone());
            step.ended_at = Some(event.at);
        }
        StepEvent::Failed { error, kind } => {
            running(&step, event)?;
            step.status = StepStatus::Failed;
            step.error = Some(error.clone());
            step.failure = Some(kind);
            step.ended_at = Some(event.at);
        }
        StepEvent::Retrying { error, retry_at } => {
            running(&step, event)?;
            step.status = StepStatus::Pending;
            step.error = Some(error.clone());
            step.retry_at = Some(retry_at);
        }
    }
    Ok(step)
}

fn running(step: &Step, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    match step.status {
        StepStatus::Running => Ok(()),
        StepStatus::Pending | StepStatus::Completed | StepStatus::Failed => {
            Err(IllegalTransition::StepNotStarted {
                event: event.kind.name(),
                step: step.id,
            })
        }
    }
}
