//! A request is handed on to the webhook that its query names.

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use rewake::WebhookError;
use rewake::prelude::*;

#[derive(Deserialize)]
struct Address {
    token: Option<String>,
}

async fn forward(
    State(rewake): State<Rewake>,
    Query(Address { token }): Query<Address>,
    request: Request,
) -> Result<Response, (StatusCode, &'static str)> {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err((StatusCode::BAD_REQUEST, "Missing token"));
    };
    match rewake.resume_webhook(token, request).await {
        Ok(response) => Ok(response.map(Body::from)),
        Err(WebhookError::NotFound) => Err((StatusCode::NOT_FOUND, "Webhook not found")),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.code())),
    }
}

mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use rewake::prelude::*;

    use crate::answers::{accepts, doubles, thanks};
    use crate::stage::{hook_of, open, send, soon, waiting};

    fn app(rewake: &Rewake) -> Router {
        let router = Router::new().route("/call", post(super::forward));
        router.with_state(rewake.clone())
    }

    async fn forwarded<T>(rewake: &Rewake, run: &Run<T>, body: &str) -> (u16, String) {
        let token = hook_of(rewake, run).await.token;
        let answer = send(&app(rewake), &format!("/call?token={token}"), body).await;
        (answer.status.as_u16(), answer.body)
    }

    #[tokio::test]
    async fn the_caller_gets_what_the_webhook_answers() {
        let rewake = open().await;

        let run = rewake.start(accepts()).await.unwrap();
        let answer = forwarded(&rewake, &run, "a").await;
        assert_eq!(answer, (202, String::new()));
        assert_eq!(soon(run.result()).await.unwrap(), "a");

        let run = rewake.start(thanks()).await.unwrap();
        let answer = forwarded(&rewake, &run, "b").await;
        assert_eq!(answer, (201, "thanks".to_owned()));
        assert_eq!(soon(run.result()).await.unwrap(), "b");

        let run = rewake.start(doubles()).await.unwrap();
        let answer = forwarded(&rewake, &run, "21").await;
        assert_eq!(answer, (200, "42".to_owned()));
        assert_eq!(soon(run.result()).await.unwrap(), 42);
    }

    #[tokio::test]
    async fn a_request_without_a_token_is_refused() {
        let rewake = open().await;
        for uri in ["/call", "/call?token=", "/call?other=1"] {
            let answer = send(&app(&rewake), uri, "a").await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{uri}");
            assert_eq!(answer.body, "Missing token", "{uri}");
        }
    }

    #[tokio::test]
    async fn a_token_that_is_no_webhooks_is_not_found() {
        let rewake = open().await;
        waiting(&rewake, "order:7").await;
        for token in ["nobody", "order:7", "%00"] {
            let answer = send(&app(&rewake), &format!("/call?token={token}"), "1").await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{token}");
            assert_eq!(answer.body, "Webhook not found", "{token}");
        }
    }
}
