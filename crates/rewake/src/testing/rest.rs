//! What a step in a test can wait for without keeping time from passing.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::time::Timestamp;

use super::task;
use super::world::{Nap, World};

/// Never resolves: a step that awaits it hangs, and time passes all the same.
///
/// A step that hangs in any other way keeps the clock of a [`TestRewake`](super::TestRewake) from
/// skipping, for nobody can know that it will not answer.
///
/// # Cancel safety
///
/// Dropped, it changes nothing.
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
/// use rewake::testing::{TestRewake, never};
///
/// #[step]
/// async fn ask_the_bank(account: String) -> anyhow::Result<u64> {
///     anyhow::bail!("there is no bank here that knows {account}")
/// }
///
/// #[workflow]
/// async fn balance(account: String) -> anyhow::Result<Option<u64>> {
///     let answer = timeout(minutes(5), ask_the_bank(account)).await;
///     Ok(answer.ok().transpose()?)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> anyhow::Result<()> {
/// let rewake = TestRewake::builder().mock_async(ask_the_bank, |_| never()).build().await;
/// let run = rewake.start(balance("7".into())).await?;
/// assert_eq!(run.result().await?, None);
/// # Ok(())
/// # }
/// ```
pub async fn never<T>() -> T {
    std::future::poll_fn(|_| {
        task::rest();
        Poll::Pending
    })
    .await
}

/// Resolves after a span of the test's time: a step that awaits it takes so long.
///
/// # Panics
///
/// Outside of the steps of a [`TestRewake`](super::TestRewake).
pub fn takes(span: Duration) -> Takes {
    let world =
        crate::provided::<Arc<World>>().expect("`takes` is for the steps of a `TestRewake`");
    let at: Timestamp = world.time().after(span);
    Takes {
        nap: world.nap_until(at),
    }
}

/// A span of the test's time, in a step.
#[derive(Debug)]
#[must_use = "a step takes no time unless this is awaited"]
pub struct Takes {
    nap: Nap,
}

impl Future for Takes {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.get_mut().nap.poll_unpin(cx);
        if polled.is_pending() {
            task::rest();
        }
        polled
    }
}
