//! A request is handed on to a webhook, and each error becomes what the caller can act on.

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rewake::WebhookError;
use rewake::prelude::*;

#[derive(Deserialize)]
struct Address {
    token: Option<String>,
}

async fn proxy(
    State(rewake): State<Rewake>,
    Query(Address { token }): Query<Address>,
    request: Request,
) -> Response {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return (StatusCode::BAD_REQUEST, "Token required").into_response();
    };
    match rewake.resume_webhook(token, request).await {
        Ok(response) => response.map(Body::from),
        Err(WebhookError::NotFound) => (StatusCode::NOT_FOUND, "Webhook not found").into_response(),
        Err(error) => (status(&error), error.code()).into_response(),
    }
}

fn status(error: &WebhookError) -> StatusCode {
    match error {
        // The same request fails again.
        WebhookError::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        WebhookError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        WebhookError::Body { .. } => StatusCode::BAD_REQUEST,
        WebhookError::NotSigned(_) => StatusCode::UNAUTHORIZED,
        // Nothing was taken; later it may be.
        WebhookError::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
        WebhookError::Full => StatusCode::TOO_MANY_REQUESTS,
        WebhookError::TooManyCallers | WebhookError::CannotVerify(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        WebhookError::Store(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        // The workflow has got the request; only its answer is missing.
        WebhookError::NoAnswer => StatusCode::GATEWAY_TIMEOUT,
        error if error.may_have_happened() => StatusCode::BAD_GATEWAY,
        // Whoever operates this has to look.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::http::Request;
    use axum::routing::any;
    use rewake::prelude::*;
    use rewake::{BadSignature, StoreError, Unverifiable, WebhookError};

    use crate::answers::doubles;
    use crate::stage::{call, hook_of, open, send, soon};

    fn app(rewake: &Rewake) -> Router {
        let router = Router::new().route("/call", any(super::proxy));
        router.with_state(rewake.clone())
    }

    /// Sends a body to the webhook of a run.
    async fn sent<T>(rewake: &Rewake, run: &Run<T>, body: &str) -> (u16, String) {
        let token = hook_of(rewake, run).await.token;
        let answer = send(&app(rewake), &format!("/call?token={token}"), body).await;
        (answer.status.as_u16(), answer.body)
    }

    fn says(status: u16, body: &str) -> (u16, String) {
        (status, body.to_owned())
    }

    #[tokio::test]
    async fn the_caller_gets_what_the_workflow_answers() {
        let rewake = open().await;
        let run = rewake.start(doubles()).await.unwrap();
        assert_eq!(sent(&rewake, &run, "4").await, says(200, "8"));
        assert_eq!(soon(run.result()).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn a_run_that_fails_at_the_request_has_no_answer_to_it() {
        let rewake = open().await;
        let run = rewake.start(doubles()).await.unwrap();
        let answer = sent(&rewake, &run, "four").await;
        assert_eq!(answer, says(502, "RUN_ENDED"));
        soon(run.result()).await.unwrap_err();
    }

    #[workflow]
    async fn thinks(span: Duration) -> anyhow::Result<String> {
        let mut calls = create_webhook().manual().answer_within(span).await?;
        let call = calls.recv().await?;
        // It goes on thinking until somebody calls again.
        calls.recv().await?;
        Ok(call.text()?.to_owned())
    }

    #[tokio::test]
    async fn a_workflow_that_thinks_too_long_goes_on_without_its_caller() {
        let rewake = open().await;
        let run = rewake
            .start(thinks(Duration::from_millis(1)))
            .await
            .unwrap();
        assert_eq!(sent(&rewake, &run, "a").await, says(504, "NO_ANSWER"));
        let second = sent(&rewake, &run, "b").await;
        assert!([says(502, "RUN_ENDED"), says(504, "NO_ANSWER")].contains(&second));
        assert_eq!(soon(run.result()).await.unwrap(), "a");
    }

    #[tokio::test]
    async fn what_was_not_taken_leaves_the_webhook_as_it_was() {
        let rewake = open().await;
        let run = rewake.start(doubles()).await.unwrap();
        let token = hook_of(&rewake, &run).await.token;
        let get = Request::get(format!("/call?token={token}"));
        let get = call(&app(&rewake), get.body("4".into()).unwrap()).await;
        assert_eq!(
            (get.status.as_u16(), &*get.body),
            (405, "METHOD_NOT_ALLOWED")
        );
        let large = sent(&rewake, &run, &"4".repeat(1 << 20)).await;
        assert_eq!(large, says(413, "PAYLOAD_TOO_LARGE"));
        let nowhere = send(&app(&rewake), "/call?token=nobody", "4").await;
        assert_eq!(
            (nowhere.status.as_u16(), &*nowhere.body),
            (404, "Webhook not found")
        );
        let no_token = send(&app(&rewake), "/call", "4").await;
        assert_eq!(
            (no_token.status.as_u16(), &*no_token.body),
            (400, "Token required")
        );
        assert_eq!(sent(&rewake, &run, "4").await, says(200, "8"));
    }

    #[test]
    fn no_caller_is_told_to_repeat_what_was_taken() {
        let reason = || "the disk was taken out".to_owned();
        for (wanted, error) in [
            (429, WebhookError::Full),
            (503, WebhookError::TooManyCallers),
            (408, WebhookError::BodyTooSlow),
            (401, WebhookError::NotSigned(BadSignature::Wrong)),
            (503, WebhookError::CannotVerify(Unverifiable::UnknownScheme)),
            (503, WebhookError::Store(StoreError::Overloaded)),
            (502, WebhookError::AnswerLost(StoreError::Overloaded)),
            (502, WebhookError::UnreadableAnswer { reason: reason() }),
            (500, WebhookError::Refused { reason: reason() }),
        ] {
            assert_eq!(super::status(&error), wanted, "{error}");
        }
    }
}
