//! Calls of webhooks, as the public door makes them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::Method;
use rewake_core::id::{HookId, RunId};
use rewake_core::payload::{self, Payload};
use rewake_runtime::webhook::{Request, RespondWith, Response, Settings};
use rewake_runtime::{Engine, WebhookDelivery, WebhookError};

use super::TRIES;
use super::call::{call as call_engine, note};
use super::payloads::on_record;
use crate::ledger::{CallAsked, ResumeAsked, Told};
use crate::prng::Prng;
use crate::statement::Statement;
use crate::workload::answer_text;
use crate::world::World;

/// How long a caller waits for the workflow's answer.
const WITHIN: Duration = Duration::from_secs(30);

/// What a caller learned.
struct Answer {
    hook: (RunId, HookId),
    /// What the workflow answered; none where the webhook answers by itself, or nobody did in time.
    text: Option<String>,
}

/// Calls a webhook with a number as body; whoever has a key calls again until it is taken.
pub(super) async fn call(
    world: &Arc<World>,
    (payload, token, key): (u64, String, bool),
    prng: &mut Prng,
) {
    let place = note(world, |entries| {
        entries.resumes.push(ResumeAsked {
            payload,
            token: token.clone(),
            key: false,
            told: Vec::new(),
        });
        entries.resumes.len() - 1
    });
    for _ in 0..TRIES {
        let key = key.then(|| format!("call-{payload}"));
        let is_keyed = key.is_some();
        let token = token.clone();
        let answer = call_engine(world, prng, |engine| {
            async move { deliver(&engine, token, payload, key).await }.boxed()
        })
        .await;
        let told = told(world, payload, answer);
        let settled = matches!(told, Told::Done(_) | Told::Nothing);
        note(world, |entries| entries.resumes[place].told.push(told));
        if settled || !is_keyed {
            return;
        }
        world.clock.sleep(50).await;
    }
}

fn told(
    world: &World,
    payload: u64,
    answer: Option<Result<Option<Answer>, WebhookError>>,
) -> Told<(RunId, HookId)> {
    match answer {
        None => Told::Unknown,
        Some(Ok(None)) => Told::Nothing,
        Some(Ok(Some(answer))) => {
            on_record(world, answer.hook.0, payload);
            if let Some(text) = answer.text {
                if text != answer_text(payload) {
                    let text = format!("call {payload} was answered with `{text}`");
                    world.fail(Statement::Delivered.broken(text));
                }
                world.count("met answered-call");
                note(world, |entries| {
                    entries.calls.push(CallAsked {
                        payload,
                        run: answer.hook.0,
                    });
                });
            }
            Told::Done(answer.hook)
        }
        Some(Err(error)) if error.may_have_happened() => Told::Unknown,
        Some(Err(error)) => Told::Refused(error.to_string()),
    }
}

async fn deliver(
    engine: &Engine,
    token: String,
    number: u64,
    key: Option<String>,
) -> Result<Option<Answer>, WebhookError> {
    let Some(webhook) = engine.webhook(&token).await? else {
        return Ok(None);
    };
    if !webhook.is_live && key.is_none() {
        return Ok(None);
    }
    let settings = Settings::read(webhook.hook.metadata.as_ref())?;
    let waiting = match settings.respond_with {
        RespondWith::Manual => {
            let stream = engine.answer_stream(&token, key.as_deref());
            Some((engine.caller()?, stream))
        }
        RespondWith::Accepted | RespondWith::Static(_) => None,
    };
    let request = Request {
        body: number.to_string().into(),
        answer_to: waiting.as_ref().map(|(_, stream)| stream.to_string()),
        ..Request::new(Method::POST, "http://simulated/")
    };
    let payload = payload::encode(&request).map_err(|error| WebhookError::Refused {
        reason: error.to_string(),
    })?;
    let delivery = WebhookDelivery {
        token,
        payload,
        key,
    };
    let found = webhook.hook.run_id;
    let listening = waiting.as_ref().map(|(caller, _)| caller.listen(found));
    let Some(delivered) = engine.deliver_webhook(delivery).await? else {
        return Ok(None);
    };
    let hook = (delivered.hook.run_id, delivered.hook.hook_id);
    let Some((caller, stream)) = &waiting else {
        return Ok(Some(Answer { hook, text: None }));
    };
    let since = listening.filter(|_| delivered.new);
    let text = match caller.answer(hook.0, *stream, WITHIN, since).await {
        Ok(answer) => Some(text_of(&answer)?),
        // The request is durable, whatever becomes of its answer.
        Err(WebhookError::NoAnswer | WebhookError::RunEnded | WebhookError::AnswerLost(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(Some(Answer { hook, text }))
}

fn text_of(answer: &Payload) -> Result<String, WebhookError> {
    let answer: Response =
        payload::decode(answer).map_err(|error| WebhookError::UnreadableAnswer {
            reason: error.to_string(),
        })?;
    let answer = http::Response::from(answer);
    Ok(String::from_utf8_lossy(answer.body()).into_owned())
}
