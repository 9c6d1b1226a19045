//! What an event makes of a run.

use super::IllegalTransition;
use crate::entity::{Run, RunStatus};
use crate::event::{CreatedRun, EventRef, HookEvent, RunEvent, Subject};
use crate::id::RunId;
use crate::time::Timestamp;

/// The run after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn run(id: RunId, before: Option<&Run>, event: EventRef<'_>) -> Result<Run, IllegalTransition> {
    if let Some(before) = before {
        let mut run = before.clone();
        change_run(&mut run, event)?;
        return Ok(run);
    }
    let RunEvent::Created(first) = subject(event)? else {
        return Err(missing(event));
    };
    Ok(created(id, first, event.at))
}

/// Makes of a run what it is after `event`, as [`run`] does.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow; the run is unchanged.
pub fn change_run(run: &mut Run, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    let kind = subject(event)?;
    if let RunEvent::Created(_) = kind {
        return Err(IllegalTransition::RunExists { run: run.id });
    }
    live(Some(run), event)?;
    after(run, kind, event)
}

fn subject(event: EventRef<'_>) -> Result<RunEvent<'_>, IllegalTransition> {
    match event.kind.subject() {
        Subject::Run(kind) => Ok(kind),
        Subject::Step(..) | Subject::Hook(..) | Subject::Wait(..) => {
            Err(IllegalTransition::Misrouted {
                event: event.kind.name(),
                entity: "run",
            })
        }
    }
}

fn missing(event: EventRef<'_>) -> IllegalTransition {
    IllegalTransition::RunMissing {
        event: event.kind.name(),
    }
}

/// Refuses an event about a step, hook or wait of a run that does not exist, has not begun or has
/// ended. A log may begin with hooks, so those may come before the workflow begins.
///
/// # Errors
///
/// [`IllegalTransition`] as said.
pub fn require_open(run: Option<&Run>, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    let run = live(run, event)?;
    if may_precede_the_beginning(event) {
        return Ok(());
    }
    begun(run, event)
}

fn may_precede_the_beginning(event: EventRef<'_>) -> bool {
    match event.kind.subject() {
        Subject::Hook(
            _,
            HookEvent::Created { .. } | HookEvent::Received { .. } | HookEvent::Expired,
        ) => true,
        Subject::Hook(_, HookEvent::Disposed { .. } | HookEvent::Conflict { .. })
        | Subject::Run(_)
        | Subject::Step(..)
        | Subject::Wait(..) => false,
    }
}

fn live<'a>(run: Option<&'a Run>, event: EventRef<'_>) -> Result<&'a Run, IllegalTransition> {
    match run {
        None => Err(missing(event)),
        Some(run) if run.status.is_terminal() => Err(IllegalTransition::RunEnded {
            event: event.kind.name(),
            status: run.status,
        }),
        Some(run) => Ok(run),
    }
}

fn begun(run: &Run, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    match run.started_at {
        Some(_) => Ok(()),
        None => Err(IllegalTransition::RunNotStarted {
            event: event.kind.name(),
        }),
    }
}

fn created(id: RunId, first: CreatedRun<'_>, at: Timestamp) -> Run {
    Run {
        id,
        workflow: first.workflow.to_owned(),
        build: first.build.to_owned(),
        status: RunStatus::Pending,
        input: first.input.clone(),
        output: None,
        error: None,
        parent: first.parent.map(Box::new),
        attributes: first.attributes.clone(),
        created_at: at,
        started_at: None,
        ended_at: None,
        not_before: first.not_before,
        cancel_requested: false,
        cancel_reason: None,
    }
}

/// Whatever is refused is refused before anything is changed.
fn after(run: &mut Run, kind: RunEvent<'_>, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    match kind {
        RunEvent::Created(_) => return Err(IllegalTransition::RunExists { run: run.id }),
        RunEvent::Started if run.started_at.is_some() => {
            return Err(IllegalTransition::RunStarted { run: run.id });
        }
        RunEvent::Started => {
            run.status = RunStatus::Running;
            run.started_at = Some(event.at);
        }
        RunEvent::Completed { output } => {
            begun(run, event)?;
            run.output = Some(output.clone());
            end(run, RunStatus::Completed, event.at);
        }
        RunEvent::Failed { error } => {
            begun(run, event)?;
            run.error = Some(Box::new(error.clone()));
            end(run, RunStatus::Failed, event.at);
        }
        RunEvent::Continued => {
            begun(run, event)?;
            end(run, RunStatus::Completed, event.at);
        }
        RunEvent::Cancelled { reason, .. } => {
            if let Some(reason) = reason {
                run.cancel_reason = Some(reason.to_owned());
            }
            end(run, RunStatus::Cancelled, event.at);
        }
        RunEvent::CancelRequested { reason } => {
            run.cancel_requested = true;
            if run.cancel_reason.is_none() {
                run.cancel_reason = reason.map(str::to_owned);
            }
        }
        RunEvent::AttrSet { changes, .. } => {
            begun(run, event)?;
            run.attributes.extend(changes.clone());
        }
        RunEvent::PatchMarked { .. } => begun(run, event)?,
    }
    Ok(())
}

const fn end(run: &mut Run, status: RunStatus, at: Timestamp) {
    run.status = status;
    run.ended_at = Some(at);
}
