//! The attempts of one run's steps: which are under way, which must be recorded, which come next.
//!
//! A step's result is the only thing its run waits for; that it was created and started rides along
//! with the commit before or after. Two kinds wait for their start to be on record first: a step
//! without retries, and any step that an unclean end may have left under way, so that each further
//! crash is counted.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use futures_util::future::AbortHandle;
use rewake_core::event::EventKind;
use rewake_core::few::Few;
use rewake_core::heap;
use rewake_core::id::StepId;
use rewake_core::replay::OpenStep;
use rewake_core::time::Timestamp;
use rewake_store::Answering;

use crate::step::{Abort, Place, Verdict};

/// The attempts of one run's steps. They take room only while there are steps, for a run may wait for long
/// without one.
#[derive(Debug, Default)]
pub(super) struct Attempts(Option<Box<Known>>);

/// What is known of them.
#[derive(Debug, Default)]
pub(super) struct Known {
    steps: Few<StepId, Box<Entry>>,
    /// Steps whose next attempt may begin at a time.
    retries: BTreeSet<(Timestamp, StepId)>,
    /// Steps whose next attempt may begin.
    ready: Vec<StepId>,
    /// Steps whose next attempt begins once it has a place.
    queued: BTreeSet<StepId>,
    /// Attempts that began, or are about to, and are not on record.
    unrecorded: Few<StepId, ()>,
    /// Attempts that ended and whose end is not on record, in order of their end.
    ended: Vec<StepId>,
    /// The answers that go with the ends of their steps.
    answers: Few<StepId, Box<Answering>>,
    running: usize,
}

static NONE: Known = Known {
    steps: Few::new(),
    retries: BTreeSet::new(),
    ready: Vec::new(),
    queued: BTreeSet::new(),
    unrecorded: Few::new(),
    ended: Vec::new(),
    answers: Few::new(),
    running: 0,
};

#[derive(Debug)]
struct Entry {
    step: OpenStep,
    /// The attempt under way, or the next one.
    attempt: u32,
    state: State,
}

impl Entry {
    fn ready(&self) -> Ready {
        Ready {
            step: self.step.clone(),
            attempt: self.attempt,
        }
    }
}

#[derive(Debug)]
enum State {
    /// Between two attempts, or before the first.
    Waiting,
    /// Begins in its place as soon as its start is on record.
    Announced(Option<Place>),
    Running(Running),
    Ended(Verdict),
}

/// What ends an attempt under way: its signal, which it may follow, and its abortion, which it must.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) abort: AbortHandle,
    pub(super) cancellation: Abort,
}

/// An attempt that may begin now.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) step: OpenStep,
    pub(super) attempt: u32,
}

impl Deref for Attempts {
    type Target = Known;

