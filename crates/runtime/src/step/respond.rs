//! The built-in step that answers a webhook's request for workflow code.
//!
//! An answer is a side effect, so it is a step, and is recorded as one. It is the only effect that the
//! store itself keeps, so the driver gives it with the record. Given from another step it is put by
//! itself, and repeated under that step's id, which the store takes for the same answer.

use std::future::ready;
use std::sync::Arc;

use rewake_core::event::{Failure, FailureKind, StepOptions};
use rewake_core::id::StepId;
use rewake_core::payload::{self, Payload};
use rewake_store::Answering;
use serde::{Deserialize, Serialize};

use super::StepContext;
use crate::error::AnswerError;
use crate::registry::{Step, StepFailure};
use crate::step;

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

/// The options of the built-in step. It cannot fail: where the store does not serve, the run waits for
/// it as with any other record.
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

/// Keeps the name from others. No attempt is made of the step: its answer goes with its record.
pub(crate) fn definition() -> Step {
    Step {
        name: NAME.to_owned(),
        place: "rewake".to_owned(),
        run: Arc::new(|_| {
            let reason = Failure::new("an answer is given with the record of its step");
            Box::pin(ready(Err(StepFailure::Fatal(reason))))
        }),
    }
}

/// The answer that a step gives, as its arguments say; otherwise how the step ends.
pub(crate) fn answering(step: StepId, input: &Payload) -> Result<Answering, step::Verdict> {
    let (stream, answer): (String, String) =
        payload::step_args(input).map_err(|error| fatal(error.to_string()))?;
    Ok(Answering {
        stream,
        step,
        payload: Payload::from_bytes(answer.into_bytes()),
    })
}

/// How the step ends whose answer stands.
pub(crate) fn answered() -> step::Verdict {
    ended(&Verdict::Answered)
}

/// How the step ends where somebody else has answered.
pub(crate) fn answered_already() -> step::Verdict {
    ended(&Verdict::AlreadyAnswered)
}

fn ended(verdict: &Verdict) -> step::Verdict {
    payload::encode(verdict).map_or_else(|error| fatal(error.to_string()), step::Verdict::Completed)
}

fn fatal(reason: String) -> step::Verdict {
    step::Verdict::Failed {
        error: Failure::new(reason).shortened(),
        kind: FailureKind::Fatal,
    }
}
