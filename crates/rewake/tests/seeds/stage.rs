//! What a test stands on: a handle on a store of its own, a run that waits, and a way to call.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, StatusCode};
use rewake::prelude::*;
use serde_json::Value;
use tower::ServiceExt;

/// Opens a handle on a store in memory.
pub(crate) async fn open() -> Rewake {
    Rewake::builder()
        .store("sqlite::memory:")
        .public_url("https://app.example")
        .build()
        .await
        .unwrap()
}

/// Gives the first payload of its hook back.
#[workflow]
pub(crate) async fn waits(token: String) -> anyhow::Result<Value> {
    let mut payloads = create_hook::<Value>().token(token).await?;
    Ok(payloads.recv().await?)
}

/// Starts a run of [`waits`], and returns it once its hook is there.
pub(crate) async fn waiting(rewake: &Rewake, token: &str) -> Run<Value> {
    let run = rewake.start(waits(token.to_owned())).await.unwrap();
    hook_of(rewake, &run).await;
    run
}

/// Returns the first hook of a run once it is there.
pub(crate) async fn hook_of<T>(rewake: &Rewake, run: &Run<T>) -> Hook {
    soon(async {
        loop {
            let hooks = rewake.hooks().run(run.id()).await.unwrap().data;
            if let Some(hook) = hooks.into_iter().next() {
                return Hook::clone(&hook);
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

/// A test that hangs shall say so.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(30), future).await;
    waited.expect("nothing happens any more")
}

/// What a caller got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A POST with a body of this type.
pub(crate) fn post(uri: &str, media_type: &str, body: &str) -> Request<Body> {
    let request = Request::post(uri).header(CONTENT_TYPE, media_type);
    request.body(body.to_owned().into()).unwrap()
}

/// Calls an application.
pub(crate) async fn call(app: &Router, request: Request<Body>) -> Answer {
    let response = soon(app.clone().oneshot(request)).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Answer { status, body }
}

/// Calls an application with a POST of JSON.
pub(crate) async fn send(app: &Router, uri: &str, body: &str) -> Answer {
    call(app, post(uri, "application/json", body)).await
}
