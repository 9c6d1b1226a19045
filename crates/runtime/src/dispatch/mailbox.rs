//! Mailboxes: how a driver hears.
//!
//! There is one for each run in memory, a million of them perhaps, and most hear a message or two in
//! their life. So one takes no more room than the messages that wait in it, where a channel made for
//! many messages takes kilobytes for the first of them; and the first has its place in the mailbox itself.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Makes a mailbox, and what sends to it.
pub(crate) fn mailbox<T>() -> (Sender<T>, Mailbox<T>) {
    let shared = Arc::new(Shared(Mutex::new(State {
        first: None,
        more: VecDeque::new(),
        waker: None,
        senders: 1,
        closed: false,
    })));
    (Sender(Arc::clone(&shared)), Mailbox(shared))
}

struct Shared<T>(Mutex<State<T>>);

struct State<T> {
    /// The message that waits longest.
    first: Option<T>,
    /// Those after it; none where there is no first.
    more: VecDeque<T>,
    /// Of the owner, where it waits.
    waker: Option<Waker>,
    senders: usize,
    closed: bool,
}

impl<T> State<T> {
    fn put(&mut self, message: T) {
        if self.first.is_none() {
            self.first = Some(message);
        } else {
            self.more.push_back(message);
        }
    }

    fn take(&mut self) -> Option<T> {
        let taken = self.first.take();
        self.first = self.more.pop_front();
        taken
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing here panics while it holds the lock half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends to a mailbox. Clones send to the same.
pub(crate) struct Sender<T>(Arc<Shared<T>>);

impl<T> Sender<T> {
    /// Leaves a message; gives it back where nobody reads it any more.
    pub(crate) fn send(&self, message: T) -> Result<(), T> {
        let mut state = self.0.lock();
        if state.closed {
            return Err(message);
        }
        state.put(message);
        let waker = state.waker.take();
        drop(state);
        wake(waker);
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        let waker = (state.senders == 0).then(|| state.waker.take()).flatten();
        drop(state);
        wake(waker);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// Where messages wait for their one reader.
pub(crate) struct Mailbox<T>(Arc<Shared<T>>);

impl<T> Mailbox<T> {
    /// Something more that sends to it.
    pub(crate) fn sender(&self) -> Sender<T> {
        self.0.lock().senders += 1;
        Sender(Arc::clone(&self.0))
    }

    /// Leaves a message for whoever reads it next.
    pub(crate) fn put(&self, message: T) {
        self.0.lock().put(message);
    }

    /// The next message, if one waits.
    pub(crate) fn try_recv(&self) -> Option<T> {
        self.0.lock().take()
    }

    /// Waits for the next message; none once the mailbox is empty and nobody can send to it.
    ///
    /// # Cancel safety
    ///
    /// A message is taken when this resolves, so none is lost where it is dropped before.
    pub(crate) async fn recv(&self) -> Option<T> {
        poll_fn(|context| {
            let mut state = self.0.lock();
            if let Some(message) = state.take() {
                return Poll::Ready(Some(message));
            }
            if state.closed || state.senders == 0 {
                return Poll::Ready(None);
            }
            let before = state.waker.replace(context.waker().clone());
            // Whatever a waker takes with it may want this lock.
            drop(state);
            drop(before);
            Poll::Pending
        })
        .await
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().first.is_none()
    }

    /// Takes nothing more in; what waits can still be read.
    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }
}

impl<T> Drop for Mailbox<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let left = (state.first.take(), mem::take(&mut state.more));
        let waker = state.waker.take();
        drop(state);
        // Outside of the lock: letting go of a message may tell somebody.
        drop(left);
        drop(waker);
    }
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn wakes(count: &Count) -> usize {
        count.0.load(Ordering::Relaxed)
    }

    #[test]
    fn messages_come_in_the_order_in_which_they_were_sent() {
        let (sender, mailbox) = mailbox();
        assert_eq!(sender.send(1), Ok(()));
        assert_eq!(sender.clone().send(2), Ok(()));
        assert!(!mailbox.is_empty());
        let taken = [mailbox.try_recv(), mailbox.try_recv(), mailbox.try_recv()];
        assert_eq!(taken, [Some(1), Some(2), None]);
    }

    #[test]
    fn whoever_waits_is_woken_once_by_what_it_waits_for() {
        for end in [false, true] {
            let (sender, mailbox) = mailbox();
            let count = Arc::new(Count::default());
            let waker = Arc::clone(&count).into();
            let mut context = Context::from_waker(&waker);
            let mut recv = pin!(mailbox.recv());
            assert_eq!(recv.as_mut().poll(&mut context), Poll::Pending);
            let more = sender.clone();
            drop(sender);
            assert_eq!(wakes(&count), 0, "somebody can still send");
            let expected = if end {
                drop(more);
                None
            } else {
                assert_eq!(more.send(7), Ok(()));
                assert_eq!(more.send(8), Ok(()));
                Some(7)
            };
            assert_eq!(wakes(&count), 1);
            assert_eq!(recv.poll(&mut context), Poll::Ready(expected));
        }
    }

    #[test]
    fn a_closed_mailbox_is_read_to_its_end_and_takes_nothing_in() {
        let (sender, mailbox) = mailbox();
        assert_eq!(sender.send(1), Ok(()));
        mailbox.close();
        assert_eq!(sender.send(2), Err(2));
        assert_eq!(mailbox.try_recv(), Some(1));
        let mut recv = pin!(mailbox.recv());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(recv.as_mut().poll(&mut context), Poll::Ready(None));
    }

    #[test]
    fn what_is_left_when_the_reader_goes_goes_with_it() {
        let (sender, mailbox) = mailbox();
        let message = Arc::new(());
        assert_eq!(sender.send(Arc::clone(&message)), Ok(()));
        drop(mailbox);
        assert_eq!(Arc::strong_count(&message), 1);
        assert!(sender.send(message).is_err());
    }
}
