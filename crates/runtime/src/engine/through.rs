//! Requests that are seen through, also where whoever made them has stopped waiting.
//!
//! A write that was handed to the store may be committed whether anybody waits for it or not. What
//! follows from it (telling the run's driver) must not depend on that either, or a run would lie
//! ready with nobody to wake it: a caller that goes away, a time limit around a call.
//!
//! All that is written from outside comes through here, so here it is counted who waits for that.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Inner;
use crate::dispatch::Outsiders;
use crate::host::Spawner;

/// A request. Dropped while it is under way, it goes on by itself.
pub(super) struct SeenThrough<T: Send + 'static> {
    spawner: Arc<dyn Spawner>,
    request: Option<BoxFuture<'static, T>>,
    /// It is one of them from its first poll until it is answered or dropped.
    outsiders: Outsiders,
    begun: bool,
}

impl Inner {
    /// Sees a request through. Dropped before its first poll, it does nothing.
    pub(super) fn see_through<T: Send + 'static>(
        &self,
        request: impl Future<Output = T> + Send + 'static,
    ) -> SeenThrough<T> {
        SeenThrough {
            spawner: Arc::clone(&self.host.spawner),
            request: Some(Box::pin(request)),
            outsiders: self.outsiders.clone(),
            begun: false,
        }
    }
}

impl<T: Send + 'static> Future for SeenThrough<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        let Some(request) = &mut this.request else {
            return Poll::Pending;
        };
        if !this.begun {
            this.begun = true;
            this.outsiders.enter();
        }
        let answer = request.poll_unpin(cx);
        if answer.is_ready() {
            this.request = None;
            this.outsiders.leave();
        }
        answer
    }
}

impl<T: Send + 'static> Drop for SeenThrough<T> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take().filter(|_| self.begun) {
            self.outsiders.leave();
            self.spawner.spawn_driver(Box::pin(request.map(drop)));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for SeenThrough<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenThrough").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_channel::oneshot;

    use super::*;

    /// Keeps nothing that it is given.
    struct Nowhere;

    impl Spawner for Nowhere {
        fn spawn_driver(&self, task: BoxFuture<'static, ()>) {
            drop(task);
        }

        fn spawn_step(&self, task: BoxFuture<'static, ()>) {
            drop(task);
        }
    }

    fn seen_through(
        outsiders: &Outsiders,
    ) -> (
        oneshot::Sender<()>,
        SeenThrough<Result<(), oneshot::Canceled>>,
    ) {
        let (answer, request) = oneshot::channel();
        let seen = SeenThrough {
            spawner: Arc::new(Nowhere),
            request: Some(request.boxed()),
            outsiders: outsiders.clone(),
            begun: false,
        };
        (answer, seen)
    }

    #[test]
    fn a_call_is_waited_for_from_its_first_poll_until_it_is_answered() {
        let outsiders = Outsiders::default();
        let (answer, mut seen) = seen_through(&outsiders);
        assert!(!outsiders.are_few());
        assert_eq!((&mut seen).now_or_never(), None);
        assert!(outsiders.are_few());
        answer.send(()).unwrap();
        assert_eq!((&mut seen).now_or_never(), Some(Ok(())));
        assert!(!outsiders.are_few());
    }

    #[test]
    fn a_call_that_is_dropped_is_not_waited_for() {
        let outsiders = Outsiders::default();
        let (_answer, mut seen) = seen_through(&outsiders);
        assert_eq!((&mut seen).now_or_never(), None);
        assert!(outsiders.are_few());
        drop(seen);
        assert!(!outsiders.are_few());
    }
}
