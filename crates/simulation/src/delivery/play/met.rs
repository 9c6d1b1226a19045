//! Counts what became of payloads, requests and runs, and on which ways.

use rewake_core::event::EventKind;

use super::number;
use crate::delivery::model::{Answer, Fate, History, Sent, Way};
use crate::world::World;

/// What follows from schedules and is done by nobody.
pub(crate) const MET: [&str; 14] = [
    "met handed-on",
    "met returned",
    "met left-mailbox",
    "met same-answer",
    "met unknown-and-taken",
    "met unknown-and-never-taken",
    "met redelivered",
    "met refused-signature",
    "met dropped-receiver",
    "met hook-expired",
    "met run-finished",
    "met run-failed",
    "met run-cancelled",
    "met run-terminated",
];

/// Counts what became of payloads, requests and runs, and on which ways.
pub(super) fn count(world: &World, history: &History, fates: &[Fate]) {
    for (sent, fate) in history.sent.iter().zip(fates) {
        world.count(fate.name());
        sent.replies()
            .for_each(|reply| world.count(reply.said.name()));
        for (_, name) in met(sent, *fate, history)
            .into_iter()
            .filter(|(met, _)| *met)
        {
            world.count(name);
        }
    }
    for run in &history.runs {
        run.dropped.iter().for_each(|_| world.count(MET[8]));
        for event in &run.events {
            if let Some(name) = met_event(&event.kind) {
                world.count(name);
            }
        }
    }
}

fn met(sent: &Sent, fate: Fate, history: &History) -> [(bool, &'static str); 8] {
    let answers = || sent.answers.iter();
    let places = places(history, sent.number);
    let unknown = answers().all(|answer| *answer == Answer::Unknown);
    let kept = answers().any(|answer| matches!(answer, Answer::Kept(_)));
    let repeated = answers().filter(|answer| answer.is_done()).count() > 1;
    let is_request = matches!(sent.way, Way::Request(_));
    [
        (sent.way == Way::Admission && places > 1, MET[0]),
        (fate == Fate::Kept && places > 0, MET[1]),
        (kept && places > 0, MET[2]),
        (repeated && !is_request, MET[3]),
        (unknown && fate != Fate::Never, MET[4]),
        (unknown && fate == Fate::Never, MET[5]),
        (repeated && is_request, MET[6]),
        (sent.answers.contains(&Answer::Unsigned), MET[7]),
    ]
}

const fn met_event(kind: &EventKind) -> Option<&'static str> {
    match kind {
        EventKind::HookExpired { .. } => Some(MET[9]),
        EventKind::RunCompleted { .. } => Some(MET[10]),
        EventKind::RunFailed { .. } => Some(MET[11]),
        EventKind::RunCancelled {
            terminated: false, ..
        } => Some(MET[12]),
        EventKind::RunCancelled {
            terminated: true, ..
        } => Some(MET[13]),
        _ => None,
    }
}

fn places(history: &History, wanted: u64) -> usize {
    let events = history.runs.iter().flat_map(|run| &run.events);
    let here = events.filter(|event| match &event.kind {
        EventKind::HookReceived { payload, .. } => number(payload) == Some(wanted),
        _ => false,
    });
    here.count()
}
