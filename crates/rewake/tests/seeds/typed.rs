//! A workflow and a route share the type of what is decided.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rewake::prelude::*;
use serde_json::{Value, json};

/// What a reviewer decides. The workflow receives it, the route sends it.
#[derive(Serialize, Deserialize)]
struct Approval {
    approved: bool,
    comment: String,
}

#[workflow]
async fn review(doc: String) -> anyhow::Result<String> {
    let token = format!("review:{doc}");
    let mut approvals = create_hook::<Approval>().token(token).await?;
    let Approval { approved, comment } = approvals.recv().await?;
    let verdict = if approved { "approved" } else { "rejected" };
    Ok(format!("{verdict}: {comment}"))
}

#[derive(Deserialize)]
struct Approve {
    token: String,
    #[serde(flatten)]
    approval: Approval,
}

async fn approve(
    State(rewake): State<Rewake>,
    Json(Approve { token, approval }): Json<Approve>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let refuse = |status, error: &str| (status, Json(json!({ "error": error })));
    match rewake.resume_hook(token, &approval).await {
        Ok(Some(hook)) => Ok(Json(json!({ "runId": hook.run_id }))),
        Ok(None) => Err(refuse(StatusCode::NOT_FOUND, "Invalid token")),
        Err(error) => Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, error.code())),
    }
}

mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use rewake::prelude::*;
    use serde_json::json;

    use super::review;
    use crate::stage::{call, hook_of, open, post as text, send, soon};

    fn app(rewake: &Rewake) -> Router {
        let router = Router::new().route("/approve", post(super::approve));
        router.with_state(rewake.clone())
    }

    async fn started(rewake: &Rewake) -> Run<String> {
        let run = rewake.start(review("handbook".into())).await.unwrap();
        hook_of(rewake, &run).await;
        run
    }

    #[tokio::test]
    async fn the_workflow_gets_what_the_route_was_sent() {
        let rewake = open().await;
        let run = started(&rewake).await;
        let body = r#"{ "token": "review:handbook", "approved": true, "comment": "fine" }"#;
        let answer = send(&app(&rewake), "/approve", body).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json(), json!({ "runId": run.id() }));
        assert_eq!(soon(run.result()).await.unwrap(), "approved: fine");
    }

    #[tokio::test]
    async fn a_token_that_nobody_has_is_not_found() {
        let rewake = open().await;
        let body = r#"{ "token": "review:other", "approved": true, "comment": "" }"#;
        let answer = send(&app(&rewake), "/approve", body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.json(), json!({ "error": "Invalid token" }));
    }

    #[tokio::test]
    async fn what_is_no_approval_is_refused_before_anything_is_recorded() {
        let rewake = open().await;
        let run = started(&rewake).await;
        let app = app(&rewake);
        for (status, body) in [
            (422, r#"{ "token": "review:handbook", "approved": true }"#),
            (
                422,
                r#"{ "token": "review:handbook", "approved": "yes", "comment": "" }"#,
            ),
            (400, r#"{ "token": "review:handbook", "approved": true"#),
        ] {
            assert_eq!(send(&app, "/approve", body).await.status, status, "{body}");
        }
        let untyped = text("/approve", "text/plain", "yes");
        let untyped = call(&app, untyped).await;
        assert_eq!(untyped.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);

        let body = r#"{ "token": "review:handbook", "approved": false, "comment": "no" }"#;
        assert_eq!(send(&app, "/approve", body).await.status, StatusCode::OK);
        assert_eq!(soon(run.result()).await.unwrap(), "rejected: no");
    }
}
