//! Calls of workflows and steps: what the functions behind `#[workflow]` and `#[step]` return.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use rewake_core::event::{Failure, StepOptions};
use rewake_core::id::StepId;
use rewake_core::payload::{self, EncodeError, Payload};
use rewake_core::replay::StepOutcome;
use rewake_core::time::Timestamp;
use rewake_runtime::workflow::{BeginInline, Context as RunContext, StepFuture, Work};
use rewake_runtime::{StepBody, StepFailure, WorkflowBody};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::definition::{StepDefinition, WorkflowDefinition};
use crate::error::{RunError, StepError, StepErrorKind};
use crate::name;
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
#[must_use = "a step runs when this is awaited"]
pub struct StepCall<T> {
    name: Cow<'static, str>,
    function: Function,
    state: State,
    result: PhantomData<fn() -> T>,
}

/// What an attempt runs.
#[derive(Clone)]
enum Function {
    Defined(&'static StepDefinition),
    Inline(Arc<BeginInline>),
}

impl Function {
    fn begin(&self, input: &Payload, provided: &Provided) -> StepBody {
        match self {
            Self::Defined(definition) => (definition.run)(input, provided),
            Self::Inline(begin) => begin(),
        }
    }
}

enum State {
    /// Nothing will run: the call itself is wrong.
    Refused { kind: StepErrorKind, reason: String },
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
        Self {
            name: Cow::Borrowed(definition.name),
            function: Function::Defined(definition),
            state: written(definition.name, args, definition.options()),
            result: PhantomData,
        }
    }

    pub(crate) fn inline(name: String, begin: Arc<BeginInline>) -> Self {
        let no_arguments: [(); 0] = [];
        let state = match name::check(&name) {
            Err(invalid) => State::refused(&invalid),
            Ok(()) => written(&name, &no_arguments, StepOptions::default()),
        };
        let mut call = Self {
            name: Cow::Owned(name),
            function: Function::Inline(begin),
            state,
            result: PhantomData,
        };
        call.bring_work();
        call
    }

    /// Tells the run what this call's attempts run: no function has its name.
    fn bring_work(&mut self) {
        let work = match &self.function {
            Function::Defined(definition) => Work::Registered(definition.name),
            Function::Inline(begin) => Work::Inline(Arc::clone(begin)),
        };
        if let State::Durable(call) = &mut self.state {
            call.set_work(work);
        }
    }

    /// What the step is called in logs and listings, for this call. Its id is made of it, so a run that
    /// has passed the place must find the same name there.
    ///
    /// A name that cannot be one (empty, longer than 256 bytes, with blanks) gives a [`StepError`] of
    /// kind `Fatal` when the call is awaited, and nothing runs.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if let Err(invalid) = name::check(&name) {
            return self.refuse(&invalid);
        }
        if let State::Durable(call) = &mut self.state {
            call.rename(&name);
        }
        self.name = Cow::Owned(name);
        self.bring_work();
        self
    }

    /// How often the step is tried again after its first attempt failed.
    pub fn max_retries(self, retries: u32) -> Self {
        self.with(|options| options.max_retries = retries)
    }

    /// The longest one attempt may take; parts of a millisecond round up.
    ///
    /// No attempt ends in no time: zero gives a [`StepError`] of kind `Fatal` when the call is awaited,
    /// and nothing runs.
    pub fn timeout(self, timeout: Duration) -> Self {
        if timeout.is_zero() {
            return self.refuse(&NoTime);
        }
        self.with(|options| options.timeout_ms = Some(millis(timeout)))
    }

    /// The pause before the second attempt; later ones are twice as long each, up to an hour, and each
    /// is up to a quarter longer by chance. Parts of a millisecond round up.
    pub fn backoff(self, pause: Duration) -> Self {
        self.with(|options| options.backoff_ms = millis(pause))
    }

    /// The name of the function that it runs, whatever the call is named.
    pub(crate) fn function_name(&self) -> &str {
        match &self.function {
            Function::Defined(definition) => definition.name,
            Function::Inline(_) => &self.name,
        }
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
            State::Refused { reason, .. } => Err(reason),
            State::Durable(call) => call.undo().map_err(|error| error.to_string()),
            State::Plain { .. } => Err("`undo` only works inside a workflow".to_owned()),
        }
    }

    /// What is wrong first is told.
    fn refuse(mut self, why: &impl fmt::Display) -> Self {
        if !matches!(self.state, State::Refused { .. }) {
            self.state = State::refused(why);
        }
        self
    }

    /// Runs a plain call, with the application's own values.
    pub(crate) async fn run_plain(self, provided: &Provided) -> Result<T, StepError>
    where
        T: DeserializeOwned,
    {
        match self.state {
            State::Refused { kind, reason } => Err(refused(&self.name, kind, reason)),
            State::Plain { input, .. } => {
                let body = self.function.begin(&input, provided);
                settle(&self.name, provided.around(body).await)
            }
            State::Durable(_) => {
                let reason = "`rewake.call(step)` is for code outside workflows; in a workflow await \
                              the step itself";
                Err(refused(&self.name, StepErrorKind::Fatal, reason.to_owned()))
            }
        }
    }
}

