//! What steps, runs and hooks can fail with, as workflow and application code sees it.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use rewake_core::attribute::InvalidAttribute;
use rewake_core::event::{Failure, FailureKind};
use rewake_core::id::{RunId, StepId};
use rewake_core::token::{InvalidToken, Token};
use rewake_runtime::QueryError;
use serde::{Deserialize, Serialize};

type Boxed = Box<dyn Error + Send + Sync>;

/// Ends a step without another attempt: trying again is of no use.
///
/// Recognised anywhere in the source chain of what a step returns, and as a context of an
/// `anyhow::Error`; it stands above a [`RetryableError`] in the same chain. An error of your own that
/// wraps an `anyhow::Error` transparently (`#[error(transparent)]`) hides the outermost one inside from
/// everybody: return the `anyhow::Error` itself, or wrap it as a `#[source]`.
///
/// ```
/// use rewake::FatalError;
///
/// let error = FatalError::new("the card is stolen");
/// assert_eq!(error.to_string(), "the card is stolen");
/// ```
#[derive(Debug)]
pub struct FatalError {
    source: Boxed,
}

impl FatalError {
    /// A fatal error with a text, or around another error.
    pub fn new(error: impl Into<Boxed>) -> Self {
        Self {
            source: error.into(),
        }
    }
}

impl fmt::Display for FatalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for FatalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}

/// Asks for another attempt of a step, at a time of its choice. The number of attempts stays limited.
///
/// Recognised where a [`FatalError`] is.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use rewake::prelude::*;
///
/// #[step]
/// async fn order(article: String) -> anyhow::Result<u32> {
///     let attempt = step_metadata().attempt;
///     if attempt == 1 {
///         let pause = Duration::from_millis(5);
///         return Err(RetryableError::new(format!("no {article} left")).retry_after(pause).into());
///     }
///     Ok(attempt)
/// }
///
/// #[workflow]
/// async fn shop() -> anyhow::Result<u32> {
///     Ok(order("ink".into()).await?)
/// }
///
/// # fn main() -> anyhow::Result<()> {
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let rewake = Rewake::open("sqlite::memory:").await?;
/// let run = rewake.start(shop()).await?;
/// assert_eq!(run.result().await?, 2);
/// # rewake.shutdown(seconds(1)).await?;
/// # anyhow::Ok(())
/// # })
/// # }
/// ```
#[derive(Debug)]
pub struct RetryableError {
    source: Boxed,
    after: Option<RetryAfter>,
}

/// When the next attempt shall begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// So long after the failure.
    Pause(Duration),
    /// At this time.
    Time(SystemTime),
}

impl From<Duration> for RetryAfter {
    fn from(pause: Duration) -> Self {
        Self::Pause(pause)
    }
}

impl From<SystemTime> for RetryAfter {
    fn from(time: SystemTime) -> Self {
        Self::Time(time)
    }
}

impl RetryableError {
    /// A retryable error with a text, or around another error.
    pub fn new(error: impl Into<Boxed>) -> Self {
        Self {
            source: error.into(),
            after: None,
        }
    }

    /// When the next attempt shall begin: a `Duration` from now, or a `SystemTime`.
    #[must_use]
    pub fn retry_after(mut self, when: impl Into<RetryAfter>) -> Self {
        self.after = Some(when.into());
        self
    }

    pub(crate) const fn after(&self) -> Option<RetryAfter> {
        self.after
    }
}

impl fmt::Display for RetryableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for RetryableError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StepErrorKind {
    /// The step said that trying again is of no use.
    Fatal,
    /// Every allowed attempt failed.
    RetriesExhausted,
    /// Every allowed attempt failed, the last by taking too long.
    TimedOut,
    /// Arguments or result cannot be encoded or decoded.
    NotEncodable,
}

impl From<FailureKind> for StepErrorKind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::TimedOut => Self::TimedOut,
            FailureKind::NotEncodable => Self::NotEncodable,
            FailureKind::Fatal => Self::Fatal,
            _ => Self::RetriesExhausted,
        }
    }
}

/// A step that failed for good, as the workflow sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step `{step_name}` failed: {message}")]
#[non_exhaustive]
pub struct StepError {
    /// Why there is no other attempt.
    pub kind: StepErrorKind,
    /// What the last attempt's error said.
    pub message: String,
    /// What its sources said, outermost first.
    pub causes: Vec<String>,
    /// How many attempts began.
    pub attempts: u32,
    /// The step's function.
    pub step_name: String,
    /// The step's id; none outside a workflow, and where nothing ran.
    pub step_id: Option<StepId>,
    #[source]
    cause: Option<Box<Cause>>,
}

impl StepError {
    pub(crate) fn new(kind: StepErrorKind, error: Failure, step_name: &str) -> Self {
        let cause = Cause::chain(&error.causes);
        Self {
            kind,
            message: error.message,
            causes: error.causes,
            attempts: 0,
            step_name: step_name.to_owned(),
            step_id: None,
            cause,
        }
    }