    fn deref(&self) -> &Known {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

/// A change makes the room that it needs.
impl DerefMut for Attempts {
    fn deref_mut(&mut self) -> &mut Known {
        self.0.get_or_insert_default()
    }
}

impl Attempts {
    /// Takes note of what is on record now. An announced attempt that may begin is given back.
    pub(super) fn note(&mut self, kind: &EventKind) -> Option<(Ready, Place)> {
        self.0.as_deref_mut()?.note(kind)
    }

    /// Lets go of the room once there is no step any more. Roughly what is held then, in bytes.
    pub(super) fn shrink_to_fit(&mut self) -> usize {
        if self.is_empty() && self.is_quiet() {
            self.0 = None;
        }
        let weight = |known: &Known| {
            let entries = known.steps.weight() + known.steps.len() * size_of::<Entry>();
            size_of::<Known>() + entries + heap::set(&known.retries)
        };
        self.0.as_deref().map_or(0, weight)
    }
}

impl Known {
    /// Takes a step in; its next attempt follows those that began.
    pub(super) fn add(&mut self, step: OpenStep) {
        let id = step.id;
        match step.retry_at {
            Some(at) => {
                self.retries.insert((at, id));
            }
            None => self.ready.push(id),
        }
        let attempt = step.attempt + 1;
        self.steps.insert(
            id,
            Box::new(Entry {
                step,
                attempt,
                state: State::Waiting,
            }),
        );
    }

    /// Takes a step in whose last attempt began and never ended, with what follows from that.
    pub(super) fn add_lost(&mut self, step: OpenStep, verdict: Verdict) {
        let id = step.id;
        let attempt = step.attempt;
        self.steps.insert(
            id,
            Box::new(Entry {
                step,
                attempt,
                state: State::Ended(verdict),
            }),
        );
        self.ended.push(id);
    }

    /// True where no step is known.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.ready.is_empty() && self.retries.is_empty()
    }

    /// True where an attempt may begin, now or later.
    pub(super) fn may_begin(&self) -> bool {
        !self.ready.is_empty() || !self.retries.is_empty()
    }

    /// The attempts that may begin, each once.
    pub(super) fn take_ready(&mut self, now: Timestamp) -> Vec<Ready> {
        while let Some((at, id)) = self.retries.first().copied() {
            if at > now {
                break;
            }
            self.retries.remove(&(at, id));
            self.ready.push(id);
        }
        let ready = std::mem::take(&mut self.ready);
        ready
            .into_iter()
            .filter_map(|id| self.steps.get(&id))
            .map(|entry| entry.ready())
            .collect()
    }

    /// The attempt waits for a place.
    pub(super) fn queue(&mut self, id: StepId) {
        self.queued.insert(id);
    }

    /// The attempt has a place, if it still waits for one.
    pub(super) fn leave_queue(&mut self, id: StepId, attempt: u32) -> Option<Ready> {
        let waits = self.queued.remove(&id);
        let entry = self.steps.get(&id)?;
        (waits && entry.attempt == attempt).then(|| entry.ready())
    }

    /// The attempt has a place, and begins once its start is on record.
    pub(super) fn announce(&mut self, id: StepId, place: Place) {
        if let Some(entry) = self.steps.get_mut(&id) {
            entry.state = State::Announced(Some(place));
            self.unrecorded.add(id);
        }
    }

    /// The attempt has begun; its start is on record, or will ride along.
    pub(super) fn begin(&mut self, id: StepId, running: Running, recorded: bool) {
        if let Some(entry) = self.steps.get_mut(&id) {
            entry.state = State::Running(running);
            self.running += 1;
            if !recorded {
                self.unrecorded.add(id);
            }
        }
    }

    /// The step and attempt under way, if it is this one.
    pub(super) fn under_way(&self, id: StepId, attempt: u32) -> Option<&OpenStep> {
        let entry = self.steps.get(&id)?;
        let running = matches!(entry.state, State::Running(_)) && entry.attempt == attempt;
        running.then_some(&entry.step)
    }

    /// The attempt has ended, and this follows; nothing where the engine is stopping.
    pub(super) fn end(&mut self, id: StepId, verdict: Option<Verdict>) {
        let Some(entry) = self.steps.get_mut(&id) else {
            return;
        };
        self.running -= 1;
        if let Some(verdict) = verdict {
            entry.state = State::Ended(verdict);
            self.ended.push(id);
        } else {
            // It stays to be done: whoever takes the run up next begins it anew.
            entry.state = State::Waiting;
            self.unrecorded.take(&id);
            self.ready.push(id);
        }
    }

    /// The step does no more than give an answer: it begins and ends with the record that says so.
    pub(super) fn answer(&mut self, id: StepId, verdict: Verdict, answer: Option<Answering>) {
        let Some(entry) = self.steps.get_mut(&id) else {
            return;
        };
        entry.state = State::Ended(verdict);
        self.unrecorded.add(id);
        self.ended.push(id);
        if let Some(answer) = answer {
            self.answers.insert(id, Box::new(answer));
        }
    }

    /// The step's answer cannot be given any more, and this follows.
    pub(super) fn give_up_answer(&mut self, id: StepId, verdict: Verdict) {
        let given_up = self.answers.remove(&id);
        if let (Some(_), Some(entry)) = (given_up, self.steps.get_mut(&id)) {
            entry.state = State::Ended(verdict);
        }
    }

    /// The answers that go with these events.
    pub(super) fn answers(&self, events: &[EventKind]) -> Vec<Answering> {
        if self.answers.is_empty() {
            return Vec::new();
        }
        let ended = events.iter().filter_map(|kind| match kind {
            EventKind::StepCompleted { step, .. } => self.answers.get(step),
            _ => None,
        });
        ended.map(|answer| Answering::clone(answer)).collect()
    }

    /// The events that put on record what has begun and ended.
    pub(super) fn events(&self) -> Vec<EventKind> {
        let started = self.unrecorded.keys().filter_map(|id| {
            let entry = self.steps.get(id)?;
            Some(EventKind::StepStarted {
                step: *id,
                attempt: entry.attempt,
            })
        });
        let ended = self.ended.iter().filter_map(|id| {
            let State::Ended(verdict) = &self.steps.get(id)?.state else {
                return None;
            };
            Some(verdict.clone().event(*id))
        });
        started.chain(ended).collect()
    }

    fn note(&mut self, kind: &EventKind) -> Option<(Ready, Place)> {
        match kind {
            EventKind::StepStarted { step, attempt } => {
                self.unrecorded.take(step);
                let entry = self.steps.get_mut(step)?;
                let State::Announced(place) = &mut entry.state else {
                    return None;
                };
                let place = place.take_if(|_| entry.attempt == *attempt)?;
                Some((entry.ready(), place))
            }
            EventKind::StepRetrying { step, retry_at, .. } => {
                self.ended.retain(|id| id != step);
                let entry = self.steps.get_mut(step)?;
                if matches!(entry.state, State::Running(_)) {
                    self.running -= 1;
                }
                entry.attempt += 1;
                entry.state = State::Waiting;
                self.retries.insert((*retry_at, *step));
                None
            }
            EventKind::StepCompleted { step, .. } | EventKind::StepFailed { step, .. } => {
                self.ended.retain(|id| id != step);
                self.unrecorded.take(step);
                self.queued.remove(step);
                self.answers.remove(step);
                // Another worker may have ended it while an attempt is under way here.
                let known = self.steps.remove(step);
                if known.is_some_and(|entry| matches!(entry.state, State::Running(_))) {
                    self.running -= 1;
                }
                None
            }
            _ => None,
        }
    }

    /// Aborts what is under way.
    pub(super) fn abort(&self, reason: &str) {
        for entry in self.steps.values() {
            if let State::Running(running) = &entry.state {
                running.cancellation.abort(reason);
                running.abort.abort();
            }
        }
    }

    /// Begins no attempt any more of a step that is not wanted, and tells those under way. How they end
    /// is recorded all the same, as long as the run has not ended.
    pub(super) fn call_off(&mut self, wanted: impl Fn(StepId) -> bool, reason: &str) {
        self.steps.retain(|id, entry| {
            if wanted(*id) {
                return true;
            }
            match &entry.state {
                State::Running(running) => {
                    running.cancellation.abort(reason);
                    true
                }
                State::Ended(_) => true,
                State::Waiting | State::Announced(_) => {
                    self.unrecorded.take(id);
                    self.queued.remove(id);
                    false
                }
            }
        });
        self.ready.retain(|id| self.steps.contains_key(id));
        self.retries.retain(|(_, id)| self.steps.contains_key(id));
    }

    /// True where an attempt that may begin by now has not.
    pub(super) fn any_to_begin(&self) -> bool {
        !self.ready.is_empty() || !self.queued.is_empty()
    }

    /// True while an attempt is under way, or waits for a place: a result will come.
    pub(super) fn any_under_way(&self) -> bool {
        self.running > 0 || !self.queued.is_empty()
    }

    /// True where an end must be put on record, or a start before its attempt may begin.
    pub(super) fn is_urgent(&self) -> bool {
        !self.ended.is_empty()
            || self.unrecorded.keys().any(|id| {
                self.steps
                    .get(id)
                    .is_some_and(|entry| matches!(entry.state, State::Announced(_)))
            })
    }

    /// True where something is to be put on record.
    pub(super) fn is_unrecorded(&self) -> bool {
        !self.ended.is_empty() || !self.unrecorded.is_empty()
    }

    /// True where nothing but pauses between attempts is open.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_idle() && !self.any_to_begin()
    }

    /// True where nothing is under way or to be put on record, though something may be begun.
    pub(super) fn is_idle(&self) -> bool {
        self.running == 0 && !self.is_unrecorded()
    }

    /// When the next attempt may begin.
    pub(super) fn next_retry(&self) -> Option<Timestamp> {
        self.retries.first().map(|(at, _)| *at)
    }
}
