//! What an event makes of a run.

use super::IllegalTransition;
use crate::entity::{Run, RunStatus};
use crate::event::{EventKind, EventRef};
use crate::id::RunId;
use crate::time::Timestamp;

/// The run after `event`.
///
/// # Errors
///
/// [`IllegalTransition`] where the event must not follow.
pub fn run(id: RunId, before: Option<&Run>, event: EventRef<'_>) -> Result<Run, IllegalTransition> {
    if let EventKind::RunCreated { .. } = event.kind {
        return match before {
            Some(run) => Err(IllegalTransition::RunExists { run: run.id }),
            None => Ok(created(id, event)),
        };
    }
    let run = live(before, event)?;
    after(run.clone(), event)
}

/// Refuses an event about a step, hook or wait of a run that does not exist, has not begun or has
/// ended. A log may begin with hooks, so those may come before the workflow begins.
///
/// # Errors
///
/// [`IllegalTransition`] as said.
pub fn require_open(run: Option<&Run>, event: EventRef<'_>) -> Result<(), IllegalTransition> {
    let run = live(run, event)?;
    let may_precede = matches!(
        event.kind,
        EventKind::HookCreated { .. }
            | EventKind::HookReceived { .. }
            | EventKind::HookExpired { .. }
    );
    if run.started_at.is_none() && !may_precede {
        return Err(IllegalTransition::RunNotStarted {
            event: event.kind.name(),
        });
    }
    Ok(())
}

fn live<'a>(run: Option<&'a Run>, event: EventRef<'_>) -> Result<&'a Run, IllegalTransition> {
    match run {
        None => Err(IllegalTransition::RunMissing {
            event: event.kind.name(),
        }),
        Some(run) if run.status.is_terminal() => Err(IllegalTransition::RunEnded {
            event: event.kind.name(),
            status: run.status,
        }),
        Some(run) => Ok(run),
    }
}

fn created(id: RunId, event: EventRef<'_>) -> Run {
    let EventKind::RunCreated {
        workflow,
        input,
        build,
        parent,
        not_before,
        attributes,
        ..
    } = event.kind
    else {
        unreachable!("only called for run_created");
    };
    Run {
        id,
        workflow: workflow.clone(),
        build: build.clone(),
        status: RunStatus::Pending,
        input: input.clone(),
        output: None,
        error: None,
        parent: *parent,
        attributes: attributes.clone(),
        created_at: event.at,
        started_at: None,
        ended_at: None,
        not_before: *not_before,
        cancel_requested: false,
        cancel_reason: None,
    }
}

fn after(mut run: Run, event: EventRef<'_>) -> Result<Run, IllegalTransition> {
    let name = event.kind.name();
    match event.kind {
        EventKind::RunStarted if run.started_at.is_some() => {
            return Err(IllegalTransition::RunStarted { run: run.id });
        }
        EventKind::RunStarted => {
            run.status = RunStatus::Running;
            run.started_at = Some(event.at);
        }
        EventKind::RunCompleted { output } => {
            run = begun(run, name)?;
            run.output = Some(output.clone());
            end(&mut run, RunStatus::Completed, event.at);
        }
        EventKind::RunFailed { error } => {
            run = begun(run, name)?;
            run.error = Some(error.clone());
            end(&mut run, RunStatus::Failed, event.at);
        }
        EventKind::RunContinued { .. } => {
            run = begun(run, name)?;
            end(&mut run, RunStatus::Completed, event.at);
        }
        EventKind::RunCancelled { reason, .. } => {
            run.cancel_reason = reason.clone().or(run.cancel_reason);
            end(&mut run, RunStatus::Cancelled, event.at);
        }
        EventKind::RunCancelRequested { reason } => {
            run.cancel_requested = true;
            run.cancel_reason = run.cancel_reason.or_else(|| reason.clone());
        }
        EventKind::AttrSet { changes, .. } => {
            run = begun(run, name)?;
            run.attributes.extend(changes.clone());
        }
        EventKind::PatchMarked { .. } => run = begun(run, name)?,
        EventKind::RunCreated { .. }
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
        | EventKind::WaitCreated { .. }
        | EventKind::WaitCompleted { .. }
        | EventKind::WaitCancelled { .. } => {
            return Err(IllegalTransition::Misrouted {
                event: name,
                entity: "run",
            });
        }
    }
    Ok(run)
}

const fn end(run: &mut Run, status: RunStatus, at: Timestamp) {
    run.status = status;
    run.ended_at = Some(at);
}

fn begun(run: Run, event: &'static str) -> Result<Run, IllegalTransition> {
    if run.started_at.is_none() {
        return Err(IllegalTransition::RunNotStarted { event });
    }
    Ok(run)
}
