//! One event as the Workflow SDK writes it in JSON. Knows names and shapes; must not know what they
//! mean to us.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::payload::{Date, Payload};
use crate::time::Timestamp;

/// The specification version that the events of this module follow.
pub(super) const SPEC_VERSION: u32 = 3;

/// One event in the shape of the Workflow SDK.
///
/// # Examples
///
/// ```
/// use rewake_core::sdk::SdkEvent;
///
/// let text = concat!(
///     r#"{"eventType":"wait_completed","correlationId":"wait_01KA5TV500NRS9G15ZNH4JNTDJ","#,
///     r#""specVersion":3,"runId":"wrun_01K9Z0000000000000000000AA","#,
///     r#""eventId":"evnt_01KA5TV500NRS9G15ZNH4JNTDK","createdAt":"2025-11-16T08:00:00.000Z"}"#,
/// );
/// let event = SdkEvent::from_json(text)?;
/// assert_eq!(event.event_type(), "wait_completed");
/// assert_eq!(serde_json::to_string(&event)?, text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SdkEvent {
    pub(super) event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_data: Option<EventData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spec_version: Option<u32>,
    pub(super) run_id: String,
    pub(super) event_id: String,
    pub(super) created_at: Time,
}

impl SdkEvent {
    /// Reads one event of the Workflow SDK from its JSON. What it says is checked when it is
    /// [pushed](super::SdkLog::push) to a log.
    ///
    /// # Errors
    ///
    /// [`ReadError::Shape`](super::ReadError::Shape) where the text is not of an event's shape.
    pub fn from_json(text: &str) -> Result<Self, super::ReadError> {
        serde_json::from_str(text).map_err(super::ReadError::Shape)
    }

    /// The kind of the event, as the Workflow SDK names it.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// The step, hook or wait that the event is about; none for events of the run itself.
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

/// The fields of all kinds of events: each kind has a few of them. What is not named here is passed
/// over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct EventData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deployment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workflow_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) step_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<ErrorText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stack: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_webhook: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conflicting_run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resume_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cancel_reason: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes: BTreeMap<String, String>,
}

/// An error: a run's is an object, a step's a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum ErrorText {
    Text(String),
    Object {
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        stack: Option<String>,
    },
}

impl ErrorText {
    pub(super) fn message(&self) -> &str {
        match self {
            Self::Text(message) | Self::Object { message, .. } => message,
        }
    }
}

/// A payload's bytes, as the package's files and queue messages hold them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bytes(pub(super) Payload);

const BYTES: &str = "Uint8Array";

#[derive(Serialize, Deserialize)]
struct TaggedBytes {
    #[serde(rename = "__type")]
    kind: String,
    data: String,
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = BYTES.to_owned();
        let data = STANDARD.encode(self.0.as_bytes());
        TaggedBytes { kind, data }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let TaggedBytes { kind, data } = TaggedBytes::deserialize(deserializer)?;
        if kind != BYTES {
            return Err(D::Error::custom("a payload is a `Uint8Array`"));
        }
        let bytes = STANDARD.decode(data).map_err(D::Error::custom)?;
        Ok(Self(Payload::from_bytes(bytes)))
    }
}

/// A time, as JavaScript's ISO text. One before 1970 is read as its beginning, and one past the last
/// that JavaScript has is written as that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Time(pub(super) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ms = i64::try_from(self.0.as_millis()).ok();
        let date = ms.and_then(Date::from_ms).unwrap_or(Date::MAX);
        serializer.collect_str(&date)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date: Date = text.parse().map_err(D::Error::custom)?;
        let ms = u64::try_from(date.ms()).unwrap_or_default();
        Ok(Self(Timestamp::from_millis(ms)))
    }
}
