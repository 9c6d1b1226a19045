//! The model of the delivery contract: what must have become of every payload.
//!
//! It knows what everybody was told, what workflows saw, and what the public queries show at the end.
//! From these alone it decides the fate of each payload. It must not know how a store or a judge
//! comes to its verdicts.

use std::collections::{BTreeMap, BTreeSet};

use rewake_core::event::{CreatedBy, Disposal, Event, EventKind};
use rewake_core::id::{HookId, RunId};
use rewake_core::time::Timestamp;

/// What somebody was told who sent a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This hook has it.
    Taken {
        run: RunId,
        hook: HookId,
        started: bool,
    },
    /// The mailbox has it.
    Kept(Timestamp),
    /// No live hook has the token.
    Nobody,
    /// It was refused.
    Refused,
    /// It may have been taken.
    Unknown,
}

/// By which door a payload was sent, and so where it may go when it is left unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It stays.
    Resume,
    /// It goes into the run that it starts, or that another one starts.
    Admission,
    /// It goes back to the mailbox, until a time between these.
    Mail {
        earliest: Timestamp,
        latest: Timestamp,
    },
}

/// A payload that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) number: u64,
    pub(crate) token: String,
    pub(crate) way: Way,
    /// One for each time.
    pub(crate) answers: Vec<Answer>,
}

/// A run, as the public queries show it, and what its workflow saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) run: RunId,
    /// The act whose script it follows.
    pub(crate) serial: u64,
    pub(crate) events: Vec<Event>,
    /// What is listed as unread.
    pub(crate) unread: Vec<(HookId, u64)>,
    /// What the workflow read, in order.
    pub(crate) read: Vec<(HookId, u64)>,
}

/// All that is known at the end.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) now: Timestamp,
    pub(crate) sent: Vec<Sent>,
    pub(crate) runs: Vec<Seen>,
    /// What the mailbox keeps: token, number, until when.
    pub(crate) mail: Vec<(String, u64, Timestamp)>,
    /// The live hooks that are listed.
    pub(crate) live: Vec<(String, HookId)>,
}

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

/// A hook, as a log tells of it.
#[derive(Debug)]
struct Hook {
    run: RunId,
    token: String,
    since: Timestamp,
    /// When its token was free again.
    until: Option<Timestamp>,
    /// The receiver is gone.
    gone: bool,
    took: Vec<u64>,
    /// So many of these its workflow read.
    read: usize,
    unread: BTreeSet<u64>,
    /// Its run was ended from outside: what its workflow read last may not be on record.
    torn: bool,
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
        of_run(seen, &mut hooks).map_err(|problem| format!("run {}: {problem}", seen.run))?;
    }
    one_hook_per_token(&hooks, &history.live)?;
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

/// The hooks of a run: what each took in, and what of it was read, in order and nothing else.
fn of_run(seen: &Seen, hooks: &mut BTreeMap<HookId, Hook>) -> Result<(), String> {
    let own = fold(seen)?;
    let mut read = BTreeMap::<HookId, Vec<u64>>::new();
    for (hook, number) in &seen.read {
        read.entry(*hook).or_default().push(*number);
    }
    for (id, mut hook) in own {
        let read = read.remove(&id).unwrap_or_default();
        if !hook.took.starts_with(&read) {
            let took = &hook.took;
            return Err(format!("hook {id} took {took:?}, and {read:?} was read"));
        }
        hook.read = read.len();
        let unread: Vec<u64> = seen
            .unread
            .iter()
            .filter(|(of, _)| *of == id)
            .map(|(_, n)| *n)
            .collect();
        hook.unread = unread.iter().copied().collect();
        if hook.unread.len() != unread.len() || !unread.iter().all(|n| hook.took.contains(n)) {
            let took = &hook.took;
            return Err(format!(
                "hook {id} took {took:?}, and {unread:?} is listed as unread"
            ));
        }
        hooks.insert(id, hook);
    }
    match read.pop_first() {
        Some((hook, _)) => Err(format!(
            "something was read from {hook}, which is in no log"
        )),
        None => Ok(()),
    }
}

