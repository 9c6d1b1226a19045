//! A payload is handed to a hook in the fewest lines.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rewake::prelude::*;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Resume {
    token: String,
    data: Value,
}

async fn resume(
    State(rewake): State<Rewake>,
    Json(Resume { token, data }): Json<Resume>,
) -> Result<Json<Value>, (StatusCode, &'static str)> {
    match rewake.resume_hook(token, &data).await {
        Ok(Some(hook)) => Ok(Json(json!({ "runId": hook.run_id }))),
        Ok(None) => Err((StatusCode::NOT_FOUND, "Hook not found")),
        Err(_) => Err((StatusCode::INTERNAL_SERVER_ERROR, "Try again")),
    }
}

mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use rewake::prelude::*;
    use serde_json::json;

    use crate::stage::{open, send, soon, waiting};

    fn app(rewake: &Rewake) -> Router {
        let router = Router::new().route("/resume", post(super::resume));
        router.with_state(rewake.clone())
    }

    #[tokio::test]
    async fn a_hook_that_waits_takes_the_payload() {
        let rewake = open().await;
        let run = waiting(&rewake, "order:7").await;
        let body = r#"{ "token": "order:7", "data": { "paid": true } }"#;
        let answer = send(&app(&rewake), "/resume", body).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json(), json!({ "runId": run.id() }));
        let result = soon(run.result()).await.unwrap();
        assert_eq!(result, json!({ "paid": true }));
    }

    #[tokio::test]
    async fn a_token_that_nobody_has_is_not_found() {
        let rewake = open().await;
        let body = r#"{ "token": "order:8", "data": 1 }"#;
        let answer = send(&app(&rewake), "/resume", body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.body, "Hook not found");
    }

    #[tokio::test]
    async fn a_hook_whose_run_has_ended_is_not_found() {
        let rewake = open().await;
        let run = waiting(&rewake, "order:7").await;
        let app = app(&rewake);
        let body = r#"{ "token": "order:7", "data": 1 }"#;
        assert_eq!(send(&app, "/resume", body).await.status, StatusCode::OK);
        soon(run.result()).await.unwrap();
        let second = send(&app, "/resume", body).await;
        assert_eq!(second.status, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_null_is_refused_and_the_hook_lives_on() {
        let rewake = open().await;
        let run = waiting(&rewake, "order:7").await;
        let app = app(&rewake);
        let null = send(&app, "/resume", r#"{ "token": "order:7", "data": null }"#).await;
        assert_eq!(null.status, StatusCode::INTERNAL_SERVER_ERROR);
        let value = send(&app, "/resume", r#"{ "token": "order:7", "data": {} }"#).await;
        assert_eq!(value.status, StatusCode::OK);
        assert_eq!(soon(run.result()).await.unwrap(), json!({}));
    }
}
