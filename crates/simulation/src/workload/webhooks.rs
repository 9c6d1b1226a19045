//! Webhooks: how a workflow opens one, serves requests and answers them.

use http::Response;
use rewake::AnswerError;
use rewake::prelude::*;

use super::notes::{Notes, Seen};

/// What the workflow answers to a request with this number.
pub(crate) fn answer_text(n: u64) -> String {
    format!("answer {n}")
}

#[step(name = "reply")]
async fn reply(request: WebhookRequest, n: u64) -> Result<(), AnswerError> {
    request.respond_with(Response::new(answer_text(n))).await
}

/// Opens a webhook, serves so many requests, and closes it.
pub(super) async fn serve((manual, by_step): (bool, bool), requests: u64, notes: &Notes) {
    let opening = create_webhook();
    let opening = if manual { opening.manual() } else { opening };
    let Ok(mut webhook) = opening.await else {
        return;
    };
    let token = webhook.token().to_string();
    notes.note(Seen::Hook(String::new(), token.clone()));
    for _ in 0..requests {
        let Ok(request) = webhook.recv().await else {
            return;
        };
        let n = request
            .text()
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        notes.note(Seen::Request(token.clone(), n));
        if manual {
            let answered = answer(&request, n, by_step).await;
            notes.note(Seen::Answered(n, answered));
        }
    }
    webhook.close().await;
    notes.note(Seen::Closed(token));
}

async fn answer(request: &WebhookRequest, n: u64, by_step: bool) -> Result<(), String> {
    if by_step {
        return reply(request.clone(), n)
            .await
            .map_err(|error| error.message);
    }
    let answered = request.respond_with(Response::new(answer_text(n))).await;
    answered.map_err(|error| error.to_string())
}
