//! A function of the application's own resumes a hook, and fails where there is none.

use anyhow::Context;
use rewake::RunId;
use rewake::prelude::*;

#[derive(Serialize)]
struct Approval {
    approved: bool,
}

async fn approve_request(rewake: &Rewake, token: &str, approved: bool) -> anyhow::Result<RunId> {
    let hook = rewake.resume_hook(token, &Approval { approved }).await?;
    let hook = hook.context("invalid approval token")?;
    Ok(hook.run_id)
}

mod tests {
    use axum::Router;
    use axum::extract::{Path, State};
    use axum::http::StatusCode;
    use axum::routing::post;
    use rewake::ResumeError;
    use rewake::prelude::*;
    use serde_json::json;

    use super::approve_request;
    use crate::stage::{open, send, soon, waiting};

    async fn approve(
        State(rewake): State<Rewake>,
        Path(token): Path<String>,
    ) -> Result<String, (StatusCode, String)> {
        match approve_request(&rewake, &token, true).await {
            Ok(run) => Ok(run.to_string()),
            Err(error) => Err((StatusCode::FORBIDDEN, error.to_string())),
        }
    }

    #[tokio::test]
    async fn an_approval_gives_the_run_that_goes_on() {
        let rewake = open().await;
        let run = waiting(&rewake, "holiday:ada").await;
        let app = Router::new().route("/approve/{token}", post(approve));
        let app = app.with_state(rewake.clone());
        let answer = send(&app, "/approve/holiday:ada", "").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body, run.id().to_string());
        let result = soon(run.result()).await.unwrap();
        assert_eq!(result, json!({ "approved": true }));
        let again = send(&app, "/approve/holiday:ada", "").await;
        assert_eq!(again.status, StatusCode::FORBIDDEN);
        assert_eq!(again.body, "invalid approval token");
    }

    #[tokio::test]
    async fn an_error_is_told_from_a_hook_that_is_not_there() {
        let rewake = open().await;
        let nobody = approve_request(&rewake, "holiday:bob", true).await;
        assert_eq!(nobody.unwrap_err().to_string(), "invalid approval token");
        let no_token = approve_request(&rewake, "", true).await.unwrap_err();
        let error = no_token.downcast_ref::<ResumeError>().unwrap();
        assert_eq!(error.code(), "INVALID_TOKEN");
    }
}
