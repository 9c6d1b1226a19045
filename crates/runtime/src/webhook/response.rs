//! A response for the caller of a webhook, as a workflow gives it.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use super::{body, headers};

/// A response for the caller of a webhook. It travels as the SDK's `Response`.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use rewake_runtime::webhook::Response;
///
/// let teapot = http::Response::builder().status(418).body(Bytes::from("short"))?;
/// let response = Response::try_from(teapot)?;
/// let back = http::Response::from(response);
/// assert_eq!((back.status().as_u16(), &back.body()[..]), (418, &b"short"[..]));
///
/// let switching = http::Response::builder().status(101).body(Bytes::new())?;
/// assert!(Response::try_from(switching).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: StatusCode,
    status_text: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A response whose status does not end an exchange. Give one from 200 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the status {status} ends no exchange; answer with one from 200 to 599")]
pub struct UnusableStatus {
    /// The status.
    pub status: u16,
}

impl Response {
    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The words beside the status; empty unless they came from JavaScript.
    pub fn status_text(&self) -> &str {
        &self.status_text
    }

    /// The headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
}

/// Refuses what Fetch refuses: an interim status would leave the caller waiting.
fn final_status(status: u16) -> Result<StatusCode, UnusableStatus> {
    StatusCode::from_u16(status)
        .ok()
        .filter(|code| (200..=599).contains(&code.as_u16()))
        .ok_or(UnusableStatus { status })
}

impl TryFrom<http::Response<Bytes>> for Response {
    type Error = UnusableStatus;

    fn try_from(response: http::Response<Bytes>) -> Result<Self, UnusableStatus> {
        let (parts, body) = response.into_parts();
        Ok(Self {
            status: final_status(parts.status.as_u16())?,
            status_text: String::new(),
            headers: parts.headers,
            body,
        })
    }
}

impl From<Response> for http::Response<Bytes> {
    fn from(response: Response) -> Self {
        let mut back = Self::new(response.body);
        *back.status_mut() = response.status;
        *back.headers_mut() = response.headers;
        back
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "$devl:Response")]
struct Tagged<T>(T);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    r#type: &'a str,
    url: &'a str,
    status: u16,
    status_text: &'a str,
    #[serde(serialize_with = "headers::serialize")]
    headers: &'a HeaderMap,
    #[serde(serialize_with = "body::serialize")]
    body: &'a Bytes,
    redirected: bool,
}

/// The parts of a response that are read; its type and URL say nothing to its caller.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Read {
    status: u16,
    #[serde(default)]
    status_text: String,
    #[serde(deserialize_with = "headers::deserialize")]
    headers: HeaderMap,
    #[serde(default, deserialize_with = "body::deserialize")]
    body: Bytes,
}

impl TryFrom<Read> for Response {
    type Error = UnusableStatus;

    fn try_from(read: Read) -> Result<Self, UnusableStatus> {
        Ok(Self {
            status: final_status(read.status)?,
            status_text: read.status_text,
            headers: read.headers,
            body: read.body,
        })
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Tagged(Written {
            r#type: "default",
            url: "",
            status: self.status.as_u16(),
            status_text: &self.status_text,
            headers: &self.headers,
            body: &self.body,
            redirected: false,
        })
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Response {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(read) = Tagged::<Read>::deserialize(deserializer)?;
        Self::try_from(read).map_err(de::Error::custom)
    }
}
