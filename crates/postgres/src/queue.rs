//! The queue between the callers and the writer, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rewake_store::StoreError;
use tokio::sync::Notify;

/// What waits for the writer.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Notify,
    bound: usize,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<(usize, T)>,
    bytes: usize,
    closed: bool,
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
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                bytes: 0,
                closed: false,
            }),
            arrived: Notify::new(),
            bound,
        }
    }

    pub(crate) fn push(&self, item: T, bytes: usize, caller: Caller) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.closed {
            return Err(closed());
        }
        // One that is larger than the bound is taken when nothing else waits.
        let room = state.waiting.is_empty() || state.bytes.saturating_add(bytes) <= self.bound;
        if caller == Caller::Outsider && !room {
            return Err(StoreError::Overloaded);
        }
        state.bytes = state.bytes.saturating_add(bytes);
        state.waiting.push_back((bytes, item));
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits until something has come and takes all of it, within bounds; nothing once the queue is
    /// closed and empty.
    pub(crate) async fn take(&self, max_items: usize, max_bytes: usize) -> Vec<T> {
        loop {
            let (taken, ended) = self.state().take(max_items, max_bytes);
            if ended || !taken.is_empty() {
                return taken;
            }
            // What came in between has left a permit.
            self.arrived.notified().await;
        }
    }

    /// Takes nothing more in; what waits is still served.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.arrived.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing here panics while it holds the lock half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// What is taken, and whether nothing will come any more.
    fn take(&mut self, max_items: usize, max_bytes: usize) -> (Vec<T>, bool) {
        let mut taken = Vec::new();
        let mut room = max_bytes;
        while let Some((bytes, _)) = self.waiting.front() {
            if taken.len() == max_items || (!taken.is_empty() && *bytes > room) {
                break;
            }
            room = room.saturating_sub(*bytes);
            if let Some((bytes, item)) = self.waiting.pop_front() {
                self.bytes = self.bytes.saturating_sub(bytes);
                taken.push(item);
            }
        }
        let ended = taken.is_empty() && self.closed;
        (taken, ended)
    }
}

/// What a store that was closed says.
pub(crate) fn closed() -> StoreError {
    StoreError::Closed {
        reason: "it was closed".to_owned(),
    }
}
