//! Undo calls: they run where the workflow failed or was cancelled, the newest first, one after the
//! other, each once, and nowhere else.

use std::collections::BTreeSet;

use rewake_core::event::EventKind;
use rewake_core::id::WaitId;
use rewake_core::payload;

use super::History;
use super::rest::program;
use crate::program::{Op, Program, Script, contains};
use crate::shadow::Followed;
use crate::workload::{Code, Seen, TAKE_BACK};

pub(super) fn check(history: &History<'_>) -> Result<(), String> {
    for (run, followed) in history.runs {
        // Changed code leaves no word of what it keeps, nor does a workflow inside another.
        let is_known = !history.changed || followed.code == Some(Code::Right);
        let program = program(&followed.entities).unwrap_or_default();
        if !is_known || keeps_out_of_sight(&program) {
            continue;
        }
        let seen = history.entries.seen.get(run).map_or(&[][..], Vec::as_slice);
        undone(seen, followed).map_err(|problem| format!("run {run}: {problem}"))?;
    }
    Ok(())
}

/// What cancelled and failed runs have done before their end.
pub(super) fn met(history: &History<'_>) -> Vec<&'static str> {
    let mut met = Vec::new();
    for (run, followed) in history.runs {
        let [shields, _] = WaitId::clean_up(*run);
        let undoes = in_order(followed).is_ok_and(|undone| !undone.is_empty());
        for kind in followed.events() {
            met.extend(match kind {
                EventKind::WaitCancelled { wait } if *wait == shields => {
                    Some("met shield-finished")
                }
                EventKind::WaitCompleted { wait } if *wait == shields => {
                    Some("met shield-cut-short")
                }
                EventKind::RunFailed { .. } if undoes => Some("met undone-after-failure"),
                EventKind::RunCancelled { .. } if undoes => Some("met undone-after-cancel"),
                _ => None,
            });
        }
    }
    met
}

fn keeps_out_of_sight(program: &Program) -> bool {
    let keeps = |op: &Op| matches!(op, Op::Undo(_));
    contains(program, &|op| match op {
        Op::Nested(body) | Op::Recurse(_, body) => contains(body, &keeps),
        _ => false,
    })
}

fn undone(seen: &[Seen], followed: &Followed) -> Result<(), String> {
    let kept = seen.iter().rev().filter_map(|seen| match seen {
        Seen::Undo(n) => Some(*n),
        _ => None,
    });
    let kept: Vec<u64> = kept.collect();
    let undone = in_order(followed)?;
    let (all, some) = (undone == kept, kept.starts_with(&undone));
    let fits = match followed.events().last() {
        Some(EventKind::RunFailed { .. }) => all,
        Some(EventKind::RunCancelled {
            terminated: false,
            reason,
        }) => {
            let in_time = reason
                .as_ref()
                .is_none_or(|reason| !reason.contains("undo calls"));
            if in_time { all } else { some }
        }
        Some(EventKind::RunCompleted { .. } | EventKind::RunContinued { .. }) => undone.is_empty(),
        _ => some,
    };
    if fits {
        Ok(())
    } else {
        let end = followed.events().last().map(EventKind::name);
        Err(format!(
            "it undid {undone:?} of {kept:?}, and its log ends with {end:?}"
        ))
    }
}

/// The undo calls that began, by number; each only once the one before has ended.
fn in_order(followed: &Followed) -> Result<Vec<u64>, String> {
    let (mut undone, mut open) = (Vec::new(), BTreeSet::new());
    for kind in followed.events() {
        match kind {
            EventKind::StepCreated {
                step, name, input, ..
            } if name == TAKE_BACK => {
                let args: Result<(u64, Script), _> = payload::step_args(input);
                let (n, _) = args.map_err(|error| error.to_string())?;
                if !open.is_empty() {
                    return Err(format!("undo call {n} began beside another"));
                }
                open.insert(*step);
                undone.push(n);
            }
            EventKind::StepCompleted { step, .. } | EventKind::StepFailed { step, .. } => {
                open.remove(step);
            }
            _ => {}
        }
    }
    Ok(undone)
}
