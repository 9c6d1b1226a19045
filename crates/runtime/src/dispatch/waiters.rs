//! Those who wait for something of a run: its end, or an answer to a webhook's request.
//!
//! A call is only a hint: whoever is called looks at the store. Whoever stops waiting, called or not,
//! leaves nothing behind.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_channel::oneshot;
use futures_util::FutureExt;
use rewake_core::id::RunId;

#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    turn: u64,
    senders: BTreeMap<(RunId, u64), oneshot::Sender<()>>,
}

/// Resolves when something worth looking at has happened to a run.
pub(crate) struct Called<'a> {
    waiters: &'a Waiters,
    place: (RunId, u64),
    receiver: oneshot::Receiver<()>,
}

impl Waiters {
    /// Resolves when something worth looking at has happened to the run.
    pub(crate) fn wait(&self, run: RunId) -> Called<'_> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.turn += 1;
        let place = (run, waiting.turn);
        waiting.senders.insert(place, sender);
        Called {
            waiters: self,
            place,
            receiver,
        }
    }

    /// Calls those who wait for the run.
    pub(crate) fn call(&self, run: RunId) {
        let mut waiting = self.lock();
        let mut called = Vec::new();
        while let Some((place, _)) = waiting.senders.range((run, 0)..=(run, u64::MAX)).next() {
            let place = *place;
            called.extend(waiting.senders.remove(&place));
        }
        drop(waiting);
        for sender in called {
            let _gave_up = sender.send(());
        }
    }

    /// Calls everybody.
    pub(crate) fn call_all(&self) {
        let waiting = std::mem::take(&mut self.lock().senders);
        for sender in waiting.into_values() {
            let _gave_up = sender.send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Called<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut()
            .receiver
            .poll_unpin(cx)
            .map(|_called_or_gone| ())
    }
}

impl Drop for Called<'_> {
    fn drop(&mut self) {
        self.waiters.lock().senders.remove(&self.place);
    }
}

impl fmt::Debug for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Called").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rewake_core::time::Timestamp;

    use super::*;

    fn run(n: u128) -> RunId {
        RunId::mint(Timestamp::ZERO, n)
    }

    #[test]
    fn a_call_reaches_all_who_wait_for_the_run_and_nobody_else() {
        let waiters = Waiters::default();
        let (one, two, other) = (
            waiters.wait(run(1)),
            waiters.wait(run(1)),
            waiters.wait(run(2)),
        );
        waiters.call(run(1));
        assert_eq!(one.now_or_never(), Some(()));
        assert_eq!(two.now_or_never(), Some(()));
        assert_eq!(other.now_or_never(), None);
    }

    #[test]
    fn who_stops_waiting_leaves_nothing_behind() {
        let waiters = Waiters::default();
        drop(waiters.wait(run(1)));
        assert!(waiters.lock().senders.is_empty());
    }
}
