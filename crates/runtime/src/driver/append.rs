//! Appending: what goes on record now, and what the answer means.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_core::event::{Correlation, EventKind, Role, Taken};
use rewake_core::replay::Machine;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::{Append, AppendRefusal, Condition, Failed, Mark, StoreError};

use super::{Driver, Exit, Recorded, Stop};
use crate::dispatch::News;
use crate::engine::RunOutcome;
use crate::executor::Stuck;

/// How long a record that nobody waits for may wait for the commit of something else.
pub(super) const LAZY: Duration = Duration::from_millis(20);
/// How long to wait before a store that is busy or full is asked again.
const PAUSE: Duration = Duration::from_millis(100);

impl Driver {
    /// The next append, if something must go on record now.
    pub(super) fn compose(&mut self) -> Option<Box<Append>> {
        let now = self.engine.host.clock.now();
        let events = self.events(now);
        if events.is_empty() {
            // What was to be on record by then has come back from the log: an append that was late.
            // A time in the past would end every pause at once until the attempts under way end.
            if !self.attempts.is_quiet() {
                self.flush_at = None;
            }
            return None;
        }
        if self.may_wait(&events, now) {
            return None;
        }
        Some(Box::new(self.wrap(events, now)))
    }

    fn events(&self, now: Timestamp) -> Vec<EventKind> {
        self.executor.with(|machine| {
            if must_begin(machine, now) {
                return vec![EventKind::RunStarted];
            }
            // With room for no more than they are: they stay as they are to the end of the append.
            let mut events = Vec::with_capacity(machine.records_len());
            let records = machine.records();
            events.extend(records.map(|record| registered(record, machine, now)));
            if machine.is_under_way() {
                events.extend(self.attempts.events());
                events.extend(self.children.events());
                events.extend(due(machine, now));
            }
            events
        })
    }

    /// Records that nobody waits for ride along with the next result, as long as one is under way.
    fn may_wait(&mut self, events: &[EventKind], now: Timestamp) -> bool {
        let lazy = events.iter().all(|kind| {
            matches!(
                kind,
                EventKind::StepCreated { child: None, .. }
                    | EventKind::StepStarted { .. }
                    | EventKind::WaitCancelled { .. }
            )
        });
        let alone = !self.attempts.any_under_way();
        if !lazy || alone || self.attempts.is_urgent() || self.stopping {
            return false;
        }
        // A wait that was given up and falls due before that is on record would end every pause at
        // once.
        if (self.executor).with(|machine| machine.due(now).next().is_some()) {
            return false;
        }
        let flush_at = *self.flush_at.get_or_insert_with(|| now.after(LAZY));
        now < flush_at
    }

    fn wrap(&self, events: Vec<EventKind>, now: Timestamp) -> Append {
        let wake_at = self.next_look(&events, now);
        let kin = self.kin(&events);
        let answers = self.attempts.answers(&events);
        self.executor.with(|machine| Append {
            scope: self.engine.scope,
            run: self.run,
            id: self.engine.event_id(),
            conditions: conditions(machine, &events, self.engine.limits.live_hooks),
            release: released(machine, &events),
            kin,
            answers,
            events,
            mark: Some(Mark {
                reacted: machine.fed(),
                wake_at,
                taken: machine.taken(),
                // The workflow has come to rest before anything is appended for it.
                rested: true,
                parked: None,
                node: self.engine.node(),
            }),
            since: Some(machine.fed()),
            repeat: false,
        })
    }

    /// A mark without events: how far reactions have come, and when to look again.
    pub(super) fn mark(&self) -> Box<Append> {
        let now = self.engine.host.clock.now();
        let mut append = self.wrap(Vec::new(), now);
        let owes = self.executor.with(|machine| machine.records_len() > 0);
        if let (true, Some(mark)) = (owes, &mut append.mark) {
            mark.reacted = self.recorded.reacted;
            mark.wake_at = Some(now);
        }
        Box::new(append)
    }

    /// When a worker must look at the run again, once `events` are on record.
    pub(super) fn next_look(&self, events: &[EventKind], now: Timestamp) -> Option<Timestamp> {
        let calls_step =
            |kind: &EventKind| matches!(kind, EventKind::StepCreated { child: None, .. });
        if !self.attempts.is_quiet() || events.iter().any(calls_step) {
            return Some(now);
        }
        let begins = events.iter().filter_map(|kind| match kind {
            EventKind::WaitCreated { resume_at, .. } => Some(*resume_at),
            EventKind::HookCreated { expires_at, .. } => *expires_at,
            _ => None,
        });
        let known = self.executor.with(|machine| {
            let run = machine.entities().run();
            let waits = run.filter(|run| run.started_at.is_none());
            let not_before = waits.and_then(|run| run.not_before);
            machine.next_due().into_iter().chain(not_before).min()
        });
        begins.chain(known).chain(self.attempts.next_retry()).min()
    }

