//! Hooks, as the logs tell of them: what each took, what was read of it, what was left.

use std::collections::{BTreeMap, BTreeSet};

use rewake_core::event::{Disposal, EventKind};
use rewake_core::id::{HookId, RunId};
use rewake_core::time::Timestamp;

use super::history::Seen;
use crate::delivery::play::number;

/// A hook, as a log tells of it.
#[derive(Debug)]
pub(super) struct Hook {
    pub(super) run: RunId,
    pub(super) token: String,
    since: Timestamp,
    /// When its token was free again.
    until: Option<Timestamp>,
    /// It was closed, dropped or expired before its run ended.
    over: bool,
    receiver: Receiver,
    pub(super) took: Vec<u64>,
    /// So many of these its workflow read.
    pub(super) read: usize,
    pub(super) unread: BTreeSet<u64>,
}

/// What the log says of a hook's receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receiver {
    /// A workflow has it.
    Held,
    /// It was dropped, and what it held was dealt with.
    Dropped,
    /// It went with its run, and what it held was dealt with.
    Ended,
    /// Its run was ended from outside: what its workflow read last may not be on record.
    Torn,
}

impl Receiver {
    /// Of one that its workflow had when its run ended.
    const fn at_end(end: &EventKind) -> Self {
        if let EventKind::RunCancelled {
            terminated: true, ..
        } = end
        {
            Self::Torn
        } else {
            Self::Ended
        }
    }
}

impl Hook {
    /// The receiver is gone, and what it held was dealt with.
    pub(super) fn is_gone(&self) -> bool {
        self.receiver != Receiver::Held
    }

    /// Its run was ended from outside: what its workflow read last may not be on record.
    pub(super) fn is_torn(&self) -> bool {
        self.receiver == Receiver::Torn
    }
}

/// The hooks of a run: what each took in, and what of it was read, in order and nothing else.
pub(super) fn of_run(seen: &Seen, hooks: &mut BTreeMap<HookId, Hook>) -> Result<(), String> {
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
        if seen.dropped.contains(&id) {
            receiver_has_gone(&hook).map_err(|problem| format!("hook {id}: {problem}"))?;
        }
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

/// Where a receiver goes, the transaction that records it deals with what the hook holds: there and
/// then, and not when the run ends. At the end all that a workflow did is on record, unless it was
/// ended from outside.
fn receiver_has_gone(hook: &Hook) -> Result<(), String> {
    let holds_nothing = hook.read == hook.took.len();
    match hook.receiver {
        Receiver::Dropped | Receiver::Torn => Ok(()),
        // What was over and holds nothing leaves no record when its receiver goes.
        Receiver::Held | Receiver::Ended if hook.over && holds_nothing => Ok(()),
        Receiver::Held | Receiver::Ended => {
            Err("its workflow has let go of it, and its log does not know".to_owned())
        }
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
                        over: false,
                        receiver: Receiver::Held,
                        took: Vec::new(),
                        read: 0,
                        unread: BTreeSet::new(),
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
                let number = number(payload).ok_or("a payload without a number")?;
                hook.took.push(number);
            }
            EventKind::HookDisposed { hook, by } => {
                if let Some(hook) = hooks.get_mut(hook) {
                    hook.until.get_or_insert(event.at);
                    hook.over = true;
                    if *by == Disposal::Dropped {
                        hook.receiver = Receiver::Dropped;
                    }
                }
            }
            EventKind::HookExpired { hook } => {
                if let Some(hook) = hooks.get_mut(hook) {
                    hook.until.get_or_insert(event.at);
                    hook.over = true;
                }
            }
            EventKind::RunCompleted { .. }
            | EventKind::RunFailed { .. }
            | EventKind::RunCancelled { .. }
            | EventKind::RunContinued { .. } => {
                for hook in hooks.values_mut() {
                    hook.until.get_or_insert(event.at);
                    if !hook.is_gone() {
                        hook.receiver = Receiver::at_end(&event.kind);
                    }
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
pub(super) fn one_hook_per_token(
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
