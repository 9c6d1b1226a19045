//! The timer heap: the next runs that fall due and have no driver.
//!
//! It holds only the next few thousand and refills from the store's wake-up index; a million sleepers
//! cost no memory. A wake-up is only a hint: the driver it calls looks at the log.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_channel::{Receiver, Sender};
use futures_util::future::select;
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_store::{StoreError, WakeUp};

use super::residents::Message;
use crate::engine::Inner;

/// How many wake-ups are read at once, and about how many are held.
const PAGE: usize = 4_096;

#[derive(Debug)]
pub(crate) struct Schedule {
    state: Mutex<State>,
    ring: Sender<()>,
    bell: Receiver<()>,
}

#[derive(Debug)]
struct State {
    due: BTreeSet<WakeUp>,
    /// Runs to be looked at whatever the index says, because something about them failed.
    again: BTreeSet<WakeUp>,
    /// What lies after this is in the store only; none where everything is here.
    horizon: Option<WakeUp>,
    /// The store is being asked what lies after the horizon. It may answer as it was before what is
    /// added meanwhile.
    reading: bool,
}

impl Schedule {
    pub(crate) fn new() -> Self {
        let (ring, bell) = async_channel::bounded(1);
        let state = State {
            due: BTreeSet::new(),
            again: BTreeSet::new(),
            horizon: None,
            reading: false,
        };
        Self {
            state: Mutex::new(state),
            ring,
            bell,
        }
    }

    /// Everything due after `from` is in the store, and has not been read.
    pub(crate) fn begin_after(&self, from: WakeUp) {
        let mut state = self.lock();
        state.horizon = Some(from);
        // What is being read may be older than what this call is about: it does not count.
        state.reading = false;
        drop(state);
        self.ring();
    }

    /// Looks at the run at `at`. What lies beyond the horizon will be found in the store.
    pub(crate) fn add(&self, at: Timestamp, run: RunId) {
        let wake_up = WakeUp { at, run };
        let mut state = self.lock();
        let is_beyond = state.horizon.is_some_and(|horizon| wake_up > horizon);
        if is_beyond && !state.reading {
            return;
        }
        let is_first = state.due.first().is_none_or(|first| wake_up < *first);
        state.due.insert(wake_up);
        state.shed();
        drop(state);
        if is_first {
            self.ring();
        }
    }

    /// Looks at the run at `at`, whatever the store's index says.
    pub(crate) fn add_again(&self, at: Timestamp, run: RunId) {
        self.lock().again.insert(WakeUp { at, run });
        self.ring();
    }

    /// Reads the whole index anew: something may be in it that nobody here was told of.
    pub(crate) fn read_again(&self) {
        self.begin_after(WakeUp {
            at: Timestamp::ZERO,
            run: RunId::from_bytes([0; 16]),
        });
    }

    /// Lets the task look again.
    pub(crate) fn ring(&self) {
        // A full bell has been rung.
        let _rung = self.ring.try_send(());
    }

