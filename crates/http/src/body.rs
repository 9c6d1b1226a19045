//! Reading a body: so much and so long, and no further. Must not know whose body it is.

use std::pin::pin;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rewake_runtime::{Engine, WebhookError};

/// Reads a body whose encoding may fit into a payload: one that says it is longer is refused before
/// it is read, another as soon as it is.
pub(crate) async fn read(
    engine: &Engine,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, WebhookError> {
    let limit = engine.limits().payload;
    let longest = longest(limit);
    if announced(headers, &body) > u64::try_from(longest).unwrap_or(u64::MAX) {
        return Err(WebhookError::TooLarge { limit });
    }
    let mut reading = pin!(Limited::new(body, longest).collect());
    // Most bodies are there already, and need no timer.
    let read = match reading.as_mut().now_or_never() {
        Some(read) => read,
        None => match select(reading, engine.pass(engine.limits().body_time)).await {
            Either::Left((read, _)) => read,
            Either::Right(((), _)) => return Err(WebhookError::BodyTooSlow),
        },
    };
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(WebhookError::TooLarge { limit }),
        Err(error) => Err(WebhookError::Body {
            reason: error.to_string(),
        }),
    }
}

/// How long a body can be that fits into a payload of `limit` bytes: bytes are written in base64,
/// four characters for each three of them.
const fn longest(limit: usize) -> usize {
    limit / 4 * 3
}

fn announced(headers: &HeaderMap, body: &Body) -> u64 {
    let said = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or_default();
    body.size_hint().lower().max(said)
}
