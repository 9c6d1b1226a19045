//! One address for everybody's webhooks: what is posted to it goes to the hook it names.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use rewake::ResumeError;
use rewake::prelude::*;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Address {
    token: Option<String>,
}

async fn receive(
    State(rewake): State<Rewake>,
    Query(Address { token }): Query<Address>,
    body: Bytes,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let refuse = |status, error: &str| (status, Json(json!({ "error": error })));
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "Missing token"));
    };
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "Not JSON"));
    };
    match rewake.resume_hook(token, &body).await {
        Ok(Some(hook)) => Ok(Json(json!({ "success": true, "runId": hook.run_id }))),
        Ok(None) | Err(ResumeError::InvalidToken(_)) => {
            Err(refuse(StatusCode::NOT_FOUND, "Hook not found"))
        }
        Err(ResumeError::NullPayload) => Err(refuse(StatusCode::BAD_REQUEST, "Nothing sent")),
        Err(error) => Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, error.code())),
    }
}

mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use rewake::prelude::*;
    use serde_json::json;

    use crate::stage::{call, open, post as request, send, soon, waiting};

    fn app(rewake: &Rewake) -> Router {
        let router = Router::new().route("/hooks", post(super::receive));
        router.with_state(rewake.clone())
    }

    #[tokio::test]
    async fn what_is_posted_reaches_the_hook_that_the_query_names() {
        let rewake = open().await;
        let run = waiting(&rewake, "order:7").await;
        let body = r#"{ "event": "paid" }"#;
        // Senders of webhooks are not careful about media types.
        let posted = request("/hooks?token=order:7", "text/plain", body);
        let answer = call(&app(&rewake), posted).await;
        assert_eq!(answer.status, StatusCode::OK);
        let wanted = json!({ "success": true, "runId": run.id() });
        assert_eq!(answer.json(), wanted);
        let result = soon(run.result()).await.unwrap();
        assert_eq!(result, json!({ "event": "paid" }));
    }

    #[tokio::test]
    async fn each_refusal_has_its_status() {
        let rewake = open().await;
        let run = waiting(&rewake, "order:7").await;
        let app = app(&rewake);
        for (uri, body, status, error) in [
            ("/hooks", "1", 400, "Missing token"),
            ("/hooks?token=", "1", 400, "Missing token"),
            ("/hooks?other=order:7", "not JSON", 400, "Missing token"),
            ("/hooks?token=order:7", "not JSON", 400, "Not JSON"),
            ("/hooks?token=order:7", "null", 400, "Nothing sent"),
            ("/hooks?token=order:8", "1", 404, "Hook not found"),
            ("/hooks?token=order%00", "1", 404, "Hook not found"),
        ] {
            let answer = send(&app, uri, body).await;
            assert_eq!(answer.status, status, "{uri} {body}");
            assert_eq!(answer.json(), json!({ "error": error }), "{uri} {body}");
        }
        let answer = send(&app, "/hooks?token=order:7", "1").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(soon(run.result()).await.unwrap(), json!(1));
    }
}
