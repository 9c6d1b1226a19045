//! A durable sleep.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use rewake_core::event::Correlation;
use rewake_core::id::WaitId;
use rewake_core::time::Timestamp;

use super::context::Context;

/// A durable sleep: resolves when its time has come, or when somebody wakes the run.
///
/// Dropped before that, it is given up and leaves no timer behind.
#[derive(Debug)]
pub struct Wait {
    context: Arc<Context>,
    id: WaitId,
    until: Until,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum Until {
    /// So long after the poll that begins the wait.
    For(Duration),
    At(Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Written,
    Waiting,
    Over,
}

impl Wait {
    /// Writes a sleep of a length; it begins when it is first polled.
    pub fn length(context: Arc<Context>, length: Duration) -> Self {
        Self::new(context, Until::For(length))
    }

    /// Writes a sleep until a time.
    pub fn until(context: Arc<Context>, at: Timestamp) -> Self {
        Self::new(context, Until::At(at))
    }

    fn new(context: Arc<Context>, until: Until) -> Self {
        let id = context.with(|machine| {
            let place = machine.place();
            WaitId::derive(machine.run(), place)
        });
        Self {
            context,
            id,
            until,
            state: State::Written,
        }
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.context.expect_current("a sleep");
        let mut shared = this.context.lock();
        if this.state == State::Written {
            let resume_at = match this.until {
                Until::For(length) => shared.machine.now().after(length),
                Until::At(at) => at,
            };
            shared.machine.create_wait(this.id, resume_at);
            this.state = State::Waiting;
        }
        if this.state == State::Over || shared.machine.take_wait(this.id) {
            this.state = State::Over;
            return Poll::Ready(());
        }
        shared.wait(Correlation::Wait(this.id), cx.waker());
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.state != State::Waiting {
            return;
        }
        let acting = self.context.is_acting();
        let mut shared = self.context.lock();
        shared.forget(Correlation::Wait(self.id));
        if acting {
            shared.machine.cancel_wait(self.id);
        }
    }
}
