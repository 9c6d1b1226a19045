//! What a webhook lets in, as its settings say it. Must not know engines.

use http::header::{ALLOW, AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rewake_runtime::webhook::Settings;
use sha2::{Digest, Sha256};

use crate::signature;

/// What resumes unless the webhook says otherwise.
const USUAL: [Method; 4] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// So many bytes of a sender's delivery id are kept as they are.
const LONGEST_KEY: usize = 255;

/// The methods that resume. Others than these and GET never do, whatever the webhook says.
pub(crate) fn methods(settings: &Settings) -> Vec<Method> {
    let Some(wanted) = &settings.methods else {
        return USUAL.to_vec();
    };
    [Method::GET]
        .into_iter()
        .chain(USUAL)
        .filter(|method| wanted.contains(method))
        .collect()
}

/// The `Allow` header: what resumes, and what is answered without resuming.
pub(crate) fn allow(settings: &Settings) -> String {
    let answered = [Method::HEAD, Method::OPTIONS];
    let all = methods(settings).into_iter().chain(answered);
    let names: Vec<String> = all.map(|method| method.to_string()).collect();
    names.join(", ")
}

/// The headers that the workflow gets: those the webhook names, or all but the caller's credentials.
pub(crate) fn kept(settings: &Settings, headers: &HeaderMap) -> HeaderMap {
    let credentials = [AUTHORIZATION, COOKIE];
    headers
        .iter()
        .filter(|(name, _)| match &settings.headers {
            Some(named) => named.contains(name),
            None => !credentials.contains(name),
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What tells a redelivery from a new request: the header that the webhook names, or else the id that
/// came with the signature. An empty one says nothing.
pub(crate) fn delivery_key(
    settings: &Settings,
    headers: &HeaderMap,
    signed: Option<String>,
) -> Option<String> {
    let key = match &settings.dedup {
        Some(header) => headers
            .get(header)
            .map(|value| signature::text(value.as_bytes())),
        None => signed,
    };
    key.filter(|key| !key.is_empty()).map(short)
}

/// Keys are kept and searched, so a sender's long one is kept as its digest.
fn short(key: String) -> String {
    if key.len() <= LONGEST_KEY {
        return key;
    }
    base16ct::lower::encode_string(&Sha256::digest(key))
}

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> http::Response<bytes::Bytes> {
    let mut response = http::Response::default();
    *response.status_mut() = status;
    response
}

/// The answer to OPTIONS.
pub(crate) fn options(settings: &Settings) -> http::Response<bytes::Bytes> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let allow = HeaderValue::try_from(allow(settings)).expect("names of methods are text");
    response.headers_mut().insert(ALLOW, allow);
    response
}
