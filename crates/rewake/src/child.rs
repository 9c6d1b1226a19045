//! Child runs: workflows that a workflow starts as runs of their own.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use rewake_core::event::{Failure, FailureKind};
use rewake_core::id::RunId;
use rewake_core::payload::{self, EncodeError};
use rewake_core::replay::StepOutcome;
use rewake_runtime::workflow::{
    ChildFuture, ChildRefused, Context as RunContext, DetachedFuture, NotInWorkflow,
};
use serde::de::DeserializeOwned;

use crate::call::WorkflowCall;
use crate::error::RunError;

/// Starts a child run: a run of its own, linked to this one, whose result this one waits for.
///
/// The child has its own log, its own id, and is driven, retried and inspected like any other run.
/// Its result is recorded in the log of its parent, once. Waiting for it holds no worker and no place
/// among [`max_steps`](crate::RewakeBuilder::max_steps), so a run may have thousands of children, and
/// they children in turn.
///
/// A child that runs when its parent ends, however that ends, is cancelled, unless it was let go of
/// with [`detach`](StartChild::detach). Dropping the future does not cancel the child.
///
/// # Errors
///
/// [`RunError`], once the child has ended: `Failed` and `Cancelled` name it. Before it has begun
/// `NotEncodable`, where its arguments cannot be encoded or are too long, `InvalidAttribute`, and
/// `NotInWorkflow` outside a workflow.
///
/// # Examples
///
/// ```
/// use futures::future::try_join_all;
/// use rewake::prelude::*;
///
/// #[workflow]
/// async fn import(row: u32) -> anyhow::Result<u32> {
///     anyhow::ensure!(row != 13, "row 13 is damaged");
///     Ok(row * 10)
/// }
///
/// #[workflow]
/// async fn import_all(rows: Vec<u32>) -> anyhow::Result<u32> {
///     let children = rows.into_iter().map(|row| start_child(import(row)));
///     Ok(try_join_all(children).await?.into_iter().sum())
/// }
///
/// #[workflow]
/// async fn import_some(rows: Vec<u32>) -> anyhow::Result<u32> {
///     let mut sum = 0;
///     for row in rows {
///         match start_child(import(row)).await {
///             Ok(imported) => sum += imported,
///             Err(RunError::Failed { .. }) => {}
///             Err(error) => return Err(error.into()),
///         }
///     }
///     Ok(sum)
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(import_all(vec![1, 2, 3])).await?;
/// assert_eq!(run.result().await?, 60);
/// assert_eq!(rewake.runs().parent(run.id()).await?.data.len(), 3);
///
/// let run = rewake.start(import_some(vec![12, 13])).await?;
/// assert_eq!(run.result().await?, 120);
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub fn start_child<T>(call: WorkflowCall<T>) -> StartChild<T> {
    let workflow = call.definition().name;
    let call = match (call.into_input(), RunContext::current()) {
        (Err(error), _) => Err(Unstarted::NotEncodable(error)),
        (_, Err(NotInWorkflow)) => Err(Unstarted::NotInWorkflow),
        (Ok(input), Ok(context)) => Ok(ChildFuture::new(context, workflow, input)),
    };
    StartChild {
        call,
        result: PhantomData,
    }
}

/// A child run: a future of its result. See [`start_child`].
#[must_use = "a child run begins when this is first polled"]
pub struct StartChild<T> {
    call: Result<ChildFuture, Unstarted>,
    result: PhantomData<fn() -> T>,
}

/// A child run that was let go of: a future of its id. See [`StartChild::detach`].
#[must_use = "a child run begins when this is first polled"]
pub struct Detach {
    call: Result<DetachedFuture, Unstarted>,
}

/// Why a child cannot begin.
#[derive(Clone)]
enum Unstarted {
    NotEncodable(EncodeError),
    NotInWorkflow,
}

