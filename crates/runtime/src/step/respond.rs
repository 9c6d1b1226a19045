//! The built-in step that answers a webhook's request for workflow code.
//!
//! An answer is a side effect, so it is a step: recorded once, repeated after a crash under the same
//! step id, which the store takes for the same answer.

use std::sync::Arc;

use rewake_core::event::Failure;
use rewake_core::payload::{self, Payload};

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
    payload::encode(&(stream, String::from_utf8_lossy(answer.as_bytes()))).map_err(|error| {
        AnswerError::NotEncodable {
            reason: error.to_string(),
        }
    })
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
        payload::decode(&input.payload).map_err(|error| fatal(error.to_string()))?;
    let answer = Payload::from_bytes(answer.into_bytes());
    match from_step(&input.context, &stream, answer).await {
        Ok(()) => payload::encode(&true).map_err(|error| fatal(error.to_string())),
        Err(AnswerError::Store(error)) => {
            Err(StepFailure::retryable(Failure::new(error.to_string())))
        }
        Err(error) => Err(fatal(error.to_string())),
    }
}
