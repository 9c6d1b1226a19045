//! The application's own routes, and Rewake's.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use rewake::{Hook, Rewake, Run, RunStatus};
use serde_json::{Value, json};

use crate::review::{Decision, review};
use crate::say;

type Refused = (StatusCode, Json<Value>);

/// `POST /reviews/{doc}/start`, `POST /reviews/{doc}` (the decision), `GET /reviews/{doc}`, and the
/// public webhook route.
pub(crate) fn router(rewake: &Rewake, base: &str) -> Router {
    say::routes(base);
    Router::new()
        .route("/reviews/{doc}", get(show).post(decide))
        .route("/reviews/{doc}/start", post(begin))
        .merge(rewake.router())
        .with_state(rewake.clone())
}

/// Starts the review of a document; starting it twice is starting it once.
pub(crate) async fn start(rewake: &Rewake, doc: &str) -> anyhow::Result<Run<String>> {
    let key = format!("review:{doc}");
    let run = rewake
        .start(review(doc.to_owned()))
        .idempotency_key(key)
        .await?;
    say::started(doc, run.id());
    tokio::spawn(say::the_end_of(run.clone()));
    Ok(run)
}

async fn begin(
    State(rewake): State<Rewake>,
    Path(doc): Path<String>,
) -> Result<Json<Value>, Refused> {
    let run = start(&rewake, &doc).await.map_err(|error| failed(&error))?;
    Ok(Json(json!({ "runId": run.id() })))
}

/// The reviewer's decision: when this answers 200, it is on disk and will be read once.
async fn decide(
    State(rewake): State<Rewake>,
    Path(doc): Path<String>,
    Json(decision): Json<Decision>,
) -> Result<Json<Hook>, Refused> {
    match rewake.resume_hook(format!("review:{doc}"), &decision).await {
        Ok(Some(hook)) => {
            say::decided(&doc);
            Ok(Json(hook))
        }
        Ok(None) => {
            let nobody = json!({ "error": format!("nobody waits for a decision about {doc}") });
            Err((StatusCode::NOT_FOUND, Json(nobody)))
        }
        Err(error) => Err(failed(&error.into())),
    }
}

/// How far a review has come.
async fn show(
    State(rewake): State<Rewake>,
    Path(doc): Path<String>,
) -> Result<Json<Value>, Refused> {
    let run = start(&rewake, &doc).await.map_err(|error| failed(&error))?;
    let status = run.status().await.map_err(|error| failed(&error.into()))?;
    let result = match status {
        RunStatus::Pending | RunStatus::Running => Value::Null,
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => run
            .result()
            .await
            .map_or_else(|error| json!(error.to_string()), |text| json!(text)),
    };
    Ok(Json(
        json!({ "runId": run.id(), "status": status, "result": result }),
    ))
}

fn failed(error: &anyhow::Error) -> Refused {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        Json(json!({ "error": format!("{error:#}") })),
    )
}
