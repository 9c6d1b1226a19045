//! Statements 3 and 4 for child runs: a child begins with the record of it, its end is recorded once
//! as it was, and no attached child outlives its parent unasked.

use rewake_core::entity::{Run, Step};
use rewake_core::event::{EventKind, FailureKind};
use rewake_core::id::RunId;

use super::History;
use crate::shadow::Followed;

pub(super) fn check(history: &History<'_>) -> Result<(), String> {
    for (run, followed) in history.runs {
        let told = |problem| format!("run {run}: {problem}");
        is_recorded(history, *run, followed).map_err(told)?;
        for step in followed.entities.steps().values() {
            if let Some(child) = step.child {
                let begun = history.runs.get(&child.run);
                let begun = begun.ok_or_else(|| told(format!("child {} is missing", child.run)))?;
                recorded_as_it_was(step, begun).map_err(told)?;
            }
        }
    }
    Ok(())
}

fn run_of(followed: &Followed) -> Result<&Run, String> {
    let run = followed.entities.run();
    run.ok_or_else(|| "a log has no beginning".to_owned())
}

/// A child stands in its parent's log, and hears of its parent's end.
fn is_recorded(history: &History<'_>, child: RunId, followed: &Followed) -> Result<(), String> {
    let run = run_of(followed)?;
    let Some(belongs) = &run.parent else {
        return Ok(());
    };
    let parent = history
        .runs
        .get(&belongs.run)
        .ok_or("its parent is missing")?;
    let names_it = |kind: &&EventKind| {
        matches!(kind, EventKind::StepCreated { step, child: Some(of), .. }
            if *step == belongs.step && of.run == child && of.detached == belongs.detached)
    };
    let times = parent.events().filter(names_it).count();
    if times != 1 {
        return Err(format!("its parent has started it {times} times"));
    }
    let over = run_of(parent)?.status.is_terminal();
    if over && !belongs.detached && !run.status.is_terminal() && !run.cancel_requested {
        return Err("its parent has ended, and nobody asked it to".to_owned());
    }
    Ok(())
}

/// What the parent has of a child's end is how it ended; where it has none, one of both goes on or
/// has ended first.
fn recorded_as_it_was(step: &Step, child: &Followed) -> Result<(), String> {
    if step.ended_at.is_none() || step.child.is_some_and(|child| child.detached) {
        return Ok(());
    }
    let end = child.events().find(|kind| kind.is_terminal());
    let fits = match end {
        Some(EventKind::RunCompleted { output }) => step.result.as_ref() == Some(output),
        Some(EventKind::RunFailed { error }) => {
            step.failure == Some(FailureKind::Fatal) && step.error.as_ref() == Some(error)
        }
        Some(EventKind::RunCancelled { terminated, .. }) => {
            let kind = if *terminated {
                FailureKind::Terminated
            } else {
                FailureKind::Cancelled
            };
            step.failure == Some(kind)
        }
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!(
            "step {} does not say how its child ended: {end:?}",
            step.id
        ))
    }
}
