//! What the attributes leave behind for each workflow and step, and how it registers itself.

use std::error::Error;

use futures_util::FutureExt;
use rewake_core::event::{Failure, StepOptions};
use rewake_core::payload::{self, Payload};
use rewake_core::time::Timestamp;
use rewake_runtime::{StepBody, StepFailure, WorkflowBody};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::blocking;
use crate::error::{FatalError, RetryAfter, RetryableError, failure};
use crate::provided::{MissingProvided, Provided, ProvidedType};

/// A workflow's body, or why the arguments do not fit it.
pub type StartedBody = Result<WorkflowBody, Failure>;

/// What `#[workflow]` leaves behind.
#[derive(Debug)]
pub struct WorkflowDefinition {
    /// Its name.
    pub name: &'static str,
    /// Names it had before.
    pub aliases: &'static [&'static str],
    /// The function.
    pub function: &'static str,
    /// Where it is written.
    pub file: &'static str,
    /// Where it is written.
    pub line: u32,
    /// Makes the body from the arguments.
    pub run: fn(&Payload) -> StartedBody,
}

/// What `#[step]` leaves behind.
#[derive(Debug)]
pub struct StepDefinition {
    /// Its name.
    pub name: &'static str,
    /// The function.
    pub function: &'static str,
    /// Where it is written.
    pub file: &'static str,
    /// Where it is written.
    pub line: u32,
    /// Attempts after the first.
    pub max_retries: u32,
    /// The longest an attempt may take.
    pub timeout_ms: Option<u64>,
    /// The pause before the second attempt.
    pub backoff_ms: u64,
    /// The application's own values that it wants.
    pub provided: &'static [fn() -> ProvidedType],
    /// Makes the body of one attempt.
    pub run: fn(&Payload, &Provided) -> StepBody,
}

impl StepDefinition {
    pub(crate) const fn options(&self) -> StepOptions {
        StepOptions {
            max_retries: self.max_retries,
            timeout_ms: self.timeout_ms,
            backoff_ms: self.backoff_ms,
        }
    }
}

/// A workflow that is linked into the program.
#[derive(Debug)]
pub struct RegisteredWorkflow(pub &'static WorkflowDefinition);

/// A step that is linked into the program.
#[derive(Debug)]
pub struct RegisteredStep(pub &'static StepDefinition);

inventory::collect!(RegisteredWorkflow);
inventory::collect!(RegisteredStep);

/// The two sides of what a workflow or step returns.
#[diagnostic::on_unimplemented(
    message = "a workflow or a step says whether it failed, and `{Self}` does not",
    label = "this is no `Result`",
    note = "return `Result<{Self}, E>`; what cannot fail returns `Result<{Self}, std::convert::Infallible>`"
)]
pub trait Outcome {
    /// The value.
    type Ok;
    /// The error.
    type Err;
}

impl<T, E> Outcome for Result<T, E> {
    type Ok = T;
    type Err = E;
}

/// Makes the body of a workflow from its arguments.
///
/// # Errors
///
/// Why the arguments do not fit.
pub fn run_workflow<A, T, E, F>(input: &Payload, body: impl FnOnce(A) -> F) -> StartedBody
where
    A: DeserializeOwned,
    T: Serialize,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let args: A = payload::decode(input).map_err(|error| Failure::new(error.to_string()))?;
    let body = body(args);
    Ok(async move {
        match body.await {
            Ok(value) => payload::encode(&value)
                .map_err(|error| Failure::new(format!("the result cannot be encoded: {error}"))),
            Err(error) => Err(record(error)),
        }
    }
    .boxed())
}

/// Makes the body of one attempt of a step from its arguments.
pub fn run_step<A, T, E, F>(input: &Payload, body: impl FnOnce(A) -> F) -> StepBody
where
    A: DeserializeOwned,
    T: Serialize,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let args: A = match args(input) {
        Ok(args) => args,
        Err(failure) => return refused(failure),
    };
    run_body(body(args))
}

/// Makes the body of one attempt of a step that may block, from its arguments.
pub fn run_blocking_step<A, T, E>(
    input: &Payload,
    body: impl FnOnce(A) -> Result<T, E> + Send + 'static,
) -> StepBody
where
    A: DeserializeOwned + Send + 'static,
    T: Serialize,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let args: A = match args(input) {
        Ok(args) => args,
        Err(failure) => return refused(failure),
    };
    blocking::run(move || outcome(body(args))).boxed()
}

