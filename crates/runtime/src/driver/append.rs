//! Appending: what goes on record now, and what the answer means.

use std::time::Duration;

use rewake_core::event::{Correlation, EventKind, Taken};
use rewake_core::replay::Machine;
use rewake_core::time::Timestamp;
use rewake_core::token::Token;
use rewake_store::{Append, AppendRefusal, Condition, Failed, Mark, StoreError};

use super::{Driver, Exit, Recorded, Stop};

/// How long a record that nobody waits for may wait for the commit of something else.
pub(super) const LAZY: Duration = Duration::from_millis(20);
/// How long to wait before a store that is busy or full is asked again.
const PAUSE: Duration = Duration::from_millis(100);

impl Driver {
    /// The next append, if something must go on record now.
    pub(super) fn compose(&mut self) -> Option<Append> {
        let now = self.engine.host.clock.now();
        let events = self.events(now);
        if events.is_empty() {
            return None;
        }
        if self.may_wait(&events, now) {
            return None;
        }
        Some(self.wrap(events, now))
    }

    fn events(&self, now: Timestamp) -> Vec<EventKind> {
        self.executor.with(|machine| {
            if must_begin(machine, now) {
                return vec![EventKind::RunStarted];
            }
            let mut events: Vec<EventKind> = machine.records().cloned().collect();
            if machine.is_running() {
                events.extend(self.attempts.events());
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
                EventKind::StepCreated { .. }
                    | EventKind::StepStarted { .. }
                    | EventKind::WaitCancelled { .. }
            )
        });
        // A wait that was given up and falls due before that is on record would end every pause at
        // once.
        let overdue = self
            .executor
            .with(|machine| machine.due(now).next().is_some());
        let alone = !self.attempts.any_running();
        if !lazy || overdue || alone || self.attempts.is_urgent() || self.stopping {
            return false;
        }
        let flush_at = *self.flush_at.get_or_insert_with(|| now.after(LAZY));
        now < flush_at
    }

    fn wrap(&self, events: Vec<EventKind>, now: Timestamp) -> Append {
        let wake_at = self.next_look(&events, now);
        self.executor.with(|machine| Append {
            scope: self.engine.scope,
            run: self.run,
            id: self.engine.event_id(),
            conditions: conditions(machine, &events),
            release: released(machine, &events),
            events,
            mark: Some(Mark {
                reacted: machine.fed(),
                wake_at,
                taken: machine.taken(),
                rested: false,
                parked: None,
            }),
            since: Some(machine.fed()),
            repeat: false,
        })
    }

    /// A mark without events: how far reactions have come, and when to look again.
    pub(super) fn mark(&self, rested: bool) -> Append {
        let now = self.engine.host.clock.now();
        let mut append = self.wrap(Vec::new(), now);
        let owes = self.executor.with(|machine| machine.records().len() > 0);
        if let Some(mark) = &mut append.mark {
            mark.rested = rested;
            if owes {
                mark.reacted = self.recorded.reacted;
                mark.wake_at = Some(now);
            }
        }
        append
    }

    /// When a worker must look at the run again, once `events` are on record.
    pub(super) fn next_look(&self, events: &[EventKind], now: Timestamp) -> Option<Timestamp> {
        let calls_step = |kind: &EventKind| matches!(kind, EventKind::StepCreated { .. });
        if !self.attempts.is_quiet() || events.iter().any(calls_step) {
            return Some(now);
        }
        let begins = events.iter().filter_map(|kind| match kind {
            EventKind::WaitCreated { resume_at, .. } => Some(*resume_at),
            EventKind::HookCreated { expires_at, .. } => *expires_at,
            _ => None,
        });
        let known = self.executor.with(|machine| {
            let not_before = machine
                .entities()
                .run()
                .filter(|run| run.started_at.is_none())?
                .not_before;
            Some(machine.next_due().into_iter().chain(not_before).min())
        });
        let known = known
            .flatten()
            .or_else(|| self.executor.with(|machine| machine.next_due()));
        begins.chain(known).chain(self.attempts.next_retry()).min()
    }