    pub(crate) const fn after(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    pub(crate) const fn of_step(mut self, step: Option<StepId>) -> Self {
        self.step_id = step;
        self
    }
}

/// What is left of a source of a recorded error: its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
struct Cause {
    message: String,
    #[source]
    next: Option<Box<Self>>,
}

impl Cause {
    /// The causes as a chain of sources, outermost first.
    fn chain(causes: &[String]) -> Option<Box<Self>> {
        let link = |next: Option<Box<Self>>, message: &String| {
            let message = message.clone();
            Some(Box::new(Self { message, next }))
        };
        causes.iter().rev().fold(None, link)
    }
}

/// A run that gave no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Its workflow returned an error.
    #[error("{} failed: {message}", named(child.as_ref()))]
    Failed {
        /// The run, where it is a child run that its parent waited for.
        child: Option<RunId>,
        /// What the error said.
        message: String,
        /// What its sources said, outermost first.
        causes: Vec<String>,
    },
    /// It was cancelled or terminated.
    #[error("{} was cancelled{}", named(child.as_ref()), reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Cancelled {
        /// The run, where it is a child run that its parent waited for.
        child: Option<RunId>,
        /// Why, in the words of whoever asked.
        reason: Option<String>,
        /// True where it was terminated: nothing of its workflow's ran any more, no undo either.
        terminated: bool,
    },
    /// It is parked: it goes on when a build that fits or a person lets it.
    #[error("the run is parked ({code}): {reason}")]
    Parked {
        /// A stable name of what happened.
        code: String,
        /// What happened, and what to do.
        reason: String,
    },
    /// There is no such run.
    #[error("there is no run `{run_id}`")]
    Unknown {
        /// The run.
        run_id: RunId,
    },
    /// What it returned is not of the type asked for.
    #[error("what the run returned cannot be read: {reason}")]
    Decode {
        /// Why.
        reason: String,
    },
    /// The arguments cannot be encoded.
    #[error("the workflow's arguments cannot be encoded: {reason}")]
    NotEncodable {
        /// Why.
        reason: String,
    },
    /// A child run cannot have such attributes; it has not begun.
    #[error(transparent)]
    InvalidAttribute(#[from] InvalidAttribute),
    /// The call was awaited where no workflow runs.
    #[error(
        "a workflow call is awaited or given to `start_child` inside another workflow; elsewhere start it with `rewake.start(call).await`"
    )]
    NotInWorkflow,
    /// The store could not be read.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl From<Failure> for RunError {
    fn from(failure: Failure) -> Self {
        Self::Failed {
            child: None,
            message: failure.message,
            causes: failure.causes,
        }
    }
}

impl RunError {
    /// The error of this child run.
    pub(crate) fn of(self, child: RunId) -> Self {
        match self {
            Self::Failed {
                message, causes, ..
            } => Self::Failed {
                child: Some(child),
                message,
                causes,
            },
            other => other,
        }
    }
}

/// The run as a message names it.
fn named(child: Option<&RunId>) -> String {
    child.map_or_else(
        || "the run".to_owned(),
        |child| format!("child run `{child}`"),
    )
}

/// A token that another live hook holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run `{run_id}` has a live hook with this token")]
pub struct HookConflict {
    /// The token both wanted.
    pub token: Token,
    /// The run that holds it.
    pub run_id: RunId,
}

/// A hook that could not be made, or that gives nothing more.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// Another live hook holds the token.
    #[error(transparent)]
    Conflict(#[from] HookConflict),
    /// The hook was closed, and what had arrived is read.
    #[error("the hook is closed")]
    Closed,
    /// The hook's time ran out, and what had arrived is read.
    #[error("the hook's time has run out")]
    Expired,
    /// A payload is not of the hook's type. The hook lives on.
    #[error("the payload cannot be read: {reason}")]
    Decode {
        /// Why.
        reason: String,
        /// The payload as it was stored.
        bytes: Vec<u8>,
    },
    /// The text cannot be a token.
    #[error(transparent)]
    InvalidToken(#[from] InvalidToken),
    /// The metadata or the settings cannot be encoded.
    #[error("the hook's metadata cannot be encoded: {reason}")]
    NotEncodable {
        /// Why.
        reason: String,
    },
    /// An option of the hook's or webhook's is out of its range. Nothing was registered.
    #[error("`.{option}(…)`: {reason}")]
    InvalidOption {
        /// The option.
        option: &'static str,
        /// What is wrong with it, and what to do.
        reason: &'static str,
    },
    /// A webhook needs to know where the application is reachable.
    #[error(
        "a webhook needs a public URL; give it to the builder with `.public_url(\"https://…\")`"
    )]
    NoPublicUrl,
    /// Hooks are made inside workflows.
    #[error("a hook is made inside a workflow")]
    NotInWorkflow,
}

/// The time ran out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time ran out")]
pub struct Elapsed;

/// The error with its sources, as it is recorded.
pub(crate) fn failure(error: &(dyn Error + 'static)) -> Failure {
    let mut causes = known_causes(error).to_vec();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        causes.extend_from_slice(known_causes(cause));
        source = cause.source();
    }
    Failure {
        message: error.to_string(),
        causes,
    }
}

/// The causes of a run that failed are words, and no sources of the error that tells of it.
fn known_causes<'a>(error: &'a (dyn Error + 'static)) -> &'a [String] {
    match error.downcast_ref::<RunError>() {
        Some(RunError::Failed { causes, .. }) => causes,
        _ => &[],
    }
}
