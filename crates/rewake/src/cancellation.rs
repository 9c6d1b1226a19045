//! What a workflow does about its own cancellation: shields and undo calls.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_runtime::workflow::{Context as RunContext, Shield as Shielded};

use crate::call::StepCall;

/// Lets a cancelled run finish `future` before its workflow is dropped.
///
/// A shield is in progress from its first poll until `future` has ended, or the workflow drops it:
/// a timeout or a lost race does. If the run is [cancelled](crate::Run::cancel) meanwhile, `future`
/// goes on with everything that it awaits, while nothing else of the workflow makes a move; then the
/// workflow is dropped where it waits. What `future` gives is the output of the shield, an error too.
///
/// It has 10 minutes for that, or what [`Limit::CleanUpMs`](crate::Limit::CleanUpMs) says; then it is
/// dropped with the rest, and the reason of the run's end says so. [`Run::terminate`](crate::Run::terminate)
/// waits for no shield. One inside another adds nothing to it. In a shield write what belongs
/// together, and no more: who asks for a cancellation waits for it.
///
/// `future` owns what it uses: write `shield(async move { … })`. Outside a workflow it simply runs.
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
///
/// #[step]
/// async fn charge(order: u32) -> anyhow::Result<String> {
///     Ok(format!("receipt of {order}"))
/// }
///
/// #[step]
/// async fn note(receipt: String) -> anyhow::Result<String> {
///     Ok(format!("noted: {receipt}"))
/// }
///
/// #[workflow]
/// async fn buy(order: u32) -> anyhow::Result<String> {
///     // No charge without its note, whoever cancels the order.
///     let noted = shield(async move {
///         let receipt = charge(order).await?;
///         note(receipt).await
///     });
///     Ok(noted.await?)
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(buy(7)).await?;
/// assert_eq!(run.result().await?, "noted: receipt of 7");
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub fn shield<F>(future: F) -> Shield<F::Output>
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    let future = future.into_future().boxed();
    Shield {
        state: match RunContext::current() {
            Ok(context) => State::Durable(Shielded::new(context, future)),
            Err(_) => State::Plain(future),
        },
    }
}

/// A part of a workflow that a cancelled run finishes first.
#[must_use = "a shield does nothing unless it is awaited"]
pub struct Shield<T> {
    state: State<T>,
}

enum State<T> {
    Durable(Shielded<T>),
    Plain(BoxFuture<'static, T>),
}

impl<T: Send + 'static> Future for Shield<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut self.get_mut().state {
            State::Durable(shield) => shield.poll_unpin(cx),
            State::Plain(future) => future.poll_unpin(cx),
        }
    }
}

impl<T> fmt::Debug for Shield<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").finish_non_exhaustive()
    }
}

/// Keeps a step call for when the workflow fails or is cancelled. It is not awaited.
///
/// If the workflow returns an error, or the run is [cancelled](crate::Run::cancel) (then once its
/// shields are done and it was dropped), the calls that were kept run: the newest first, one after the
/// other, as steps like any other, with their retries, and whatever crashes in between. Then the run
/// is recorded as failed or cancelled. A call that fails for good is recorded, and the others still
/// run. Somebody who asks to cancel a run that has failed does not stop them.
///
/// They do not run where the workflow returns a value, nor where the run is
/// [terminated](crate::Run::terminate), nor while it is parked. A call takes its id where it is written,
/// and leaves nothing in the log unless it runs. In a workflow that is awaited inside another one it
/// is kept by the run, for how the run ends.
///
/// After a cancellation all of them together have 10 minutes, or what
/// [`Limit::CleanUpMs`](crate::Limit::CleanUpMs) says; then the run ends without the rest, and the
/// reason of its end names them. That time bounds cancellations alone, which somebody waits for. After a
/// failure they take as long as their own attempts and timeouts do: give each a timeout.
///
/// # Panics
///
/// Outside a workflow; where the call was awaited before; where its arguments cannot be recorded, so
/// that nothing could ever be undone. A panic parks the run, with what to do.
///
/// # Examples
///
/// ```
/// use std::sync::Mutex;
///
/// use rewake::prelude::*;
///
/// static DONE: Mutex<Vec<String>> = Mutex::new(Vec::new());
///
/// #[step]
/// async fn act(what: String) -> Result<(), std::convert::Infallible> {
///     DONE.lock().unwrap().push(what);
///     Ok(())
/// }
///
/// #[workflow]
/// async fn travel() -> anyhow::Result<()> {
///     act("book a flight".into()).await?;
///     undo(act("cancel the flight".into()));
///     act("book a room".into()).await?;
///     undo(act("cancel the room".into()));
///     anyhow::bail!("no car is left")
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let error = rewake.start(travel()).await?.result().await.unwrap_err();
/// assert!(error.to_string().contains("no car is left"));
/// let done = DONE.lock().unwrap().join(", ");
/// assert_eq!(done, "book a flight, book a room, cancel the room, cancel the flight");
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub fn undo<T>(call: StepCall<T>) {
    if let Err(reason) = call.undo() {
        panic!("this call cannot be kept to undo something: {reason}");
    }
}
