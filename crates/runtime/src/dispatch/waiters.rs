//! Those who wait for something of a run: its end, or an answer to a webhook's request.
//!
//! A call to look is only a hint: whoever is called looks at the store. An end or an answer is told as
//! it is on record, so nobody need read it there. Whoever stops waiting, called or not, leaves nothing behind.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_channel::oneshot;
use futures_util::FutureExt;
use rewake_core::id::RunId;
use rewake_core::payload::Payload;

use crate::engine::RunOutcome;

#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    turn: u64,
    senders: BTreeMap<(RunId, u64), oneshot::Sender<News>>,
}

/// What those who wait for a run are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Something happened that the store knows.
    Look,
    /// The run ended, and that is on record.
    Ended(RunOutcome),
    /// A request of a webhook was answered on this stream, and that is on record.
    Answered { stream: String, answer: Payload },
}

/// Resolves when something worth looking at has happened to a run.
pub(crate) struct Called<'a> {
    waiters: &'a Waiters,
    place: (RunId, u64),
    receiver: oneshot::Receiver<News>,
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

    /// Tells those who wait for the run.
    pub(crate) fn call(&self, run: RunId, news: News) {
        let mut waiting = self.lock();
        // Mostly one waits, and nobody else.
        let (mut last, mut others) = (None, Vec::new());
        while let Some((place, _)) = waiting.senders.range((run, 0)..=(run, u64::MAX)).next() {
            let place = *place;
            let before = std::mem::replace(&mut last, waiting.senders.remove(&place));
            others.extend(before);
        }
        drop(waiting);
        let Some(last) = last else { return };
        for sender in others {
            let _gave_up = sender.send(news.clone());
        }
        let _gave_up = last.send(news);
    }

    /// Calls everybody.
    pub(crate) fn call_all(&self) {
        let waiting = std::mem::take(&mut self.lock().senders);
        for sender in waiting.into_values() {
            let _gave_up = sender.send(News::Look);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Called<'_> {
    type Output = News;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<News> {
        let told = self.get_mut().receiver.poll_unpin(cx);
        told.map(|told| told.unwrap_or(News::Look))
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
        let ended = News::Ended(RunOutcome::Unknown);
        waiters.call(run(1), ended.clone());
        assert_eq!(one.now_or_never(), Some(ended.clone()));
        assert_eq!(two.now_or_never(), Some(ended));
        assert_eq!(other.now_or_never(), None);
    }

    #[test]
    fn who_stops_waiting_leaves_nothing_behind() {
        let waiters = Waiters::default();
        drop(waiters.wait(run(1)));
        assert!(waiters.lock().senders.is_empty());
    }
}
