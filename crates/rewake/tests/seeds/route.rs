//! An API route resumes a hook, and tells its caller what to do about each error.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rewake::ResumeError;
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
        Ok(Some(hook)) => Ok(Json(json!({ "success": true, "runId": hook.run_id }))),
        Ok(None) => Err((StatusCode::NOT_FOUND, "Hook not found")),
        Err(error) => Err((status(&error), error.code())),
    }
}

fn status(error: &ResumeError) -> StatusCode {
    match error {
        // The same request fails again.
        ResumeError::NullPayload => StatusCode::BAD_REQUEST,
        ResumeError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ResumeError::KeyReused => StatusCode::CONFLICT,
        // No hook has this token, or none that is resumed here.
        ResumeError::InvalidToken(_) | ResumeError::NotAHook => StatusCode::NOT_FOUND,
        // Later it may work.
        ResumeError::Full { .. } => StatusCode::TOO_MANY_REQUESTS,
        ResumeError::Store(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        // Whoever operates this has to look.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use rewake::prelude::*;
    use rewake::{Limit, ResumeError, StoreError};
    use serde_json::json;

    use crate::answers::accepts;
    use crate::stage::{hook_of, open, send, soon, waiting};

    fn app(rewake: &Rewake) -> Router {
        let router = Router::new().route("/resume", post(super::resume));
        router.with_state(rewake.clone())
    }

    async fn resume(rewake: &Rewake, token: &str, data: &str) -> (u16, String) {
        let body = format!(r#"{{ "token": "{token}", "data": {data} }}"#);
        let answer = send(&app(rewake), "/resume", &body).await;
        (answer.status.as_u16(), answer.body)
    }

    fn says(status: u16, body: &str) -> (u16, String) {
        (status, body.to_owned())
    }

    #[tokio::test]
    async fn a_hook_that_waits_takes_the_payload() {
        let rewake = open().await;
        let run = waiting(&rewake, "order:7").await;
        let body = r#"{ "token": "order:7", "data": [1, 2] }"#;
        let answer = send(&app(&rewake), "/resume", body).await;
        assert_eq!(answer.status, StatusCode::OK);
        let wanted = json!({ "success": true, "runId": run.id() });
        assert_eq!(answer.json(), wanted);
        assert_eq!(soon(run.result()).await.unwrap(), json!([1, 2]));
    }

    #[tokio::test]
    async fn each_refusal_has_its_status() {
        let rewake = open().await;
        waiting(&rewake, "order:7").await;
        let webhook = rewake.start(accepts()).await.unwrap();
        let webhook = hook_of(&rewake, &webhook).await.token.to_string();
        let nobody = resume(&rewake, "order:8", "1").await;
        assert_eq!(nobody, says(404, "Hook not found"));
        let null = resume(&rewake, "order:7", "null").await;
        assert_eq!(null, says(400, "NULL_PAYLOAD"));
        let no_token = resume(&rewake, "", "1").await;
        assert_eq!(no_token, says(404, "INVALID_TOKEN"));
        let webhook = resume(&rewake, &webhook, "1").await;
        assert_eq!(webhook, says(404, "NOT_A_HOOK"));
        let large = format!("\"{}\"", "x".repeat(1 << 20));
        let large = resume(&rewake, "order:7", &large).await;
        assert_eq!(large, says(413, "PAYLOAD_TOO_LARGE"));
    }

    #[tokio::test]
    async fn nothing_is_refused_whatever_its_type() {
        let rewake = open().await;
        waiting(&rewake, "order:7").await;
        let unit = rewake.resume_hook("order:7", &()).await;
        assert_eq!(unit, Err(ResumeError::NullPayload));
        let none = rewake.resume_hook("order:7", &None::<u8>).await;
        assert_eq!(none, Err(ResumeError::NullPayload));
    }

    #[workflow]
    async fn never_reads(token: String) -> anyhow::Result<()> {
        let _unread = create_hook::<u64>().token(token).await?;
        sleep(days(1)).await;
        Ok(())
    }

    #[tokio::test]
    async fn a_hook_that_holds_as_much_as_it_may_says_later() {
        let builder = Rewake::builder().store("sqlite::memory:");
        let rewake = builder.limit(Limit::Unread, 1).build().await.unwrap();
        let run = rewake.start(never_reads("order:7".into())).await.unwrap();
        hook_of(&rewake, &run).await;
        assert_eq!(resume(&rewake, "order:7", "1").await.0, 200);
        assert_eq!(
            resume(&rewake, "order:7", "2").await,
            says(429, "HOOK_FULL")
        );
    }

    #[tokio::test]
    async fn a_handle_that_was_shut_down_says_so() {
        let rewake = open().await;
        waiting(&rewake, "order:7").await;
        rewake.shutdown(seconds(0)).await.unwrap();
        let closed = resume(&rewake, "order:7", "1").await;
        assert_eq!(closed, says(500, "STORE_CLOSED"));
    }

    #[test]
    fn what_the_store_cannot_do_now_is_told_from_what_it_cannot_do() {
        let reason = || "the disk was taken out".to_owned();
        for (wanted, error) in [
            (503, StoreError::Overloaded),
            (503, StoreError::DiskFull),
            (503, StoreError::OutcomeUnknown { reason: reason() }),
            (500, StoreError::Closed { reason: reason() }),
            (500, StoreError::ReadOnly { reason: reason() }),
        ] {
            assert_eq!(super::status(&ResumeError::Store(error)), wanted);
        }
    }

    #[tokio::test]
    async fn a_body_that_is_no_request_never_reaches_the_handler() {
        let rewake = open().await;
        let app = app(&rewake);
        let missing = send(&app, "/resume", r#"{ "data": 1 }"#).await;
        assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
        let broken = send(&app, "/resume", r#"{ "data": "#).await;
        assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    }
}