    /// Appends, and feeds what the log answers.
    pub(super) async fn append(&mut self, append: Append) -> Result<(), Stop> {
        let mark = append.mark.clone().unwrap_or_default();
        let calls = append.events.iter().any(is_heard_outside);
        let id = append.id;
        self.sent.get_or_insert_default().insert(id);
        let answer = self.engine.store.append(append).await;
        let unknown = matches!(&answer, Err(Failed::Store(error)) if error.may_have_happened());
        if answer.is_err() && !unknown {
            self.sent.get_or_insert_default().remove(&id);
        }
        match answer {
            Ok(appended) => {
                self.recorded.reacted = mark.reacted;
                self.recorded.wake_at = mark.wake_at;
                self.recorded.note_taken(mark.taken);
                self.recorded.parked = false;
                if mark.rested {
                    self.recorded.crashes = 0;
                }
                self.take_in(appended.frames).await?;
                // It was the only one to build on its position: those before it are void.
                self.sent.get_or_insert_default().clear();
                if calls {
                    self.engine.waiters.call(self.run);
                }
                Ok(())
            }
            Err(Failed::Refused(refusal)) => self.refused(refusal).await,
            Err(Failed::Store(error)) => self.failed(error).await,
        }
    }

    async fn refused(&mut self, refusal: AppendRefusal) -> Result<(), Stop> {
        match refusal {
            // Somebody was faster: another worker, an expiry, the run's end. The log says how it is.
            AppendRefusal::WorkerMoved { .. }
            | AppendRefusal::RunEnded { .. }
            | AppendRefusal::HookGone { .. } => self.read_tail().await,
            AppendRefusal::HookOverdue { run, hook, token } => {
                Ok(self.engine.expire(run, hook, token).await?)
            }
            AppendRefusal::RunParked { .. } | AppendRefusal::RunUnknown { .. } => {
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
            // Whether the frame is there, the log will say; if not, the same records go again.
            StoreError::OutcomeUnknown { .. } => self.read_tail().await,
            StoreError::Overloaded | StoreError::DiskFull | StoreError::Backend { .. } => {
                tracing::warn!(run = %self.run, %error, "the store takes nothing at present");
                let later = self.engine.host.clock.now().after(PAUSE);
                self.engine.host.clock.sleep_until(later).await;
                Ok(())
            }
            error => Err(error.into()),
        }
    }
}

impl Recorded {
    fn note_taken(&mut self, taken: Vec<Taken>) {
        self.taken
            .retain(|known| taken.iter().all(|taken| taken.hook != known.hook));
        self.taken.extend(taken);
    }
}

fn must_begin(machine: &Machine, now: Timestamp) -> bool {
    let Some(run) = machine.entities().run() else {
        return false;
    };
    run.started_at.is_none()
        && !machine.is_finished()
        && run.not_before.is_none_or(|not_before| not_before <= now)
}

/// What has fallen due, unless the workflow has given it up meanwhile.
fn due(machine: &Machine, now: Timestamp) -> Vec<EventKind> {
    let given_up: Vec<Correlation> = machine
        .records()
        .filter(|kind| {
            matches!(
                kind,
                EventKind::WaitCancelled { .. } | EventKind::HookDisposed { .. }
            )
        })
        .filter_map(EventKind::correlation_id)
        .collect();
    machine
        .due(now)
        .filter(|id| !given_up.contains(id))
        .filter_map(|id| match id {
            Correlation::Wait(wait) => Some(EventKind::WaitCompleted { wait }),
            Correlation::Hook(hook) => Some(EventKind::HookExpired { hook }),
            Correlation::Step(_) => None,
        })
        .collect()
}

/// The worker position, and what outsiders may have changed without moving it.
fn conditions(machine: &Machine, events: &[EventKind]) -> Vec<Condition> {
    let expiries = events.iter().filter_map(|kind| match kind {
        EventKind::HookExpired { hook } => machine.entities().hooks().get(hook),
        _ => None,
    });
    let live = expiries.map(|hook| Condition::HookLive {
        hook: hook.id,
        token: hook.token.clone(),
    });
    std::iter::once(Condition::WorkerPosition(machine.worker_position()))
        .chain(live)
        .collect()
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

/// Somebody outside may be waiting for this.
const fn is_heard_outside(kind: &EventKind) -> bool {
    kind.is_terminal()
        || matches!(
            kind,
            EventKind::HookCreated { .. } | EventKind::HookDisposed { .. } | EventKind::RunStarted
        )
}
