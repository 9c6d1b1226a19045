//! What became of each payload: one fate, and the one that its sender was told of.

use std::collections::{BTreeMap, BTreeSet};

use rewake_core::event::{CreatedBy, EventKind};
use rewake_core::id::HookId;
use rewake_core::time::Timestamp;

use super::history::{Answer, History, Seen, Sent, Way};
use super::hook::{self, Hook};
use super::reply;

/// What became of a payload in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// Its workflow read it.
    Read,
    /// It is listed as unread.
    Unread,
    /// It waits where its workflow may still read it.
    Waits,
    /// The mailbox keeps it.
    Kept,
    /// The mailbox kept it until its time was over.
    Expired,
    /// It was never taken.
    Never,
}

impl Fate {
    /// All, as they are counted.
    pub(crate) const NAMES: [&'static str; 6] = [
        "fate read",
        "fate unread",
        "fate waits",
        "fate kept",
        "fate expired",
        "fate never-taken",
    ];

    /// How it is counted.
    pub(crate) const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// A place where a payload stood, and what happened to it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stood {
    Read,
    /// Read by a workflow that was ended from outside before that was on record.
    ReadOrLeft,
    Unread,
    Waits,
    /// Nobody will read it here.
    Left,
}

/// Decides the fate of every payload.
///
/// # Errors
///
/// What breaks the contract.
pub(crate) fn check(history: &History) -> Result<Vec<Fate>, String> {
    let mut hooks = BTreeMap::new();
    for seen in &history.runs {
        hook::of_run(seen, &mut hooks).map_err(|problem| format!("run {}: {problem}", seen.run))?;
    }
    hook::one_hook_per_token(&hooks, &history.live)?;
    one_run_per_admission(history)?;
    let numbers: BTreeSet<u64> = history.sent.iter().map(|sent| sent.number).collect();
    let taken = hooks.values().flat_map(|hook| &hook.took);
    let mailed = history.mail.iter().map(|(_, number, _)| number);
    if let Some(number) = taken.chain(mailed).find(|number| !numbers.contains(number)) {
        return Err(format!("payload {number} was sent by nobody"));
    }
    let fates = history.sent.iter().map(|sent| {
        fate(sent, &hooks, history).map_err(|problem| {
            let Sent {
                number, answers, ..
            } = sent;
            format!("payload {number}, answered {answers:?}: {problem}")
        })
    });
    fates.collect()
}

/// A payload starts one run at most, and only one that was sent to start one.
fn one_run_per_admission(history: &History) -> Result<(), String> {
    let mut started = BTreeSet::new();
    for seen in &history.runs {
        let admitted = seen.events.iter().any(|event| {
            let by = |by: &CreatedBy| *by == CreatedBy::Admission;
            matches!(&event.kind, EventKind::RunCreated { created_by, .. } if by(created_by))
        });
        if !admitted {
            continue;
        }
        let serial = seen.serial;
        let asked = history
            .sent
            .iter()
            .any(|sent| sent.number == serial && sent.way == Way::Admission);
        if !asked || !started.insert(serial) {
            return Err(format!("payload {serial} started run {} too", seen.run));
        }
    }
    Ok(())
}

fn fate(sent: &Sent, hooks: &BTreeMap<HookId, Hook>, history: &History) -> Result<Fate, String> {
    let places: Vec<(HookId, &Hook)> = hooks
        .iter()
        .filter(|(_, hook)| hook.took.contains(&sent.number))
        .map(|(id, hook)| (*id, hook))
        .collect();
    let mail: Vec<_> = history
        .mail
        .iter()
        .filter(|mail| mail.1 == sent.number)
        .collect();
    routed(sent, &places, &mail)?;
    answered(sent, &places, !mail.is_empty())?;
    if let Way::Request(request) = &sent.way {
        let has_it = |run: &&Seen| places.iter().any(|(_, hook)| hook.run == run.run);
        reply::answered(sent, *request, history.runs.iter().find(has_it))?;
    }
    let stood: Vec<Stood> = places
        .iter()
        .map(|(_, hook)| stood(hook, sent.number))
        .collect::<Result<_, _>>()?;
    let count = |wanted: Stood| stood.iter().filter(|stood| **stood == wanted).count();
    let settled = [
        (Fate::Read, count(Stood::Read)),
        (Fate::Unread, count(Stood::Unread)),
        (Fate::Waits, count(Stood::Waits)),
        (Fate::Kept, mail.len()),
    ];
    let all: usize = settled.iter().map(|(_, n)| n).sum();
    let found = settled.iter().find(|(_, n)| *n > 0).map(|(fate, _)| *fate);
    match (all, found) {
        (1, Some(fate)) => Ok(fate),
        (0, None) if count(Stood::ReadOrLeft) > 0 => Ok(Fate::Read),
        (0, None) => lost_or_over(sent, places.is_empty(), history.now),
        _ => Err(format!("it has {all} fates: {settled:?}")),
    }
}

