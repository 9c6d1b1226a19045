//! Requests that are seen through, also where whoever made them has stopped waiting.
//!
//! A write that was handed to the store may be committed whether anybody waits for it or not. What
//! follows from it (telling the run's driver) must not depend on that either, or a run would lie
//! ready with nobody to wake it: a caller that goes away, a time limit around a call.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Inner;
use crate::host::Spawner;

/// A request. Dropped while it is under way, it goes on by itself.
pub(super) struct SeenThrough<T: Send + 'static> {
    spawner: Arc<dyn Spawner>,
    request: Option<BoxFuture<'static, T>>,
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
            begun: false,
        }
    }
}

impl<T: Send + 'static> Future for SeenThrough<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        this.begun = true;
        let Some(request) = &mut this.request else {
            return Poll::Pending;
        };
        let answer = request.poll_unpin(cx);
        if answer.is_ready() {
            this.request = None;
        }
        answer
    }
}

impl<T: Send + 'static> Drop for SeenThrough<T> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take().filter(|_| self.begun) {
            self.spawner.spawn_driver(Box::pin(request.map(drop)));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for SeenThrough<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenThrough").finish_non_exhaustive()
    }
}
