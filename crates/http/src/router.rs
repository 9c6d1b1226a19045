//! The routes. Must not know what a webhook does with a request.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use percent_encoding::percent_decode_str;
use rewake_runtime::{Engine, WebhookError};

use crate::{problem, resume_webhook};

const ROUTE: &str = "/.well-known/workflow/v1/webhook/";

/// The public webhook endpoint, `/.well-known/workflow/v1/webhook/{token}`, for an application of
/// any state.
///
/// # Examples
///
/// ```
/// fn application(engine: rewake_runtime::Engine) -> axum::Router {
///     axum::Router::new()
///         .route("/", axum::routing::get(async || "hello"))
///         .merge(rewake_http::router(engine))
/// }
/// ```
pub fn router<S: Clone + Send + Sync + 'static>(engine: Engine) -> Router<S> {
    let webhook = any(async move |request: Request| answer(&engine, request).await);
    // An empty token, or one with a slash, is one that nobody has: its caller must not learn that
    // from another answer.
    Router::new()
        .route(&format!("{ROUTE}{{*token}}"), webhook.clone())
        .route(ROUTE, webhook)
}

async fn answer(engine: &Engine, request: Request) -> Response {
    let answer = match token(request.uri().path()) {
        Some(token) => resume_webhook(engine, &token, request).await,
        None => Err(WebhookError::NotFound),
    };
    let mut response = match answer {
        Ok(response) => response.map(Body::from),
        Err(error) => problem::response(&error).map(Body::from),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The rest of the path; none where it is no text, which no token is.
fn token(path: &str) -> Option<String> {
    let (_, rest) = path.split_once(ROUTE)?;
    let token = percent_decode_str(rest).decode_utf8().ok()?;
    Some(token.into_owned())
}