    /// Appends, and feeds what the log answers. In a box, for a run that rests to keep no room for it.
    pub(super) fn append(&mut self, append: Box<Append>) -> BoxFuture<'_, Result<(), Stop>> {
        self.append_and_feed(append).boxed()
    }

    async fn append_and_feed(&mut self, append: Box<Append>) -> Result<(), Stop> {
        self.supersede_mark(&append).await;
        let mark = append.mark.clone().unwrap_or_default();
        let ended = append.events.iter().find_map(RunOutcome::of);
        let (id, was_fed) = (append.id, self.fed());
        let answers = append.answers.clone();
        let brings_work = append.events.iter().any(calls_for_reaction);
        self.sent.add(id);
        let answer = self.engine.store.append(*append).await;
        let unknown = matches!(&answer, Err(Failed::Store(error)) if error.may_have_happened());
        if answer.is_err() && !unknown {
            self.sent.take(&id);
        }
        match answer {
            Ok(appended) => {
                self.tell_callers(answers, &appended.stood);
                // As the store has it: records need no reaction, for their worker has had it.
                let is_alone = appended.frames.iter().all(|frame| frame.id == id);
                let is_up_to_date = !brings_work && is_alone && mark.reacted == was_fed;
                let rested = mark.rested;
                self.recorded.note(mark);
                if is_up_to_date {
                    self.recorded.reacted = appended.head;
                }
                if rested {
                    self.forgive();
                }
                self.engine.begin_all(appended.started);
                for frame in appended.frames {
                    if let Some(question) = self.take_in(frame)? {
                        self.ask(question).await?;
                    }
                }
                // It was the only one to build on its position: those before it are void.
                self.sent.clear();
                if let Some(outcome) = ended {
                    self.engine.waiters.call(self.run, News::Ended(outcome));
                }
                Ok(())
            }
            Err(error) => {
                let may_stand = unknown || matches!(error, Failed::Refused(_));
                let rest = match error {
                    Failed::Refused(refusal) => self.refused(refusal).await,
                    Failed::Store(error) => self.failed(error).await,
                };
                if may_stand && !answers.is_empty() {
                    // They may stand all the same, or others in their place.
                    self.engine.waiters.call(self.run, News::Look);
                }
                rest
            }
        }
    }

    /// What a mark that was handed over says goes along with this append. One that the store has may
    /// come after events: their position refuses it. It must not come after another mark.
    async fn supersede_mark(&mut self, append: &Append) {
        self.unmarked = false;
        if append.events.is_empty() {
            self.settle_mark().await;
        } else {
            self.take_mark_back();
        }
    }

    async fn refused(&mut self, refusal: AppendRefusal) -> Result<(), Stop> {
        match refusal {
            // Another worker was faster, or the run was ended from outside: the log says how it is.
            // So it does where somebody outside was faster to say that a hook's time had run out.
            // So it does where somebody woke the run just when its sleep ended.
            AppendRefusal::WorkerMoved { .. }
            | AppendRefusal::RunEnded { .. }
            | AppendRefusal::WaitClosed { .. }
            | AppendRefusal::HookGone { .. } => self.read_tail().await,
            AppendRefusal::AlreadyAnswered { step } => {
                self.answered_already(step);
                Ok(())
            }
            AppendRefusal::HookOverdue { run, hook, token } => {
                match self.engine.expire(run, hook, token).await {
                    Ok(()) => Ok(()),
                    Err(error) => self.failed(error).await,
                }
            }
            AppendRefusal::TooManyHooks { live, limit, .. } => {
                Err(Stuck::TooManyHooks { live, limit }.into())
            }
            AppendRefusal::RunParked { .. } | AppendRefusal::RunUnknown { .. } => {
                Err(Stop::Exit(Exit::Left))
            }
            // A run that was minted is another's. The next replay mints it anew.
            AppendRefusal::ChildExists { child } => {
                tracing::warn!(run = %self.run, %child, "a child run exists already");
                self.look_again();
                Err(Stop::Exit(Exit::Left))
            }
            refusal => {
                tracing::error!(run = %self.run, %refusal, "the store refused what the run left");
                Err(Stop::Exit(Exit::Left))
            }
        }
    }

    async fn failed(&mut self, error: StoreError) -> Result<(), Stop> {
        match error {
            // Whether the frame is there, the log will say; if not, the same records go again. What it
            // has started, the wake-up index will say.
            StoreError::OutcomeUnknown { .. } => {
                self.engine.schedule.read_again();
                self.read_tail().await
            }
            StoreError::Overloaded
            | StoreError::Unavailable { .. }
            | StoreError::DiskFull
            | StoreError::Backend { .. } => self.pause(error).await,
            error => Err(error.into()),
        }
    }

    /// Gives the store time to serve again, unless the engine waits for this driver to go.
    pub(super) async fn pause(&mut self, error: StoreError) -> Result<(), Stop> {
        if self.engine.is_aborting() {
            return Err(error.into());
        }
        tracing::warn!(run = %self.run, %error, "the store does not serve at present");
        let later = self.engine.host.clock.now().after(PAUSE);
        self.engine.host.clock.sleep_until(later).await;
        Ok(())
    }
}