fn fold(seen: &Seen) -> Result<BTreeMap<HookId, Hook>, String> {
    let mut hooks = BTreeMap::<HookId, Hook>::new();
    for event in &seen.events {
        match &event.kind {
            EventKind::HookCreated { hook, token, .. } => {
                hooks.insert(
                    *hook,
                    Hook {
                        run: seen.run,
                        token: token.to_string(),
                        since: event.at,
                        until: None,
                        gone: false,
                        took: Vec::new(),
                        read: 0,
                        unread: BTreeSet::new(),
                        torn: false,
                    },
                );
            }
            EventKind::HookReceived { hook, payload, .. } => {
                let hook = hooks
                    .get_mut(hook)
                    .ok_or("a payload for a hook that is not there")?;
                if hook.until.is_some() {
                    return Err("a payload came after the token was free".to_owned());
                }
                let number = super::play::number(payload).ok_or("a payload without a number")?;
                hook.took.push(number);
            }
            EventKind::HookDisposed { hook, by } => {
                if let Some(hook) = hooks.get_mut(hook) {
                    hook.until.get_or_insert(event.at);
                    hook.gone = *by == Disposal::Dropped;
                }
            }
            EventKind::HookExpired { hook } => {
                if let Some(hook) = hooks.get_mut(hook) {
                    hook.until.get_or_insert(event.at);
                }
            }
            EventKind::RunCompleted { .. }
            | EventKind::RunFailed { .. }
            | EventKind::RunCancelled { .. }
            | EventKind::RunContinued { .. } => {
                let torn = matches!(
                    event.kind,
                    EventKind::RunCancelled {
                        terminated: true,
                        ..
                    }
                );
                for hook in hooks.values_mut() {
                    hook.until.get_or_insert(event.at);
                    hook.torn = torn && !hook.gone;
                    hook.gone = true;
                }
            }
            EventKind::RunCreated { .. }
            | EventKind::RunStarted
            | EventKind::RunCancelRequested { .. }
            | EventKind::StepCreated { .. }
            | EventKind::StepStarted { .. }
            | EventKind::StepCompleted { .. }
            | EventKind::StepFailed { .. }
            | EventKind::StepRetrying { .. }
            | EventKind::HookConflict { .. }
            | EventKind::WaitCreated { .. }
            | EventKind::WaitCompleted { .. }
            | EventKind::WaitCancelled { .. }
            | EventKind::AttrSet { .. }
            | EventKind::PatchMarked { .. } => {}
        }
    }
    Ok(hooks)
}

/// Those that had a token had it one after the other; those that have one now are those listed.
fn one_hook_per_token(
    hooks: &BTreeMap<HookId, Hook>,
    live: &[(String, HookId)],
) -> Result<(), String> {
    let mut by_token = BTreeMap::<&str, Vec<(&HookId, &Hook)>>::new();
    for (id, hook) in hooks {
        by_token.entry(&hook.token).or_default().push((id, hook));
    }
    for (token, mut held) in by_token {
        held.sort_by_key(|(_, hook)| (hook.since, hook.until.is_none(), hook.until));
        let overlaps = |(before, after): (&(&HookId, &Hook), &(&HookId, &Hook))| {
            before.1.until.is_none_or(|until| until > after.1.since)
        };
        if held.iter().zip(held.iter().skip(1)).any(overlaps) {
            return Err(format!("{token} had two live hooks at a time: {held:?}"));
        }
    }
    let open = hooks.iter().filter(|(_, hook)| hook.until.is_none());
    let open: BTreeSet<_> = open.map(|(id, hook)| (hook.token.clone(), *id)).collect();
    let listed: BTreeSet<_> = live.iter().cloned().collect();
    if open == listed && listed.len() == live.len() {
        Ok(())
    } else {
        Err(format!(
            "live by the logs are {open:?}, and listed {live:?}"
        ))
    }
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
        Way::Resume if places.len() + mail.len() > 1 => {
            Err("a payload of a resume stands in two places".to_owned())
        }
        Way::Mail { latest, .. } if mail.iter().any(|mail| mail.2 > latest) => {
            Err("it is kept for longer than it was posted for".to_owned())
        }
        Way::Resume | Way::Admission | Way::Mail { .. } => Ok(()),
    }
}

impl Answer {
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Taken { .. } | Self::Kept(_))
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
    if done.any(|answer| answer != first) {
        return Err("the same key was answered in two ways".to_owned());
    }
    match first {
        Answer::Taken { run, hook, .. } => {
            let there = places.iter().any(|(id, of)| id == hook && of.run == *run);
            there
                .then_some(())
                .ok_or_else(|| format!("it is not in hook {hook} of run {run}"))
        }
        Answer::Kept(_) | Answer::Nobody | Answer::Refused | Answer::Unknown => Ok(()),
    }
}

fn stood(hook: &Hook, number: u64) -> Result<Stood, String> {
    let same = hook.took.iter().filter(|taken| **taken == number).count();
    if same > 1 {
        return Err(format!("one hook of run {} took it {same} times", hook.run));
    }
    let read = hook.took.iter().take(hook.read).any(|read| *read == number);
    let unread = hook.unread.contains(&number);
    match (read, unread) {
        (true, true) if hook.torn => Ok(Stood::Unread),
        (true, true) => Err(format!("run {} read it and lists it as unread", hook.run)),
        (true, false) if hook.torn => Ok(Stood::ReadOrLeft),
        (true, false) => Ok(Stood::Read),
        (false, true) => Ok(Stood::Unread),
        (false, false) if hook.gone => Ok(Stood::Left),
        (false, false) => Ok(Stood::Waits),
    }
}
