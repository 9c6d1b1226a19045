//! A queue between the callers and a thread, bounded in bytes, with a lane for each kind of caller.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rewake_store::{Patience, StoreError};

use crate::lanes::{First, Most, Share};

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
    outsiders: Lane<T>,
    workers: Lane<T>,
    /// How many have come, which numbers them.
    arrived: u64,
    bytes: usize,
    /// Threads that must be woken.
    sleeping: usize,
    closed: Option<String>,
}

/// In order of arrival.
type Lane<T> = VecDeque<(First, T)>;

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
                outsiders: VecDeque::new(),
                workers: VecDeque::new(),
                arrived: 0,
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
        let room = state.is_empty() || state.bytes.saturating_add(bytes) <= self.bound;
        if caller == Caller::Outsider && !room {
            return Err(StoreError::Overloaded);
        }
        state.bytes = state.bytes.saturating_add(bytes);
        let number = state.arrived;
        state.arrived += 1;
        state
            .lane(caller)
            .push_back((First { number, bytes }, item));
        self.len.store(state.len(), Ordering::Release);
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
        let something = || !self.is_empty();
        if !something() && patience.is_worth_a_look() {
            patience.look(something, now);
        }
    }

    /// True where nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len.load(Ordering::Acquire) == 0
    }

    /// Waits until something has come, and begins a transaction for what waits; none once the queue
    /// is closed and empty. The last commit took `commit`.
    pub(crate) fn begin(&self, most: Most, commit: Duration) -> Option<Share> {
        let state = self.wait();
        (!state.is_empty()).then(|| Share::new(most, state.arrived, commit))
    }

    /// Takes what goes next into a transaction that has been open for `open`; none where it is to be
    /// committed.
    pub(crate) fn next(&self, share: &mut Share, open: Duration) -> Option<(Caller, T)> {
        let mut state = self.state();
        let first = |lane: &Lane<T>| lane.front().map(|(first, _)| *first);
        let caller = share.take(first(&state.outsiders), first(&state.workers), open)?;
        let item = self.pop(&mut state, caller)?;
        Some((caller, item))
    }

    /// Waits until something has come, and takes it with what follows while it may go `along`, at most
    /// so many. From the lane of workers, where there are no others; empty once the queue is closed
    /// and empty.
    pub(crate) fn take(&self, most: usize, along: impl Fn(&T) -> bool) -> Vec<T> {
        let mut state = self.wait();
        let first = self.pop(&mut state, Caller::Worker);
        let mut taken: Vec<T> = first.into_iter().collect();
        while taken.len() < most
            && taken.last().is_some_and(&along)
            && state.workers.front().is_some_and(|(_, next)| along(next))
        {
            taken.extend(self.pop(&mut state, Caller::Worker));
        }
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
        let outsiders = std::mem::take(&mut state.outsiders);
        let workers = std::mem::take(&mut state.workers);
        drop(state);
        self.arrived.notify_all();
        let waiting = outsiders.into_iter().chain(workers);
        waiting.map(|(_, item)| item).collect()
    }

    /// Waits until something has come, or the queue is closed.
    fn wait(&self) -> MutexGuard<'_, State<T>> {
        let mut state = self.state();
        while state.is_empty() && state.closed.is_none() {
            state.sleeping += 1;
            state = self
                .arrived
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.sleeping -= 1;
        }
        state
    }

    fn pop(&self, state: &mut State<T>, caller: Caller) -> Option<T> {
        let (first, item) = state.lane(caller).pop_front()?;
        state.bytes = state.bytes.saturating_sub(first.bytes);
        self.len.store(state.len(), Ordering::Release);
        Some(item)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing here panics while it holds the lock half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    const fn lane(&mut self, caller: Caller) -> &mut Lane<T> {
        match caller {
            Caller::Outsider => &mut self.outsiders,
            Caller::Worker => &mut self.workers,
        }
    }

    fn len(&self) -> usize {
        self.outsiders.len() + self.workers.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

pub(crate) fn closed(reason: &str) -> StoreError {
    StoreError::Closed {
        reason: reason.to_owned(),
    }
}
