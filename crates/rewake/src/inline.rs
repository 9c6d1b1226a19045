//! Inline steps: small side effects, written where they are needed.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::StepCall;
use crate::definition::run_body;

/// A step that is written where it is called, for what is too small for a function of its own.
///
/// It is a step like any other: its result is recorded once and replayed ever after, a failed
/// attempt is made again, `max_retries`, `timeout` and `backoff` are chained on the call, and
/// [`step_metadata`](crate::step_metadata) and [`provided`](crate::provided) work inside. Awaited
/// outside a workflow it simply runs.
///
/// The closure owns what it needs and is cloned for each attempt, so what it captures is `Clone`,
/// `Send` and `'static`. It is called for an attempt only, on the application's async runtime, and
/// not when a replay comes by. Its id is made of the run, the place and `name`: as for a function, a
/// run that has passed the place must find the same name there.
///
/// Where nothing else in the closure says of which type its errors are, its last line does:
/// `anyhow::Ok(value)`, or `Ok::<_, MyError>(value)`.
///
/// Use `#[step]` instead for what several workflows do, what is to be seen under one name
/// everywhere, what is called outside of workflows too, or what blocks its thread. An inline step that is
/// tried again needs its workflow, which is replayed for it; one of a function needs only its
/// arguments.
///
/// A name that cannot be one (empty, longer than 256 bytes, with blanks) gives a [`StepError`] of
/// kind `Fatal`, and nothing runs.
///
/// [`StepError`]: crate::StepError
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
///
/// #[workflow]
/// async fn order(article: String) -> anyhow::Result<String> {
///     let asked = article.clone();
///     let price = step("look_up_price", async move || {
///         anyhow::ensure!(asked == "ink", "no such article");
///         Ok(7_u32)
///     });
///     let price = price.max_retries(0).timeout(seconds(5)).await?;
///     Ok(format!("{article}: {price}"))
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(order("ink".into())).await?;
/// assert_eq!(run.result().await?, "ink: 7");
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub fn step<F, Fut, T, E>(name: impl Into<String>, work: F) -> StepCall<T>
where
    F: FnOnce() -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Serialize + DeserializeOwned,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    // Only cloned under the lock: what it captures need not be `Sync`.
    let work = Mutex::new(work);
    let begin = move || {
        let work = work.lock().unwrap_or_else(PoisonError::into_inner).clone();
        run_body(work())
    };
    StepCall::inline(name.into(), Arc::new(begin))
}
