//! Time in workflows: durable sleeps, deadlines, and the time of the last event.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use rewake_core::time::Timestamp;
use rewake_runtime::workflow::{Context as RunContext, Wait};

use crate::error::Elapsed;

const OUTSIDE: &str =
    "this durable function only works inside a workflow; outside one use your async runtime's own";

/// A durable sleep. It survives crashes, and a sleeping run costs no memory.
#[derive(Debug)]
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    wait: Wait,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().wait.poll_unpin(cx)
    }
}

fn context() -> std::sync::Arc<RunContext> {
    RunContext::current().expect(OUTSIDE)
}

/// Sleeps for `length`, durably. The time counts from the first poll.
///
/// # Panics
///
/// Outside a workflow.
pub fn sleep(length: Duration) -> Sleep {
    Sleep {
        wait: Wait::length(context(), length),
    }
}

/// Sleeps until `time`, durably; a time that has passed ends the sleep with the next commit.
///
/// # Panics
///
/// Outside a workflow.
pub fn sleep_until(time: SystemTime) -> Sleep {
    Sleep {
        wait: Wait::until(context(), Timestamp::from(time)),
    }
}

/// Waits for `future`, but no longer than `length`, durably.
///
/// When the time runs out, `future` is dropped. When `future` is first, the sleep is given up and
/// leaves no timer behind.
///
/// # Panics
///
/// Outside a workflow.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use rewake::prelude::*;
///
/// #[workflow]
/// async fn ask(token: String) -> anyhow::Result<String> {
///     let mut answers = create_hook::<String>().token(token).await?;
///     match timeout(Duration::from_millis(20), answers.recv()).await {
///         Ok(answer) => Ok(answer?),
///         Err(_elapsed) => Ok("nobody answered".into()),
///     }
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(ask("question".into())).await?;
/// assert_eq!(run.result().await?, "nobody answered");
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub fn timeout<F: IntoFuture>(length: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: Some(Box::pin(future.into_future())),
        sleep: sleep(length),
    }
}

/// A future with a deadline.
#[derive(Debug)]
#[must_use = "a timeout does nothing unless it is awaited"]
pub struct Timeout<F> {
    /// Gone once the time has run out.
    future: Option<Pin<Box<F>>>,
    sleep: Sleep,
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some(future) = &mut this.future
            && let Poll::Ready(output) = future.as_mut().poll(cx)
        {
            this.future = None;
            return Poll::Ready(Ok(output));
        }
        this.sleep.poll_unpin(cx).map(|()| {
            this.future = None;
            Err(Elapsed)
        })
    }
}

/// The time, as the run knows it: of the last event it was fed. The same in every replay.
///
/// # Panics
///
/// Outside a workflow.
pub fn now() -> SystemTime {
    context().with(|machine| machine.now()).into()
}

/// So many seconds.
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// So many minutes.
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(60))
}

/// So many hours.
pub const fn hours(n: u64) -> Duration {
    minutes(n.saturating_mul(60))
}

/// So many days of 24 hours.
pub const fn days(n: u64) -> Duration {
    hours(n.saturating_mul(24))
}
