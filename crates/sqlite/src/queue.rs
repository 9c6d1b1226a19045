//! A queue between the callers and a thread, bounded in bytes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rewake_store::{Patience, StoreError};

/// What waits for a thread.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    /// How much waits, for who looks without the lock.
    len: AtomicUsize,
    arrived: Condvar,
    bound: usize,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<(usize, T)>,
    bytes: usize,
    /// Threads that must be woken.
    sleeping: usize,
    closed: Option<String>,
}

/// Who wants something queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// An outsider: refused when the queue is full.
    Outsider,
    /// The worker: the result of a step that ran always has room.
    Worker,
}

impl<T> Queue<T> {
    pub(crate) const fn new(bound: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                bytes: 0,
                sleeping: 0,
                closed: None,
            }),
            len: AtomicUsize::new(0),
            arrived: Condvar::new(),
            bound,
        }
    }

    pub(crate) fn push(&self, item: T, bytes: usize, caller: Caller) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(reason) = &state.closed {
            return Err(closed(reason));
        }
        // One that is larger than the bound is taken when nothing else waits.
        let room = state.waiting.is_empty() || state.bytes.saturating_add(bytes) <= self.bound;
        if caller == Caller::Outsider && !room {
            return Err(StoreError::Overloaded);
        }
        state.bytes = state.bytes.saturating_add(bytes);
        state.waiting.push_back((bytes, item));
        self.len.store(state.waiting.len(), Ordering::Release);
        let sleeps = state.sleeping > 0;
        drop(state);
        if sleeps {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Looks a while for something to come, where nothing waits and that is worth it. Nothing is
    /// taken, and to be closed counts as nothing.
    pub(crate) fn look(&self, patience: &mut Patience, now: impl Fn() -> Duration) {
        let something = || self.len.load(Ordering::Acquire) > 0;
        if !something() && patience.is_worth_a_look() {
            patience.look(something, now);
        }
    }

    /// Waits until something has come and takes all of it, within bounds; nothing once the queue is
    /// closed and empty.
    pub(crate) fn take(&self, max_items: usize, max_bytes: usize) -> Vec<T> {
        let mut state = self.state();
        while state.waiting.is_empty() && state.closed.is_none() {
            state.sleeping += 1;
            state = self
                .arrived
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.sleeping -= 1;
        }
        let mut taken = Vec::new();
        let mut room = max_bytes;
        while let Some((bytes, _)) = state.waiting.front() {
            if taken.len() == max_items || (!taken.is_empty() && *bytes > room) {
                break;
            }
            room = room.saturating_sub(*bytes);
            let Some((bytes, item)) = state.waiting.pop_front() else {
                break;
            };
            state.bytes = state.bytes.saturating_sub(bytes);
            taken.push(item);
        }
        self.len.store(state.waiting.len(), Ordering::Release);
        taken
    }

    /// Takes nothing more in; what waits is still served. The first reason stands.
    pub(crate) fn close(&self, reason: &str) {
        self.state().closed.get_or_insert_with(|| reason.to_owned());
        self.arrived.notify_all();
    }

    /// Takes nothing more in, and gives back what waits.
    pub(crate) fn fail(&self, reason: &str) -> Vec<T> {
        let mut state = self.state();
        state.closed = Some(reason.to_owned());
        state.bytes = 0;
        let waiting = state.waiting.drain(..).map(|(_, item)| item).collect();
        drop(state);
        self.arrived.notify_all();
        waiting
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing here panics while it holds the lock half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn closed(reason: &str) -> StoreError {
    StoreError::Closed {
        reason: reason.to_owned(),
    }
}
