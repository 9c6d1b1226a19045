//! Attributes: what a run can be looked up by.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use rewake_core::attribute::InvalidAttribute;
use rewake_runtime::workflow::{self, Context as RunContext};

/// Attributes that were not set. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetAttributesError {
    /// A key, a value or the number of attributes cannot be.
    #[error(transparent)]
    Invalid(#[from] InvalidAttribute),
    /// They are set inside a workflow. Elsewhere, give them to the run as it starts, with
    /// `.attribute(key, value)`.
    #[error(
        "attributes are set inside a workflow, or with `.attribute(key, value)` as a run starts"
    )]
    NotInWorkflow,
}

/// Attributes being set.
#[derive(Debug)]
#[must_use = "attributes are set when this is awaited"]
pub struct SetAttributes {
    /// None where there is no workflow.
    call: Option<workflow::SetAttributes>,
}

/// Sets attributes of the run: key-values that it can be looked up by. Those it has keep their values
/// unless they are named here; the last write wins.
///
/// A key has 1 to 256 characters and does not begin with `$`, a value has at most 256 bytes, and a run
/// at most 64 of them: they are for looking up, not for storing.
///
/// # Errors
///
/// [`SetAttributesError`]; nothing was changed then.
///
/// # Cancel safety
///
/// Dropped once it was polled, it sets them all the same.
///
/// # Examples
///
/// ```
/// use rewake::prelude::*;
///
/// #[workflow]
/// async fn order(customer: u64) -> anyhow::Result<()> {
///     set_attributes([("customer", customer.to_string()), ("stage", "paid".into())]).await?;
///     set_attributes([("stage", "sent")]).await?;
///     Ok(())
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(order(7)).await?;
/// run.result().await?;
/// let attributes = run.snapshot().await?.attributes;
/// assert_eq!((&*attributes["customer"], &*attributes["stage"]), ("7", "sent"));
/// let sent = rewake.runs().attribute("stage", "sent").await?;
/// assert_eq!(sent.data[0].run, run.id());
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub fn set_attributes<K, V>(attributes: impl IntoIterator<Item = (K, V)>) -> SetAttributes
where
    K: Into<String>,
    V: Into<String>,
{
    let pairs = attributes.into_iter();
    let changes: BTreeMap<String, String> = pairs
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    let context = RunContext::current().ok();
    SetAttributes {
        call: context.map(|context| workflow::SetAttributes::new(context, changes)),
    }
}

impl Future for SetAttributes {
    type Output = Result<(), SetAttributesError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().call {
            Some(call) => call.poll_unpin(cx).map_err(SetAttributesError::Invalid),
            None => Poll::Ready(Err(SetAttributesError::NotInWorkflow)),
        }
    }
}