impl Recorded {
    /// Takes note of what a mark says.
    pub(super) fn note(&mut self, mark: Mark) {
        self.reacted = mark.reacted;
        self.wake_at = mark.wake_at;
        self.note_taken(mark.taken);
        self.parked = false;
    }

    fn note_taken(&mut self, taken: Vec<Taken>) {
        if self.taken.is_empty() {
            self.taken = taken;
            return;
        }
        self.taken
            .retain(|known| taken.iter().all(|taken| taken.hook != known.hook));
        self.taken.extend(taken);
    }
}

/// A hook's time counts from its registration. The record was issued when the last event was fed,
/// which may be long ago where the run was found after an outage.
fn registered(record: &EventKind, machine: &Machine, now: Timestamp) -> EventKind {
    let mut record = record.clone();
    if let EventKind::HookCreated {
        expires_at: Some(at),
        ..
    } = &mut record
    {
        *at = at.after(now.since(machine.now()));
    }
    record
}

fn must_begin(machine: &Machine, now: Timestamp) -> bool {
    let Some(run) = machine.entities().run() else {
        return false;
    };
    run.started_at.is_none()
        && !machine.is_finished()
        && run.not_before.is_none_or(|not_before| not_before <= now)
}

/// What has fallen due, without what the workflow has given up.
fn due(machine: &Machine, now: Timestamp) -> Vec<EventKind> {
    machine
        .due(now)
        .filter_map(|id| match id {
            Correlation::Wait(wait) => Some(EventKind::WaitCompleted { wait }),
            Correlation::Hook(hook) => Some(EventKind::HookExpired { hook }),
            Correlation::Step(_) => None,
        })
        .collect()
}

/// What must hold: no worker has written since, and a hook that is said to have expired was live. Who
/// resumes or looks up a hook says so too, and a log that says it twice can be followed by nobody.
/// How many hooks there may be is asked where one is registered: of what is on record nobody asks.
fn conditions(machine: &Machine, events: &[EventKind], most_hooks: u32) -> Vec<Condition> {
    let worker = Condition::WorkerPosition(machine.worker_position());
    let mut conditions = Vec::with_capacity(2);
    conditions.push(worker);
    let expired = events.iter().filter_map(|kind| match kind {
        EventKind::HookExpired { hook } => machine.entities().hooks().get(hook),
        _ => None,
    });
    conditions.extend(expired.map(|hook| Condition::HookLive {
        hook: hook.id,
        token: hook.token.clone(),
    }));
    // Somebody outside may wake the run at the moment when its sleep ends.
    conditions.extend(events.iter().filter_map(|kind| match kind {
        EventKind::WaitCompleted { wait } => Some(Condition::WaitOpen {
            wait: *wait,
            since: machine.fed(),
        }),
        _ => None,
    }));
    let registers = |kind: &EventKind| matches!(kind, EventKind::HookCreated { .. });
    if events.iter().any(registers) {
        conditions.push(Condition::HooksAtMost(most_hooks));
    }
    conditions
}

/// The tokens that the events set free.
fn released(machine: &Machine, events: &[EventKind]) -> Vec<Token> {
    if events.iter().any(EventKind::is_terminal) {
        return machine
            .entities()
            .live_hooks()
            .map(|hook| hook.token.clone())
            .collect();
    }
    events
        .iter()
        .filter_map(|kind| match kind {
            EventKind::HookDisposed { hook, .. } | EventKind::HookExpired { hook } => Some(hook),
            _ => None,
        })
        .filter_map(|hook| machine.entities().hooks().get(hook))
        .map(|hook| hook.token.clone())
        .collect()
}

/// A worker must react to this.
const fn calls_for_reaction(kind: &EventKind) -> bool {
    matches!(kind.role(), Role::Fact | Role::AwaitedRecord)
}