impl<T> StartChild<T> {
    /// A searchable key-value on the child run: what [`set_attributes`](crate::set_attributes) says of
    /// keys and values holds here too.
    ///
    /// It belongs to the child's beginning: a replay, also one of code that gives others, changes
    /// nothing about a child that has begun.
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::prelude::*;
    ///
    /// #[workflow]
    /// async fn import(row: u32) -> anyhow::Result<u32> {
    ///     Ok(row * 10)
    /// }
    ///
    /// #[workflow]
    /// async fn import_all(rows: Vec<u32>) -> anyhow::Result<()> {
    ///     for row in rows {
    ///         start_child(import(row)).attribute("row", row.to_string()).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
    /// let rewake = Rewake::open("sqlite::memory:").await?;
    /// let run = rewake.start(import_all(vec![1, 2, 3])).await?;
    /// run.result().await?;
    /// let second = rewake.runs().parent(run.id()).attribute("row", "2").await?.data;
    /// assert_eq!(rewake.get_run::<u32>(second[0].run).result().await?, 20);
    /// # rewake.shutdown(seconds(1)).await?;
    /// # anyhow::Ok(())
    /// # })
    /// # }
    /// ```
    pub fn attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        if let Ok(call) = &mut self.call {
            call.set_attribute(key.into(), value.into());
        }
        self
    }

    /// Lets the child go: it is no longer waited for and outlives its parent. Awaited, this gives the
    /// child's id, once the child exists durably.
    ///
    /// # Errors
    ///
    /// [`RunError`] where the child cannot begin, as for [`start_child`].
    ///
    /// # Examples
    ///
    /// ```
    /// use rewake::prelude::*;
    ///
    /// #[workflow]
    /// async fn send_receipt(order: u32) -> anyhow::Result<String> {
    ///     Ok(format!("receipt for order {order}"))
    /// }
    ///
    /// #[workflow]
    /// async fn sell(order: u32) -> anyhow::Result<String> {
    ///     let receipt = start_child(send_receipt(order)).detach().await?;
    ///     Ok(receipt.to_string())
    /// }
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
    /// let rewake = Rewake::open("sqlite::memory:").await?;
    /// let receipt = rewake.start(sell(7)).await?.result().await?;
    /// let receipt = rewake.get_run::<String>(receipt.parse()?);
    /// assert_eq!(receipt.result().await?, "receipt for order 7");
    /// # rewake.shutdown(seconds(1)).await?;
    /// # anyhow::Ok(())
    /// # })
    /// # }
    /// ```
    pub fn detach(self) -> Detach {
        Detach {
            call: self.call.map(ChildFuture::detach),
        }
    }
}

impl<T: DeserializeOwned> Future for StartChild<T> {
    type Output = Result<T, RunError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let call = match &mut self.get_mut().call {
            Ok(call) => call,
            Err(unstarted) => return Poll::Ready(Err(unstarted.clone().into())),
        };
        call.poll_unpin(cx).map(|ended| {
            let (child, outcome) = ended?;
            let output = output(child, outcome)?;
            payload::decode(&output).map_err(|error| RunError::Decode {
                reason: error.to_string(),
            })
        })
    }
}

impl Future for Detach {
    type Output = Result<RunId, RunError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().call {
            Ok(call) => call.poll_unpin(cx).map(|begun| Ok(begun?)),
            Err(unstarted) => Poll::Ready(Err(unstarted.clone().into())),
        }
    }
}

/// What the child returned, as its parent's log has it.
fn output(child: RunId, outcome: StepOutcome) -> Result<payload::Payload, RunError> {
    let (error, kind) = match outcome {
        StepOutcome::Completed(output) => return Ok(output),
        StepOutcome::Failed { error, kind, .. } => (error, kind),
    };
    let cancelled = |error: Failure, terminated| RunError::Cancelled {
        child: Some(child),
        reason: error.causes.into_iter().next(),
        terminated,
    };
    Err(match kind {
        FailureKind::Cancelled => cancelled(error, false),
        FailureKind::Terminated => cancelled(error, true),
        _ => RunError::from(error).of(child),
    })
}

impl From<Unstarted> for RunError {
    fn from(unstarted: Unstarted) -> Self {
        match unstarted {
            Unstarted::NotInWorkflow => Self::NotInWorkflow,
            Unstarted::NotEncodable(error) => Self::NotEncodable {
                reason: error.to_string(),
            },
        }
    }
}

impl From<ChildRefused> for RunError {
    fn from(refused: ChildRefused) -> Self {
        match refused {
            ChildRefused::TooLong(failure) => Self::NotEncodable {
                reason: failure.message,
            },
            ChildRefused::InvalidAttribute(invalid) => Self::InvalidAttribute(invalid),
        }
    }
}

impl<T> fmt::Debug for StartChild<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartChild").finish_non_exhaustive()
    }
}

impl fmt::Debug for Detach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detach").finish_non_exhaustive()
    }
}