    /// How many wake-ups are held here.
    pub(crate) fn len(&self) -> usize {
        let state = self.lock();
        state.due.len() + state.again.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop_due(&self, now: Timestamp) -> Next {
        let mut state = self.lock();
        let first = state.due.first().into_iter().chain(state.again.first());
        let first = first.min().copied();
        // What lies beyond the horizon may be due before what is known to lie there.
        if let Some(horizon) = state.horizon
            && first.is_none_or(|first| first > horizon)
        {
            return Next::Read(horizon);
        }
        match first {
            Some(first) if first.at <= now => {
                state.due.remove(&first);
                state.again.remove(&first);
                Next::Due(first.run)
            }
            Some(first) => Next::At(first.at),
            None => Next::Nothing,
        }
    }

    /// Takes in what was read after `from`, unless it is to be read anew meanwhile.
    fn take_in(&self, from: WakeUp, page: Vec<WakeUp>) {
        let mut state = self.lock();
        let counts = std::mem::take(&mut state.reading) && state.horizon == Some(from);
        if !counts {
            return;
        }
        let full = page.len() == PAGE;
        state.horizon = if full { page.last().copied() } else { None };
        state.due.extend(page);
    }

    /// Calls drivers as their runs fall due, until the engine stops.
    pub(crate) async fn work(engine: Arc<Inner>) {
        let schedule = &engine.schedule;
        while !engine.is_stopping() {
            match schedule.pop_due(engine.host.clock.now()) {
                Next::Due(run) => engine.tell(run, Message::Look),
                Next::At(at) => {
                    schedule.rung_or(&engine, at).await;
                }
                Next::Read(horizon) => match schedule.read(&engine, horizon).await {
                    Ok(page) => schedule.take_in(horizon, page),
                    Err(error) => {
                        tracing::warn!(%error, "the wake-up index could not be read");
                        let later = engine
                            .host
                            .clock
                            .now()
                            .after(std::time::Duration::from_secs(1));
                        schedule.rung_or(&engine, later).await;
                    }
                },
                Next::Nothing => {
                    let _rung = schedule.bell.recv().await;
                }
            }
        }
    }

    /// Waits for the bell, at most until `at`.
    async fn rung_or(&self, engine: &Inner, at: Timestamp) {
        let bell = pin!(self.bell.recv());
        let _either = select(bell, engine.host.clock.sleep_until(at)).await;
    }

    async fn read(&self, engine: &Inner, after: WakeUp) -> Result<Vec<WakeUp>, StoreError> {
        self.lock().reading = true;
        let Some(node) = engine.node() else {
            let due = engine
                .store
                .due(engine.scope, Some(after), Timestamp::MAX, PAGE);
            return due.await;
        };
        // What others have is theirs to wake, and what nobody has is claimed.
        let leased = engine.store.leased(node, Some(after), Timestamp::MAX, PAGE);
        Ok(leased
            .await?
            .into_iter()
            .map(|leased| leased.wake_up)
            .collect())
    }
}

enum Next {
    Due(RunId),
    At(Timestamp),
    Read(WakeUp),
    Nothing,
}

impl State {
    /// Forgets the latest where there are far too many; the store has them.
    fn shed(&mut self) {
        if self.due.len() <= 4 * PAGE {
            return;
        }
        while self.due.len() > PAGE {
            self.due.pop_last();
        }
        let last = self.due.last().copied();
        // What was added while the store was read may lie beyond the horizon, with a gap before it.
        self.horizon = self
            .horizon
            .map_or(last, |horizon| last.map(|last| last.min(horizon)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wake_up(at: u64, n: u128) -> WakeUp {
        WakeUp {
            at: Timestamp::from_millis(at),
            run: RunId::mint(Timestamp::ZERO, n),
        }
    }

    fn add(schedule: &Schedule, wake_up: WakeUp) {
        schedule.add(wake_up.at, wake_up.run);
    }

    fn due(schedule: &Schedule, at: u64) -> Option<RunId> {
        match schedule.pop_due(Timestamp::from_millis(at)) {
            Next::Due(run) => Some(run),
            Next::At(_) | Next::Read(_) | Next::Nothing => None,
        }
    }

    #[test]
    fn what_was_added_during_recovery_does_not_hide_what_the_store_has() {
        let schedule = Schedule::new();
        add(&schedule, wake_up(1_000_000, 1));
        schedule.begin_after(wake_up(10, 9));
        let next = schedule.pop_due(Timestamp::from_millis(20));
        assert!(matches!(next, Next::Read(from) if from == wake_up(10, 9)));
    }

    #[test]
    fn what_is_added_while_the_store_is_read_is_kept() {
        let schedule = Schedule::new();
        schedule.begin_after(wake_up(10, 9));
        schedule.lock().reading = true;
        let added = wake_up(30, 1);
        add(&schedule, added);
        // The store answers as it was before.
        schedule.take_in(wake_up(10, 9), Vec::new());
        assert_eq!(due(&schedule, 30), Some(added.run));
    }

    #[test]
    fn what_lies_beyond_the_horizon_is_left_to_the_store() {
        let schedule = Schedule::new();
        schedule.begin_after(wake_up(10, 9));
        add(&schedule, wake_up(30, 1));
        assert!(schedule.lock().due.is_empty());
    }

    #[test]
    fn shedding_never_moves_the_horizon_over_what_was_not_read() {
        let mut state = State {
            due: (0..=4 * PAGE as u64).map(|at| wake_up(at, 1)).collect(),
            again: BTreeSet::new(),
            horizon: Some(wake_up(5, 1)),
            reading: true,
        };
        state.shed();
        assert_eq!(state.horizon, Some(wake_up(5, 1)));
        assert_eq!(state.due.len(), PAGE);
    }
}
