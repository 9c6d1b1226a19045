//! The built-in step that answers a webhook's request for workflow code.
//!
//! An answer is a side effect, so it is a step: recorded once, repeated after a crash under the same
//! step id, which the store takes for the same answer.

use std::sync::Arc;

use rewake_core::event::{Failure, StepOptions};
use rewake_core::payload::{self, Payload};
use serde::{Deserialize, Serialize};

use super::StepContext;
use crate::error::AnswerError;
use crate::registry::{Step, StepFailure, StepInput};

/// The name of the built-in step.
pub const NAME: &str = "rewake::respond";

/// Answers a request from inside a step: the first answer stands, the same step may repeat it.
///
/// # Errors
///
/// [`AnswerError`].
pub async fn from_step(
    context: &StepContext,
    stream: &str,
    answer: Payload,
) -> Result<(), AnswerError> {
    context
        .engine
        .answer(context.run, stream.to_owned(), context.step, answer)
        .await
}

/// The arguments of the built-in step, for a call of it.
///
/// # Errors
///
/// [`AnswerError::NotEncodable`] where they cannot be encoded.
pub fn input(stream: &str, answer: &Payload) -> Result<Payload, AnswerError> {
    payload::step_input(&(stream, String::from_utf8_lossy(answer.as_bytes()))).map_err(|error| {
        AnswerError::NotEncodable {
            reason: error.to_string(),
        }
    })
}

/// How the built-in step is tried: an answer that the store could not take is of no use to a caller
/// who has gone, so not for ever.
pub const OPTIONS: StepOptions = StepOptions {
    max_retries: 5,
    timeout_ms: None,
    backoff_ms: 100,
};

/// What the built-in step's result says.
///
/// # Errors
///
/// [`AnswerError`] as the store answered.
pub fn verdict(result: &Payload) -> Result<(), AnswerError> {
    let verdict: Verdict = payload::decode(result).map_err(|error| AnswerError::NotEncodable {
        reason: error.to_string(),
    })?;
    match verdict {
        Verdict::Answered => Ok(()),
        Verdict::AlreadyAnswered => Err(AnswerError::AlreadyAnswered),
        Verdict::RunEnded => Err(AnswerError::RunEnded),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Verdict {
    Answered,
    AlreadyAnswered,
    RunEnded,
}

pub(crate) fn definition() -> Step {
    Step {
        name: NAME.to_owned(),
        place: "rewake".to_owned(),
        run: Arc::new(|input| {
            let input = input.clone();
            Box::pin(async move { respond(&input).await })
        }),
    }
}

async fn respond(input: &StepInput) -> Result<Payload, StepFailure> {
    let fatal = |reason: String| StepFailure::Fatal(Failure::new(reason));
    let (stream, answer): (String, String) =
        payload::step_args(&input.payload).map_err(|error| fatal(error.to_string()))?;
    let answer = Payload::from_bytes(answer.into_bytes());
    let verdict = match from_step(&input.context, &stream, answer).await {
        Ok(()) => Verdict::Answered,
        Err(AnswerError::AlreadyAnswered) => Verdict::AlreadyAnswered,
        Err(AnswerError::RunEnded) => Verdict::RunEnded,
        Err(error) => return Err(StepFailure::retryable(Failure::new(error.to_string()))),
    };
    payload::encode(&verdict).map_err(|error| fatal(error.to_string()))
}
