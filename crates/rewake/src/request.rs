//! Requests to the handle: written first, with options, and carried out when they are awaited.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// A request that is a future itself, and can take options until it is first polled.
pub(crate) struct Request<A, O> {
    state: State<A, O>,
    carry_out: fn(A) -> BoxFuture<'static, O>,
}

enum State<A, O> {
    Written(A),
    UnderWay(BoxFuture<'static, O>),
    /// Only while the state changes.
    Changing,
}

impl<A, O> Request<A, O> {
    pub(crate) const fn new(args: A, carry_out: fn(A) -> BoxFuture<'static, O>) -> Self {
        Self {
            state: State::Written(args),
            carry_out,
        }
    }

    /// Changes what is asked for, as long as it was not asked.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut A)) -> Self {
        if let State::Written(args) = &mut self.state {
            change(args);
        }
        self
    }
}

impl<A: Unpin, O> Request<A, O> {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<O> {
        if let State::Written(_) = self.state
            && let State::Written(args) = std::mem::replace(&mut self.state, State::Changing)
        {
            self.state = State::UnderWay((self.carry_out)(args));
        }
        match &mut self.state {
            State::UnderWay(future) => future.poll_unpin(cx),
            State::Written(_) | State::Changing => Poll::Pending,
        }
    }
}

impl<A, O> fmt::Debug for Request<A, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

/// Makes a public request type a future.
macro_rules! request_future {
    ($name:ident $(<$param:ident>)?, $output:ty) => {
        impl$(<$param>)? Future for $name$(<$param>)? {
            type Output = $output;

            fn poll(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<$output> {
                self.get_mut().request.poll(cx)
            }
        }
    };
}
pub(crate) use request_future;

/// A pinned box is what every request becomes.
pub(crate) fn boxed<O>(
    future: impl Future<Output = O> + Send + 'static,
) -> Pin<Box<dyn Future<Output = O> + Send>> {
    Box::pin(future)
}
