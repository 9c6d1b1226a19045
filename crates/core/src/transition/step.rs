//! What an event makes of a step.

use super::IllegalTransition;
use crate::entity::{Step, StepStatus};
use crate::event::{Child, EventRef, StepEvent, StepOptions, Subject};
use crate::id::StepId;
use crate::payload::Payload;
use crate::time::Timestamp;

/// The step after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn step(before: Option<&Step>, event: EventRef<'_>) -> Result<Step, IllegalTransition> {
    if let Some(before) = before {
        let mut step = before.clone();
        change_step(&mut step, event)?;
        return Ok(step);
    }
    let (id, kind) = subject(event)?;
    let StepEvent::Created {
        name,
        input,
        options,
        child,
    } = kind
    else {
        return Err(IllegalTransition::StepMissing {
            event: event.kind.name(),
            step: id,
        });
    };
    let step = created(id, name, input, options, event.at);
    Ok(with_child(step, child))
}

/// Makes of a step what it is after `event`, as [`step`] does.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow; the step is unchanged.
pub fn change_step(step: &mut Step, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    let (id, kind) = subject(event)?;
    if let StepEvent::Created { .. } = kind {
        return Err(IllegalTransition::StepExists { step: id });
    }
    match step.status {
        StepStatus::Completed | StepStatus::Failed => Err(IllegalTransition::StepEnded {
            event: event.kind.name(),
            step: id,
        }),
        StepStatus::Pending | StepStatus::Running => after(step, kind, event),
    }
}

fn subject(event: EventRef<'_>) -> Result<(StepId, StepEvent<'_>), IllegalTransition> {
    match event.kind.subject() {
        Subject::Step(id, kind) => Ok((id, kind)),
        Subject::Run(_) | Subject::Hook(..) | Subject::Wait(..) => {
            Err(IllegalTransition::Misrouted {
                event: event.kind.name(),
                entity: "step",
            })
        }
    }
}

fn created(id: StepId, name: &str, input: &Payload, options: StepOptions, at: Timestamp) -> Step {
    Step {
        id,
        name: name.to_owned(),
        input: input.clone(),
        options,
        child: None,
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

/// A child run that was let go of has done its part for its parent once it exists.
fn with_child(mut step: Step, child: Option<Child>) -> Step {
    step.child = child;
    if child.is_some_and(|child| child.detached) {
        step.status = StepStatus::Completed;
        step.ended_at = Some(step.created_at);
    }
    step
}

/// Whatever is refused is refused before anything is changed.
fn after(
    step: &mut Step,
    kind: StepEvent<'_>,
    event: EventRef<'_>,
) -> Result<(), IllegalTransition> {
    match kind {
        StepEvent::Created { .. } => return Err(IllegalTransition::StepExists { step: step.id }),
        StepEvent::Started { attempt } => {
            no_child(step, event)?;
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
            running(step, event)?;
            step.status = StepStatus::Completed;
            step.result = Some(result.clone());
            step.ended_at = Some(event.at);
        }
        StepEvent::Failed { error, kind } => {
            running(step, event)?;
            step.status = StepStatus::Failed;
            step.error = Some(error.clone());
            step.failure = Some(kind);
            step.ended_at = Some(event.at);
        }
        StepEvent::Retrying { error, retry_at } => {
            no_child(step, event)?;
            running(step, event)?;
            step.status = StepStatus::Pending;
            step.error = Some(error.clone());
            step.retry_at = Some(retry_at);
        }
    }
    Ok(())
}

/// A child run has no attempts: what it does stands in a log of its own.
const fn no_child(step: &Step, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    match step.child {
        None => Ok(()),
        Some(_) => Err(IllegalTransition::StepIsChild {
            event: event.kind.name(),
            step: step.id,
        }),
    }
}

fn running(step: &Step, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    match step.status {
        StepStatus::Pending if step.child.is_some() => Ok(()),
        StepStatus::Running => Ok(()),
        StepStatus::Pending | StepStatus::Completed | StepStatus::Failed => {
            Err(IllegalTransition::StepNotStarted {
                event: event.kind.name(),
                step: step.id,
            })
        }
    }
}
