//! Errors as RFC 9457 problem documents, from one table.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use rewake_runtime::WebhookError;
use rewake_runtime::store::StoreError;
use serde::Serialize;

const MEDIA_TYPE: &str = "application/problem+json";

/// The status of an answer to a request that failed so. This is the one table; the document beside
/// it has the error's own stable `code`.
pub const fn status(error: &WebhookError) -> StatusCode {
    match error {
        WebhookError::NotFound => StatusCode::NOT_FOUND,
        WebhookError::NotSigned(_) => StatusCode::UNAUTHORIZED,
        WebhookError::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        WebhookError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        WebhookError::Body { .. } => StatusCode::BAD_REQUEST,
        WebhookError::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
        WebhookError::Full => StatusCode::TOO_MANY_REQUESTS,
        WebhookError::RunEnded => StatusCode::BAD_GATEWAY,
        WebhookError::NoAnswer => StatusCode::GATEWAY_TIMEOUT,
        // A limit of this process, which no caller has used up alone.
        WebhookError::TooManyCallers
        | WebhookError::CannotVerify(_)
        | WebhookError::AnswerLost(_)
        | WebhookError::Store(
            StoreError::Closed { .. }
            | StoreError::DiskFull
            | StoreError::OutcomeUnknown { .. }
            | StoreError::Overloaded
            | StoreError::ReadOnly { .. },
        ) => StatusCode::SERVICE_UNAVAILABLE,
        // Also for what a later build of the engine may say.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A problem document. Its type says nothing that the status does not: `code` tells problems apart.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
}

/// The answer to a request that failed so.
pub(crate) fn response(error: &WebhookError) -> Response<Bytes> {
    let status = status(error);
    if status.is_server_error() {
        tracing::warn!(code = error.code(), %error, "a webhook's request was not answered");
    }
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        code: error.code(),
        detail: &detail(error),
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if let WebhookError::MethodNotAllowed { allow } = error
        && let Ok(allow) = HeaderValue::try_from(allow)
    {
        headers.insert(ALLOW, allow);
    }
    response
}

/// What the caller is told; what only the operator may know stands in the traces.
fn detail(error: &WebhookError) -> String {
    match error {
        WebhookError::Store(store) if store.may_have_happened() => {
            "it is not known whether the request was taken; repeat it".to_owned()
        }
        WebhookError::Store(_) if status(error) == StatusCode::SERVICE_UNAVAILABLE => {
            "the request was not taken; try again later".to_owned()
        }
        WebhookError::AnswerLost(_) => {
            "the request was taken, and its answer cannot be waited for".to_owned()
        }
        // Which part of it is wrong would help who guesses.
        WebhookError::NotSigned(_) => {
            "the request is not signed as the webhook wants it".to_owned()
        }
        WebhookError::CannotVerify(_) => {
            "this process cannot verify the requests of the webhook; try again later".to_owned()
        }
        WebhookError::Body { .. } => "the request's body could not be read".to_owned(),
        WebhookError::UnreadableAnswer { .. } => {
            "the request was taken, and the workflow's answer cannot be sent".to_owned()
        }
        error if status(error) == StatusCode::INTERNAL_SERVER_ERROR => {
            "the request was not taken, and a repetition will not be either".to_owned()
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rewake_runtime::core::payload::Payload;
    use rewake_runtime::webhook::{BadSignature, Settings, Unverifiable};

    use super::*;

    const SECRET: &str = "a secret of the operator's";

    fn stores() -> Vec<(u16, StoreError)> {
        let reason = || SECRET.to_owned();
        vec![
            (503, StoreError::OutcomeUnknown { reason: reason() }),
            (503, StoreError::Closed { reason: reason() }),
            (503, StoreError::Overloaded),
            (503, StoreError::DiskFull),
            (500, StoreError::Backend { reason: reason() }),
            (503, StoreError::ReadOnly { reason: reason() }),
        ]
    }

    /// Every variant, with the status of its answer.
    fn all() -> Vec<(u16, WebhookError)> {
        let reason = || SECRET.to_owned();
        let allow = "POST, HEAD, OPTIONS".to_owned();
        let metadata = Payload::from_bytes(*b"devl[{\"respondWith\":1},7]");
        let invalid = Settings::read(Some(&metadata)).unwrap_err();
        let no_secret = Unverifiable::NoSecret { name: reason() };
        let mut all = vec![
            (404, WebhookError::NotFound),
            (405, WebhookError::MethodNotAllowed { allow }),
            (413, WebhookError::TooLarge { limit: 7 }),
            (400, WebhookError::Body { reason: reason() }),
            (408, WebhookError::BodyTooSlow),
            (401, WebhookError::NotSigned(BadSignature::Wrong)),
            (503, WebhookError::CannotVerify(no_secret)),
            (429, WebhookError::Full),
            (503, WebhookError::TooManyCallers),
            (502, WebhookError::RunEnded),
            (504, WebhookError::NoAnswer),
            (500, WebhookError::InvalidSettings(invalid)),
            (500, WebhookError::UnreadableAnswer { reason: reason() }),
            (503, WebhookError::AnswerLost(StoreError::Overloaded)),
            (500, WebhookError::Refused { reason: reason() }),
        ];
        let stores = stores().into_iter();
        all.extend(stores.map(|(status, error)| (status, WebhookError::Store(error))));
        all
    }

    #[test]
    fn every_error_has_its_status_and_its_code() {
        let mut codes = std::collections::BTreeSet::new();
        for (wanted, error) in all() {
            let response = response(&error);
            assert_eq!(response.status(), wanted, "{error:?}");
            let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(problem["code"], error.code());
            assert_eq!(problem["status"], wanted);
            assert_ne!(problem["title"], "");
            assert!(codes.insert(error.code()), "{error:?} has another's code");
        }
    }

    #[test]
    fn callers_are_not_told_what_only_the_operator_may_know() {
        for (_, error) in all() {
            let body = String::from_utf8(response(&error).into_body().to_vec()).unwrap();
            assert!(!body.contains(SECRET), "{body}");
        }
    }

    #[test]
    fn whether_something_may_have_happened_is_what_the_caller_is_told() {
        for (_, error) in all() {
            let detail = detail(&error);
            if detail.contains("was not taken") {
                assert!(!error.may_have_happened(), "{error:?}");
            }
            if detail.contains("was taken,") {
                assert!(error.may_have_happened(), "{error:?}");
            }
        }
    }
}