/// Makes the body of one attempt of a step from its future.
pub(crate) fn run_body<T, E>(body: impl Future<Output = Result<T, E>> + Send + 'static) -> StepBody
where
    T: Serialize,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    async move { outcome(body.await) }.boxed()
}

fn args<A: DeserializeOwned>(input: &Payload) -> Result<A, StepFailure> {
    payload::step_args(input).map_err(|error| {
        let reason = format!("the step's arguments do not fit its function: {error}");
        StepFailure::Fatal(Failure::new(reason))
    })
}

/// What one attempt came to.
fn outcome<T, E>(result: Result<T, E>) -> Result<Payload, StepFailure>
where
    T: Serialize,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let value = result.map_err(classify)?;
    payload::encode(&value).map_err(|error| {
        let reason = format!("the step's result cannot be encoded: {error}");
        StepFailure::NotEncodable(Failure::new(reason))
    })
}

/// The body of a step that lacks a value of the application's.
pub fn missing_provided(missing: MissingProvided) -> StepBody {
    refused(StepFailure::Fatal(Failure::new(missing.to_string())))
}

fn refused(failure: StepFailure) -> StepBody {
    std::future::ready(Err(failure)).boxed()
}

/// `anyhow::Error` is no `Error` itself and hides its type once boxed, so it is looked at first.
fn record<E: Into<Box<dyn Error + Send + Sync>> + 'static>(error: E) -> Failure {
    if let Some(error) = raw_any(&error).downcast_ref::<anyhow::Error>() {
        return failure(error.as_ref());
    }
    failure(&*error.into())
}

fn classify<E: Into<Box<dyn Error + Send + Sync>> + 'static>(error: E) -> StepFailure {
    if let Some(error) = raw_any(&error).downcast_ref::<anyhow::Error>() {
        // It also finds a context, which is no link of the chain.
        let marked = Marked {
            fatal: error.downcast_ref::<FatalError>().is_some(),
            retryable: error.downcast_ref::<RetryableError>(),
        };
        return classified(marked, error.as_ref());
    }
    classified(Marked::default(), &*error.into())
}

fn raw_any<E: 'static>(error: &E) -> &dyn std::any::Any {
    error
}

/// What an error says about another attempt.
#[derive(Default)]
struct Marked<'a> {
    fatal: bool,
    retryable: Option<&'a RetryableError>,
}

fn classified<'a>(mut marked: Marked<'a>, error: &'a (dyn Error + 'static)) -> StepFailure {
    let mut link = Some(error);
    while let Some(current) = link {
        marked.fatal |= current.is::<FatalError>();
        marked.retryable = marked.retryable.or_else(|| current.downcast_ref());
        link = current.source();
    }
    let recorded = failure(error);
    if marked.fatal {
        return StepFailure::Fatal(recorded);
    }
    let (after, at) = match marked.retryable.and_then(RetryableError::after) {
        Some(RetryAfter::Pause(pause)) => (Some(pause), None),
        Some(RetryAfter::Time(time)) => (None, Some(Timestamp::from(time))),
        None => (None, None),
    };
    StepFailure::Retryable {
        error: recorded,
        after,
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("while paying")]
    struct Wraps(#[source] anyhow::Error);

    #[test]
    fn fatal_and_retryable_errors_are_found_wherever_they_are() {
        let is_fatal = |failure| matches!(failure, StepFailure::Fatal(_));
        assert!(is_fatal(classify(FatalError::new("no"))));
        assert!(is_fatal(classify(anyhow::Error::new(FatalError::new(
            "no"
        )))));
        let wrapped = anyhow::Error::new(FatalError::new("no")).context("while paying");
        assert!(is_fatal(classify(wrapped)));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(FatalError::new("no"));
        assert!(is_fatal(classify(boxed)));
        let as_context = anyhow::anyhow!("declined").context(FatalError::new("no"));
        assert!(is_fatal(classify(as_context)));
        // Trying again is of no use, whatever is said around it.
        let both = anyhow::Error::new(FatalError::new("no")).context(RetryableError::new("busy"));
        assert!(is_fatal(classify(both)));
        assert!(is_fatal(classify(Wraps(FatalError::new("no").into()))));
        assert!(!is_fatal(classify("no".to_owned())));
        let pause = std::time::Duration::from_secs(7);
        let later = anyhow::Error::new(RetryableError::new("busy").retry_after(pause)).context("x");
        assert_eq!(
            classify(later),
            StepFailure::Retryable {
                error: Failure {
                    message: "x".into(),
                    causes: vec!["busy".into()]
                },
                after: Some(pause),
                at: None
            }
        );
    }
}
