//! Calls of workflows and steps: what the functions behind `#[workflow]` and `#[step]` return.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::event::StepOptions;
use rewake_core::payload::{self, EncodeError, Payload};
use rewake_core::replay::StepOutcome;
use rewake_runtime::workflow::{Context as RunContext, StepFuture};
use rewake_runtime::{StepBody, StepFailure, WorkflowBody};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::definition::{StepDefinition, WorkflowDefinition};
use crate::error::{RunError, StepError};
use crate::provided::Provided;

/// A call of a workflow. Nothing runs until it is given to [`start`](crate::Rewake::start), or is
/// awaited inside another workflow, where it runs as part of that run.
pub struct WorkflowCall<T> {
    definition: &'static WorkflowDefinition,
    input: Result<Payload, EncodeError>,
    inline: Option<WorkflowBody>,
    result: PhantomData<fn() -> T>,
}

impl<T> WorkflowCall<T> {
    pub(crate) fn new<A: Serialize>(definition: &'static WorkflowDefinition, args: &A) -> Self {
        Self {
            definition,
            input: payload::encode(args),
            inline: None,
            result: PhantomData,
        }
    }

    pub(crate) const fn definition(&self) -> &'static WorkflowDefinition {
        self.definition
    }

    pub(crate) fn into_input(self) -> Result<Payload, EncodeError> {
        self.input
    }
}

impl<T> fmt::Debug for WorkflowCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkflowCall")
            .field("workflow", &self.definition.name)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Future for WorkflowCall<T> {
    type Output = Result<T, RunError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if RunContext::current().is_err() {
            return Poll::Ready(Err(RunError::NotInWorkflow));
        }
        let body = match &mut this.inline {
            Some(body) => body,
            None => match begin(this.definition, &this.input) {
                Ok(body) => this.inline.insert(body),
                Err(error) => return Poll::Ready(Err(error)),
            },
        };
        body.poll_unpin(cx).map(|result| {
            let output = result.map_err(RunError::from)?;
            payload::decode(&output).map_err(|error| RunError::Decode {
                reason: error.to_string(),
            })
        })
    }
}

fn begin(
    definition: &WorkflowDefinition,
    input: &Result<Payload, EncodeError>,
) -> Result<WorkflowBody, RunError> {
    let input = input.as_ref().map_err(|error| RunError::NotEncodable {
        reason: error.to_string(),
    })?;
    (definition.run)(input).map_err(RunError::from)
}

/// A call of a step. Awaited in a workflow it is durable; awaited elsewhere it simply runs.
///
/// Dropping it does not stop the step: its result is recorded and ignored.
///
/// # Examples
///
/// Options on the call stand above those on the attribute:
///
/// ```
/// use std::time::Duration;
///
/// use rewake::StepErrorKind;
/// use rewake::prelude::*;
///
/// #[step]
/// async fn fetch(page: u32) -> anyhow::Result<String> {
///     anyhow::bail!("page {page} is not there")
/// }
///
/// #[workflow]
/// async fn read(page: u32) -> anyhow::Result<(StepErrorKind, u32)> {
///     let pause = Duration::from_millis(1);
///     let error = fetch(page).max_retries(1).backoff(pause).await.unwrap_err();
///     Ok((error.kind, error.attempts))
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(read(7)).await?;
/// assert_eq!(run.result().await?, (StepErrorKind::RetriesExhausted, 2));
/// // Outside of workflows a step is a function.
/// assert_eq!(fetch(8).await.unwrap_err().message, "page 8 is not there");
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
pub struct StepCall<T> {
    definition: &'static StepDefinition,
    state: State,
    result: PhantomData<fn() -> T>,
}

enum State {
    /// The arguments cannot be encoded.
    Failed(EncodeError),
    /// Written in a workflow.
    Durable(StepFuture),
    /// Written elsewhere.
    Plain {
        input: Payload,
        running: Option<StepBody>,
    },
}

impl<T> StepCall<T> {
    pub(crate) fn new<A: Serialize>(definition: &'static StepDefinition, args: &A) -> Self {
        let state = match (payload::step_input(args), RunContext::current()) {
            (Err(error), _) => State::Failed(error),
            (Ok(input), Ok(context)) => State::Durable(StepFuture::new(
                context,
                definition.name,
                input,
                definition.options(),
            )),
            (Ok(input), Err(_)) => State::Plain {
                input,
                running: None,
            },
        };
        Self {
            definition,
            state,
            result: PhantomData,
        }
    }