/// What is in no log to be read and not in the mailbox was never taken, or the mailbox has dropped it
/// in time.
fn lost_or_over(sent: &Sent, nowhere: bool, now: Timestamp) -> Result<Fate, String> {
    let acknowledged = sent.answers.iter().any(Answer::is_done);
    let over = matches!(sent.way, Way::Mail { earliest, .. } if earliest <= now);
    if (acknowledged || !nowhere) && over {
        Ok(Fate::Expired)
    } else if !acknowledged && nowhere {
        Ok(Fate::Never)
    } else {
        Err("it is lost".to_owned())
    }
}

/// It stands under its own token only, and in more than one place only where it may go on.
fn routed(
    sent: &Sent,
    places: &[(HookId, &Hook)],
    mail: &[&(String, u64, Timestamp)],
) -> Result<(), String> {
    let tokens = places.iter().map(|(_, hook)| &hook.token);
    let astray = tokens
        .chain(mail.iter().map(|mail| &mail.0))
        .find(|token| **token != sent.token);
    if let Some(token) = astray {
        return Err(format!("sent to {}, it went to {token}", sent.token));
    }
    match sent.way {
        Way::Resume | Way::Request(_) if places.len() + mail.len() > 1 => {
            Err("it stands in two places, and may go nowhere".to_owned())
        }
        Way::Mail { latest, .. } if mail.iter().any(|mail| mail.2 > latest) => {
            Err("it is kept for longer than it was posted for".to_owned())
        }
        Way::Resume | Way::Admission | Way::Mail { .. } | Way::Request(_) => Ok(()),
    }
}

/// Whoever was told that it was taken was told the same each time, and it is there; nobody's payload
/// was taken who was told that it was not.
fn answered(sent: &Sent, places: &[(HookId, &Hook)], kept: bool) -> Result<(), String> {
    let mut done = sent.answers.iter().filter(|answer| answer.is_done());
    let Some(first) = done.next() else {
        let unknown = sent.answers.contains(&Answer::Unknown);
        return if unknown || (places.is_empty() && !kept) {
            Ok(())
        } else {
            Err("it was not acknowledged, and was taken".to_owned())
        };
    };
    // What callers of webhooks are answered has a page of its own.
    let in_two_ways = |answer: &Answer| answer != first && !matches!(answer, Answer::Replied(_));
    if done.any(in_two_ways) {
        return Err("the same key was answered in two ways".to_owned());
    }
    forgotten(sent)?;
    match first {
        Answer::Taken { run, hook, .. } => {
            let there = places.iter().any(|(id, of)| id == hook && of.run == *run);
            there
                .then_some(())
                .ok_or_else(|| format!("it is not in hook {hook} of run {run}"))
        }
        Answer::Replied(_) if places.is_empty() => {
            Err("its caller was answered, and no webhook has it".to_owned())
        }
        Answer::Replied(_)
        | Answer::Kept(_)
        | Answer::Nobody
        | Answer::Refused
        | Answer::Unsigned
        | Answer::Unknown => Ok(()),
    }
}

/// Schedules are over sooner than keys are forgotten: whoever repeats what was taken hears of it again.
fn forgotten(sent: &Sent) -> Result<(), String> {
    let after = sent.answers.iter().skip_while(|answer| !answer.is_done());
    if after.clone().any(|answer| *answer == Answer::Nobody) {
        return Err("it was taken, and its repetition was told that nobody is there".to_owned());
    }
    Ok(())
}

fn stood(hook: &Hook, number: u64) -> Result<Stood, String> {
    let same = hook.took.iter().filter(|taken| **taken == number).count();
    if same > 1 {
        return Err(format!("one hook of run {} took it {same} times", hook.run));
    }
    let read = hook.took.iter().take(hook.read).any(|read| *read == number);
    let unread = hook.unread.contains(&number);
    match (read, unread) {
        (true, true) if hook.is_torn() => Ok(Stood::Unread),
        (true, true) => Err(format!("run {} read it and lists it as unread", hook.run)),
        (true, false) if hook.is_torn() => Ok(Stood::ReadOrLeft),
        (true, false) => Ok(Stood::Read),
        (false, true) => Ok(Stood::Unread),
        (false, false) if hook.is_gone() => Ok(Stood::Left),
        (false, false) => Ok(Stood::Waits),
    }
}
