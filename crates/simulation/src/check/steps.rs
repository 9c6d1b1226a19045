//! Statement 3: a step that a workflow saw end ran, and its end was recorded once.

use std::collections::BTreeMap;

use rewake_core::entity::StepStatus;
use rewake_core::event::EventKind;
use rewake_core::id::StepId;
use rewake_core::payload;

use super::History;
use crate::ledger::Execution;
use crate::shadow::Followed;
use crate::workload::Seen;

pub(super) fn check(history: &History<'_>) -> Result<(), String> {
    for (run, followed) in history.runs {
        let executions = &history.entries.executions;
        ends(followed, executions).map_err(|problem| format!("run {run}: {problem}"))?;
        let seen = history.entries.seen.get(run).map_or(&[][..], Vec::as_slice);
        values(seen, followed, executions).map_err(|problem| format!("run {run}: {problem}"))?;
    }
    attempts(history)
}

/// Every recorded result is one that the step gave; each step has at most one end.
fn ends(followed: &Followed, executions: &[Execution]) -> Result<(), String> {
    let mut ended: BTreeMap<StepId, u32> = BTreeMap::new();
    for kind in followed.events() {
        match kind {
            EventKind::StepCompleted { step, result } => {
                *ended.entry(*step).or_default() += 1;
                // Other steps than the workload's give no number.
                let Ok(value) = payload::decode::<u64>(result) else {
                    continue;
                };
                let execution = usize::try_from(value).ok().and_then(|n| executions.get(n));
                if execution.is_none_or(|execution| execution.step != *step || !execution.ended) {
                    return Err(format!(
                        "step {step} has the result {value}, which is that of {execution:?}"
                    ));
                }
            }
            EventKind::StepFailed { step, .. } => *ended.entry(*step).or_default() += 1,
            _ => {}
        }
    }
    match ended.iter().find(|(_, times)| **times > 1) {
        Some((step, times)) => Err(format!("step {step} ended {times} times")),
        None => Ok(()),
    }
}

/// What the workflow saw of its steps is in the log.
fn values(seen: &[Seen], followed: &Followed, executions: &[Execution]) -> Result<(), String> {
    for seen in seen {
        match seen {
            Seen::Nested(seen) => values(seen, followed, executions)?,
            Seen::Value(value) => {
                let step = usize::try_from(*value).ok().and_then(|n| executions.get(n));
                let step = step.ok_or("a value from nowhere")?.step;
                let recorded = followed.entities.steps().get(&step);
                let recorded = recorded.and_then(|step| step.result.as_ref());
                let recorded = recorded.and_then(|result| payload::decode::<u64>(result).ok());
                if recorded != Some(*value) {
                    return Err(format!(
                        "its workflow saw {value} of step {step}, the log has {recorded:?}"
                    ));
                }
            }
            Seen::Failed(step, how) if !failed(step, followed) => {
                return Err(format!(
                    "its workflow saw step {step} fail ({how}), and the log did not"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn failed(step: &str, followed: &Followed) -> bool {
    let mut steps = followed.entities.steps().values();
    steps.any(|known| known.id.to_string() == step && known.status == StepStatus::Failed)
}

/// A step without retries runs at most once; any other at most once for each attempt it may have and
/// each process that took it over.
fn attempts(history: &History<'_>) -> Result<(), String> {
    let mut begun: BTreeMap<StepId, Vec<&Execution>> = BTreeMap::new();
    for execution in &history.entries.executions {
        begun.entry(execution.step).or_default().push(execution);
    }
    for (step, executions) in begun {
        let followed = history.runs.get(&executions[0].run);
        let known = followed.and_then(|followed| followed.entities.steps().get(&step));
        let Some(known) = known else {
            // It began, and before that was on record its run came to an end, or to another worker.
            continue;
        };
        let last = executions.iter().map(|execution| execution.attempt).max();
        if last > Some(known.max_attempts()) {
            return Err(format!("step {step} had an attempt {last:?}"));
        }
        let times = u32::try_from(executions.len()).unwrap_or(u32::MAX);
        let most = match known.options.max_retries {
            0 => 1,
            _ => known.max_attempts() + history.takeovers,
        };
        if times > most {
            return Err(format!(
                "step {step} ran {times} times, and may run {most} times: {executions:?}"
            ));
        }
    }
    Ok(())
}
