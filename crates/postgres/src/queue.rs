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
    /// What whoever takes waits for: to be woken for every item would cost more than the item.
    wanted: Wanted,
}

/// How much must wait before something is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Any,
    /// So many items, or so many bytes.
    Full(usize, usize),
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
                wanted: Wanted::Any,
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
        let is_wanted = state.has_what_is_wanted();
        drop(state);
        if is_wanted {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Waits until something has come and takes all of it, within bounds; nothing once the queue is
    /// closed and empty.
    pub(crate) async fn take(&self, max_items: usize, max_bytes: usize) -> Vec<T> {
        loop {
            let (taken, ended) = {
                let mut state = self.state();
                state.wanted = Wanted::Any;
                state.take(max_items, max_bytes)
            };
            if ended || !taken.is_empty() {
                return taken;
            }
            // What came in between has left a permit.
            self.arrived.notified().await;
        }
    }

    /// Waits until as much has come as may be taken at once, and takes it.
    ///
    /// # Cancel safety
    ///
    /// What is taken comes with the answer, so nothing is lost where this is dropped before.
    pub(crate) async fn take_full(&self, max_items: usize, max_bytes: usize) -> Vec<T> {
        loop {
            {
                let mut state = self.state();
                state.wanted = Wanted::Full(max_items, max_bytes);
                if state.has_what_is_wanted() {
                    return state.take(max_items, max_bytes).0;
                }
            }
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
    fn has_what_is_wanted(&self) -> bool {
        match self.wanted {
            Wanted::Any => true,
            Wanted::Full(items, bytes) => self.waiting.len() >= items || self.bytes >= bytes,
        }
    }

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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn queue(items: usize) -> Queue<usize> {
        let queue = Queue::new(1 << 10);
        for item in 0..items {
            queue.push(item, 1, Caller::Worker).unwrap();
        }
        queue
    }

    #[test]
    fn whoever_wants_a_full_batch_gets_none_before() {
        let queue = queue(2);
        assert_eq!(queue.take_full(3, 100).now_or_never(), None);
        queue.push(2, 1, Caller::Worker).unwrap();
        assert_eq!(queue.take_full(3, 100).now_or_never(), Some(vec![0, 1, 2]));
    }

    #[test]
    fn a_batch_is_full_by_its_bytes_too() {
        let queue = queue(1);
        queue.push(1, 100, Caller::Worker).unwrap();
        assert_eq!(queue.take_full(3, 100).now_or_never(), Some(vec![0]));
    }

    #[test]
    fn what_a_full_batch_was_waited_for_with_is_still_there() {
        let queue = queue(2);
        assert_eq!(queue.take_full(3, 100).now_or_never(), None);
        assert_eq!(queue.take(3, 100).now_or_never(), Some(vec![0, 1]));
    }

    #[tokio::test]
    async fn whoever_waits_is_told_of_a_full_batch_and_of_anything() {
        let queue = queue(0);
        let push = |items: std::ops::Range<usize>| {
            for item in items {
                queue.push(item, 1, Caller::Worker).unwrap();
            }
        };
        let (full, ()) = tokio::join!(queue.take_full(2, 100), async { push(0..2) });
        assert_eq!(full, [0, 1]);
        let (any, ()) = tokio::join!(queue.take(2, 100), async { push(2..3) });
        assert_eq!(any, [2]);
    }
}
