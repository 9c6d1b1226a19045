//! Where steps that block run: on tokio's threads for that, so that no other step and no request of
//! the application waits for them.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use rewake_runtime::step::StepContext;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::provided::Provided;

/// Runs `work` on a thread that may block, as a part of the step that asks for it. Outside of tokio
/// there is no other thread, and nobody to be held up: it runs where it is awaited.
///
/// Dropped, it lets `work` run to its end if that has begun, for nothing can stop a thread.
pub(crate) async fn run<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let (step, provided) = (StepContext::current(), Provided::current());
    let work = move || {
        let _step = step.map(StepContext::enter);
        let _provided = provided.map(Provided::enter);
        work()
    };
    match Handle::try_current() {
        Ok(tokio) => OnThread(tokio.spawn_blocking(work)).await,
        Err(_) => work(),
    }
}

/// Work on a thread of its own. What has not begun when this is dropped never begins.
struct OnThread<R>(JoinHandle<R>);

impl<R> Future for OnThread<R> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        match self.get_mut().0.poll_unpin(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(result)) => Poll::Ready(result),
            Poll::Ready(Err(error)) => match error.try_into_panic() {
                Ok(panicked) => resume_unwind(panicked),
                // Only a runtime that is shutting down drops what it has queued. The attempt has not
                // begun, and nothing is to be said of it.
                Err(_) => Poll::Pending,
            },
        }
    }
}

impl<R> Drop for OnThread<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