    /// How often the step is tried again after its first attempt failed.
    #[must_use]
    pub fn max_retries(self, retries: u32) -> Self {
        self.with(|options| options.max_retries = retries)
    }

    /// The longest one attempt may take.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeout_ms = Some(millis(timeout)))
    }

    /// The pause before the second attempt; later ones grow from it.
    #[must_use]
    pub fn backoff(self, pause: Duration) -> Self {
        self.with(|options| options.backoff_ms = millis(pause))
    }

    fn with(mut self, change: impl FnOnce(&mut StepOptions)) -> Self {
        if let State::Durable(call) = &mut self.state
            && let Some(options) = call.options_mut()
        {
            change(options);
        }
        self
    }

    /// Keeps the call for when the workflow fails or is cancelled; the error says why that cannot be.
    pub(crate) fn undo(self) -> Result<(), String> {
        match self.state {
            State::Failed(error) => Err(error.to_string()),
            State::Durable(call) => call.undo().map_err(|error| error.to_string()),
            State::Plain { .. } => Err("`undo` only works inside a workflow".to_owned()),
        }
    }

    /// The body of a plain call, with the application's own values.
    pub(crate) fn plain(self, provided: &Provided) -> Result<StepBody, StepError> {
        match self.state {
            State::Failed(error) => Err(not_encodable(self.definition, &error.to_string())),
            State::Plain { input, .. } => Ok((self.definition.run)(&input, provided)),
            State::Durable(_) => Err(not_encodable(
                self.definition,
                "`rewake.call(step)` is for code outside workflows; in a workflow await the step itself",
            )),
        }
    }
}

impl<T> fmt::Debug for StepCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepCall")
            .field("step", &self.definition.name)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Future for StepCall<T> {
    type Output = Result<T, StepError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let definition = this.definition;
        match &mut this.state {
            State::Failed(error) => Poll::Ready(Err(not_encodable(definition, &error.to_string()))),
            State::Durable(call) => {
                let id = call.id();
                call.poll_unpin(cx).map(|outcome| match outcome {
                    StepOutcome::Completed(result) => decode(definition, &result),
                    StepOutcome::Failed {
                        error,
                        kind,
                        attempts,
                    } => Err(StepError {
                        kind: kind.into(),
                        message: error.message,
                        causes: error.causes,
                        attempts,
                        step_name: definition.name.to_owned(),
                        step_id: Some(id),
                    }),
                })
            }
            State::Plain { input, running } => {
                let body =
                    running.get_or_insert_with(|| (definition.run)(input, &Provided::default()));
                body.poll_unpin(cx).map(|result| settle(definition, result))
            }
        }
    }
}

/// What a plain call gives.
pub(crate) fn settle<T: DeserializeOwned>(
    definition: &StepDefinition,
    result: Result<Payload, StepFailure>,
) -> Result<T, StepError> {
    let (error, kind) = match result {
        Ok(result) => return decode(definition, &result),
        Err(StepFailure::Fatal(error)) => (error, crate::error::StepErrorKind::Fatal),
        Err(StepFailure::NotEncodable(error)) => (error, crate::error::StepErrorKind::NotEncodable),
        Err(StepFailure::Retryable { error, .. }) => {
            (error, crate::error::StepErrorKind::RetriesExhausted)
        }
    };
    Err(StepError {
        kind,
        message: error.message,
        causes: error.causes,
        attempts: 1,
        step_name: definition.name.to_owned(),
        step_id: None,
    })
}

fn decode<T: DeserializeOwned>(
    definition: &StepDefinition,
    result: &Payload,
) -> Result<T, StepError> {
    payload::decode(result).map_err(|error| not_encodable(definition, &error.to_string()))
}

pub(crate) fn not_encodable(definition: &StepDefinition, reason: &str) -> StepError {
    StepError {
        kind: crate::error::StepErrorKind::NotEncodable,
        message: reason.to_owned(),
        causes: Vec::new(),
        attempts: 0,
        step_name: definition.name.to_owned(),
        step_id: None,
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl<T> StepCall<T> {
    pub(crate) const fn definition(&self) -> &'static StepDefinition {
        self.definition
    }
}