/// No attempt ends in no time.
#[derive(Debug, thiserror::Error)]
#[error("no attempt ends in no time: give the step a longer timeout, or none for no limit")]
struct NoTime;

impl State {
    fn refused(why: &impl fmt::Display) -> Self {
        Self::Refused {
            kind: StepErrorKind::Fatal,
            reason: why.to_string(),
        }
    }
}

/// The call as it is written here: durable in a workflow, plain elsewhere.
fn written<A: Serialize>(name: &str, args: &A, options: StepOptions) -> State {
    match (payload::step_input(args), RunContext::current()) {
        (Err(error), _) => State::Refused {
            kind: StepErrorKind::NotEncodable,
            reason: error.to_string(),
        },
        (Ok(input), Ok(context)) => State::Durable(StepFuture::new(context, name, input, options)),
        (Ok(input), Err(_)) => State::Plain {
            input,
            running: None,
        },
    }
}

impl<T> fmt::Debug for StepCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepCall")
            .field("step", &self.name)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Future for StepCall<T> {
    type Output = Result<T, StepError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let name = &this.name;
        match &mut this.state {
            State::Refused { kind, reason } => {
                Poll::Ready(Err(refused(name, *kind, reason.clone())))
            }
            State::Durable(call) => {
                let id = call.id();
                call.poll_unpin(cx).map(|outcome| match outcome {
                    StepOutcome::Completed(result) => decode(name, Some(id), &result),
                    StepOutcome::Failed {
                        error,
                        kind,
                        attempts,
                    } => Err(StepError::new(kind.into(), error, name)
                        .after(attempts)
                        .of_step(Some(id))),
                })
            }
            State::Plain { input, running } => {
                let function = &this.function;
                let body =
                    running.get_or_insert_with(|| function.begin(input, &Provided::default()));
                body.poll_unpin(cx).map(|result| settle(name, result))
            }
        }
    }
}

/// What a plain call gives.
fn settle<T: DeserializeOwned>(
    name: &str,
    result: Result<Payload, StepFailure>,
) -> Result<T, StepError> {
    let (error, kind) = match result {
        Ok(result) => return decode(name, None, &result),
        Err(StepFailure::Fatal(error)) => (error, StepErrorKind::Fatal),
        Err(StepFailure::NotEncodable(error)) => (error, StepErrorKind::NotEncodable),
        Err(StepFailure::Retryable { error, .. }) => (error, StepErrorKind::RetriesExhausted),
    };
    Err(StepError::new(kind, error, name).after(1))
}

fn decode<T: DeserializeOwned>(
    name: &str,
    step: Option<StepId>,
    result: &Payload,
) -> Result<T, StepError> {
    payload::decode(result).map_err(|error| not_encodable(name, error.to_string()).of_step(step))
}

fn not_encodable(name: &str, reason: String) -> StepError {
    refused(name, StepErrorKind::NotEncodable, reason)
}

fn refused(name: &str, kind: StepErrorKind, reason: String) -> StepError {
    StepError::new(kind, Failure::new(reason), name)
}

/// Rounded up: what is there must not become nothing.
fn millis(span: Duration) -> u64 {
    Timestamp::ZERO.after(span).as_millis()
}
