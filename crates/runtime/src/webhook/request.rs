//! A request to a webhook, as its workflow gets it.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use super::{body, headers};

/// A request to a webhook.
///
/// It travels as the SDK's `Request`, as a payload and as a step's argument. Header names are lower
/// case, headers that came more than once keep the order of their values, and values that are not
/// UTF-8 are kept as they came.
///
/// # Examples
///
/// ```
/// use rewake_runtime::core::payload;
/// use rewake_runtime::webhook::Request;
///
/// let mut request = Request::new(http::Method::POST, "https://example.com/hooks?for=tea");
/// request.body = bytes::Bytes::from_static(b"two cups");
///
/// let payload = payload::encode(&request)?;
/// assert_eq!(payload::decode::<Request>(&payload)?, request);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL in full, with its query.
    pub url: String,
    /// The headers that were kept.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The stream that takes the answer, in manual mode.
    pub answer_to: Option<String>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            answer_to: None,
        }
    }
}

/// Shows neither URL nor headers nor body: the token is in the one, secrets may be in the others.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "$devl:Request")]
struct Tagged<T>(T);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    method: &'a str,
    url: &'a str,
    #[serde(serialize_with = "headers::serialize")]
    headers: &'a HeaderMap,
    #[serde(serialize_with = "body::serialize")]
    body: &'a Bytes,
    duplex: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_writable: Option<Writable<&'a str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    method: String,
    url: String,
    #[serde(deserialize_with = "headers::deserialize")]
    headers: HeaderMap,
    #[serde(default, deserialize_with = "body::deserialize")]
    body: Bytes,
    #[serde(default)]
    response_writable: Option<Writable<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "$devl:WritableStream")]
struct Writable<T>(Named<T>);

#[derive(Serialize, Deserialize)]
struct Named<T> {
    name: T,
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let answer_to = self.answer_to.as_deref();
        Tagged(Written {
            method: self.method.as_str(),
            url: &self.url,
            headers: &self.headers,
            body: &self.body,
            duplex: "half",
            response_writable: answer_to.map(|name| Writable(Named { name })),
        })
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(read) = Tagged::<Read>::deserialize(deserializer)?;
        Ok(Self {
            method: Method::from_bytes(read.method.as_bytes()).map_err(de::Error::custom)?,
            url: read.url,
            headers: read.headers,
            body: read.body,
            answer_to: read.response_writable.map(|Writable(Named { name })| name),
        })
    }
}
