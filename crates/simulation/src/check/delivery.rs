//! Statement 2: every accepted payload is in the logs once, and is received in order, once.

use std::collections::BTreeMap;

use rewake_core::entity::RunStatus;
use rewake_core::event::EventKind;
use rewake_core::id::{HookId, RunId};
use rewake_core::payload;

use super::History;
use crate::ledger::{ResumeAsked, Told};
use crate::shadow::Followed;
use crate::workload::Seen;

type Recorded = BTreeMap<u64, Vec<(RunId, HookId)>>;

pub(super) fn check(history: &History<'_>) -> Result<(), String> {
    let recorded = recorded(history.runs)?;
    for asked in &history.entries.resumes {
        resume(asked, &recorded)
            .map_err(|problem| format!("payload {}: {problem}", asked.payload))?;
    }
    for (run, seen) in &history.entries.seen {
        let followed = history.runs.get(run);
        let followed = followed.ok_or_else(|| format!("run {run} was seen and is gone"))?;
        received(seen, followed).map_err(|problem| format!("run {run}: {problem}"))?;
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
            let number = payload::decode(payload).map_err(|error| error.to_string())?;
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

/// What the workflow received from each hook is the beginning of what the hook took in.
fn received(seen: &[Seen], followed: &Followed) -> Result<(), String> {
    let mut taken_in: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (hook, payload) in payloads(followed)? {
        taken_in.entry(hook.to_string()).or_default().push(payload);
    }
    let mut received: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    gather(seen, &mut received);
    for (hook, received) in &received {
        let taken_in = taken_in.get(*hook).map_or(&[][..], Vec::as_slice);
        if !taken_in.starts_with(received) {
            return Err(format!(
                "hook {hook} took in {taken_in:?}, and its workflow received {received:?}"
            ));
        }
    }
    counted(&received, followed)
}

fn gather<'a>(seen: &'a [Seen], received: &mut BTreeMap<&'a str, Vec<u64>>) {
    for seen in seen {
        match seen {
            Seen::Payload(hook, payload) => received.entry(hook).or_default().push(*payload),
            Seen::Nested(seen) => gather(seen, received),
            _ => {}
        }
    }
}

/// What the worker's appends say was taken is what the workflow received.
fn counted(received: &BTreeMap<&str, Vec<u64>>, followed: &Followed) -> Result<(), String> {
    let entities = &followed.entities;
    let ended = entities.run().map(|run| run.status);
    for hook in entities.hooks().values() {
        let received = received.get(&*hook.id.to_string()).map_or(0, Vec::len) as u64;
        // A nested workflow that came to no end has received what nobody saw.
        let seen_whole = ended == Some(RunStatus::Completed);
        if hook.taken > hook.received || (seen_whole && hook.taken < received) {
            return Err(format!(
                "hook {} has {} payloads counted as taken of {}, and its workflow received {received}",
                hook.id, hook.taken, hook.received
            ));
        }
    }
    Ok(())
}
