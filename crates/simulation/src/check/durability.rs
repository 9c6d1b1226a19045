//! Statements 1 and 8: what was answered is in the logs, what was refused is not.

use std::collections::BTreeMap;

use rewake_core::event::EventKind;
use rewake_core::id::RunId;
use rewake_core::payload;

use super::History;
use crate::ledger::{CancelAsked, StartAsked, Told};
use crate::program::Program;
use crate::shadow::Followed;
use crate::workload::Seen;

pub(super) fn check(history: &History<'_>) -> Result<(), String> {
    let started = started(history.runs)?;
    for asked in &history.entries.starts {
        start(asked, &started).map_err(|problem| format!("start {}: {problem}", asked.serial))?;
    }
    for asked in &history.entries.cancels {
        cancel(asked, history.runs)
            .map_err(|problem| format!("request `{}`: {problem}", asked.reason))?;
    }
    for (run, seen) in &history.entries.seen {
        let followed = history.runs.get(run).ok_or("a run that was seen is gone")?;
        hooks(seen, followed).map_err(|problem| format!("run {run}: {problem}"))?;
    }
    Ok(())
}

/// Statement 7: a log has one end, and nothing after it.
pub(super) fn one_end(history: &History<'_>) -> Result<(), String> {
    for (run, followed) in history.runs {
        ends(followed).map_err(|problem| format!("run {run}: {problem}"))?;
    }
    Ok(())
}

/// A hook that was registered or closed, as its workflow was told, is so in the log.
fn hooks(seen: &[Seen], followed: &Followed) -> Result<(), String> {
    let hooks = followed.entities.hooks();
    let find = |name: &str| {
        let mut hooks = hooks.values();
        hooks.find(|hook| hook.id.to_string() == name || hook.token.as_str() == name)
    };
    for seen in seen {
        match seen {
            Seen::Hook(_, token) if find(token).is_none() => {
                return Err(format!(
                    "its workflow has a hook `{token}`, and its log does not"
                ));
            }
            Seen::Closed(name) if find(name).is_none_or(|hook| hook.is_live()) => {
                return Err(format!(
                    "its workflow closed hook {name}, and its log did not"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

type Started = BTreeMap<u64, Vec<(RunId, Program)>>;

fn started(runs: &BTreeMap<RunId, Followed>) -> Result<Started, String> {
    let mut started = Started::new();
    for (id, followed) in runs {
        let run = followed.entities.run().ok_or("a log has no beginning")?;
        let (serial, program): (u64, Program) =
            payload::decode(&run.input).map_err(|error| format!("run {id}: {error}"))?;
        started.entry(serial).or_default().push((*id, program));
    }
    Ok(started)
}

fn start(asked: &StartAsked, started: &Started) -> Result<(), String> {
    let runs = started.get(&asked.serial).map_or(&[][..], Vec::as_slice);
    let told = asked.told.iter().filter_map(|told| match told {
        Told::Done(run) => Some(*run),
        Told::Nothing | Told::Refused(_) | Told::Unknown => None,
    });
    let told: Vec<RunId> = told.collect();
    let unknown = asked.told.contains(&Told::Unknown);
    if runs.iter().any(|(_, program)| *program != asked.program) {
        return Err("its run has other arguments".to_owned());
    }
    match (runs, told.as_slice()) {
        ([], []) => Ok(()),
        ([_], []) if unknown => Ok(()),
        ([(run, _)], told) if !told.is_empty() && told.iter().all(|told| told == run) => Ok(()),
        (runs, _) => Err(format!(
            "{} runs came of it, and those outside were told {:?}",
            runs.len(),
            asked.told
        )),
    }
}

fn cancel(asked: &CancelAsked, runs: &BTreeMap<RunId, Followed>) -> Result<(), String> {
    let followed = runs.get(&asked.run).ok_or("its run is gone")?;
    let recorded = followed
        .events()
        .filter(|kind| {
            matches!(kind, EventKind::RunCancelRequested { reason } if reason.as_ref() == Some(&asked.reason))
        })
        .count();
    let fits = match &asked.told {
        Told::Done(()) => recorded == 1,
        Told::Unknown => recorded <= 1,
        Told::Nothing | Told::Refused(_) => recorded == 0,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("recorded {recorded} times, told {:?}", asked.told))
    }
}

fn ends(followed: &Followed) -> Result<(), String> {
    let ends = followed.events().filter(|kind| kind.is_terminal()).count();
    let last_ends = followed.events().last().is_some_and(EventKind::is_terminal);
    let ended = followed
        .entities
        .run()
        .is_some_and(|run| run.status.is_terminal());
    if ends == usize::from(ended) && last_ends == ended {
        Ok(())
    } else {
        Err(format!("its log has {ends} ends"))
    }
}
