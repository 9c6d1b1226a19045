//! Statement 2: every accepted payload is in the logs once, and is received in order, once.

use std::collections::BTreeMap;

use rewake_core::entity::RunStatus;
use rewake_core::event::EventKind;
use rewake_core::id::{HookId, RunId};

use super::History;
use crate::ledger::{CallAsked, ResumeAsked, Told};
use crate::program::{Op, contains};
use crate::shadow::{Followed, number_of};
use crate::workload::{Code, Seen};

type Recorded = BTreeMap<u64, Vec<(RunId, HookId)>>;

pub(super) fn check(history: &History<'_>) -> Result<(), String> {
    let recorded = recorded(history.runs)?;
    for asked in &history.entries.resumes {
        resume(asked, &recorded)
            .map_err(|problem| format!("payload {}: {problem}", asked.payload))?;
    }
    for call in &history.entries.calls {
        answered(call, history)?;
    }
    for (run, seen) in &history.entries.seen {
        let followed = history.runs.get(run);
        let followed = followed.ok_or_else(|| format!("run {run} was seen and is gone"))?;
        received(seen, followed, is_whole(history, followed))
            .map_err(|problem| format!("run {run}: {problem}"))?;
    }
    Ok(())
}

fn recorded(runs: &BTreeMap<RunId, Followed>) -> Result<Recorded, String> {
    let mut recorded = Recorded::new();
    for (run, followed) in runs {
        for (hook, payload) in payloads(followed)? {
            recorded.entry(payload).or_default().push((*run, hook));
        }
    }
    Ok(recorded)
}

fn payloads(followed: &Followed) -> Result<Vec<(HookId, u64)>, String> {
    let received = followed.events().filter_map(|kind| match kind {
        EventKind::HookReceived { hook, payload, .. } => Some((*hook, payload)),
        _ => None,
    });
    received
        .map(|(hook, payload)| {
            let number = number_of(payload).ok_or("a payload without a number")?;
            Ok((hook, number))
        })
        .collect()
}

fn resume(asked: &ResumeAsked, recorded: &Recorded) -> Result<(), String> {
    let places = recorded.get(&asked.payload).map_or(&[][..], Vec::as_slice);
    let mut told = asked.told.iter().filter_map(|told| match told {
        Told::Done(hook) => Some(*hook),
        Told::Nothing | Told::Refused(_) | Told::Unknown => None,
    });
    let fits = match (told.next(), places) {
        (Some(first), [place]) => first == *place && told.all(|other| other == first),
        (None, []) => true,
        (None, [_]) => asked.told.contains(&Told::Unknown),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!(
            "sent to {}, recorded at {places:?}, told {:?}",
            asked.token, asked.told
        ))
    }
}

/// Whoever was answered was answered by the workflow, which had got the request.
fn answered(call: &CallAsked, history: &History<'_>) -> Result<(), String> {
    let followed = history.runs.get(&call.run).ok_or("its run is gone")?;
    if !is_whole(history, followed) {
        return Ok(());
    }
    let seen = history.entries.seen.get(&call.run);
    let seen = seen.map_or(&[][..], Vec::as_slice);
    let got = |seen: &Seen| matches!(seen, Seen::Request(_, n) if *n == call.payload);
    if knows(seen, &got) {
        Ok(())
    } else {
        Err(format!(
            "call {} was answered, and the workflow never got it",
            call.payload
        ))
    }
}

/// Whether everything is known that the workflow of a run saw. What nested workflows saw is lost
/// where they come to no end, and changed code, which may have led the run, writes nothing down.
fn is_whole(history: &History<'_>, followed: &Followed) -> bool {
    let program = super::rest::program(&followed.entities);
    let nests = program.is_none_or(|program| {
        contains(&program, &|op| {
            matches!(op, Op::Nested(_) | Op::Recurse(..))
        })
    });
    let is_right = followed.code == Some(Code::Right) || !history.changed;
    !nests && is_right
}

fn knows(seen: &[Seen], wanted: &impl Fn(&Seen) -> bool) -> bool {
    seen.iter().any(|seen| {
        let nested = match seen {
            Seen::Nested(inner) => knows(inner, wanted),
            _ => false,
        };
        nested || wanted(seen)
    })
}

/// What the workflow received from each hook is the beginning of what the hook took in.
fn received(seen: &[Seen], followed: &Followed, whole: bool) -> Result<(), String> {
    let mut taken_in: BTreeMap<HookId, Vec<u64>> = BTreeMap::new();
    for (hook, payload) in payloads(followed)? {
        taken_in.entry(hook).or_default().push(payload);
    }
    let mut received: BTreeMap<HookId, Vec<u64>> = BTreeMap::new();
    gather(seen, followed, &mut received)?;
    for (hook, received) in &received {
        let taken_in = taken_in.get(hook).map_or(&[][..], Vec::as_slice);
        if !taken_in.starts_with(received) {
            return Err(format!(
                "hook {hook} took in {taken_in:?}, and its workflow received {received:?}"
            ));
        }
    }
    counted(&received, followed, whole)
}

fn gather(
    seen: &[Seen],
    followed: &Followed,
    received: &mut BTreeMap<HookId, Vec<u64>>,
) -> Result<(), String> {
    for seen in seen {
        match seen {
            Seen::Payload(hook, payload) | Seen::Undecodable(hook, payload) => {
                let hook: HookId = hook.parse().map_err(|_| format!("{hook} is no hook"))?;
                received.entry(hook).or_default().push(*payload);
            }
            Seen::Request(token, payload) => {
                let mut hooks = followed.entities.hooks().values();
                let hook = hooks.find(|hook| hook.token.as_str() == token);
                let hook = hook.ok_or("a request to a webhook that is not in the log")?;
                received.entry(hook.id).or_default().push(*payload);
            }
            Seen::Nested(seen) => gather(seen, followed, received)?,
            Seen::Serial(_)
            | Seen::Value(_)
            | Seen::Failed(..)
            | Seen::Hook(..)
            | Seen::Conflict(_)
            | Seen::Answered(..)
            | Seen::Over(..)
            | Seen::Closed(_)
            | Seen::Webhook(..)
            | Seen::Dropped(_)
            | Seen::Elapsed
            | Seen::Woke
            | Seen::Asked(..)
            | Seen::Won(_)
            | Seen::Undo(_)
            | Seen::Child(_)
            | Seen::LetGo(_) => {}
        }
    }
    Ok(())
}

/// What the worker's appends say was taken is what the workflow received; the rest is unread.
fn counted(
    received: &BTreeMap<HookId, Vec<u64>>,
    followed: &Followed,
    whole: bool,
) -> Result<(), String> {
    let entities = &followed.entities;
    let ended = entities.run().map(|run| run.status);
    for hook in entities.hooks().values() {
        let received = received.get(&hook.id).map_or(0, Vec::len) as u64;
        let fits = match ended {
            // The end has put every payload that was taken on record.
            Some(RunStatus::Completed | RunStatus::Failed) if whole => hook.taken == received,
            Some(RunStatus::Completed) => hook.taken >= received,
            Some(
                RunStatus::Failed | RunStatus::Cancelled | RunStatus::Pending | RunStatus::Running,
            )
            | None => true,
        };
        if hook.taken > hook.received || !fits {
            return Err(format!(
                "hook {} has {} payloads counted as taken of {}, and its workflow received {received}",
                hook.id, hook.taken, hook.received
            ));
        }
    }
    Ok(())
}
