//! How a webhook takes requests and answers them, as its hook's metadata says it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::{HeaderName, Method};
use rewake_core::payload::{self, DecodeError, Payload};
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::Verify;
use super::response::{self, Response};

/// Who answers a request, and with what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RespondWith {
    /// 202 without a body, as soon as the request is on stable storage.
    #[default]
    Accepted,
    /// The same response to every request, as soon as it is on stable storage.
    Static(Box<Response>),
    /// Whatever the workflow answers.
    Manual,
}

/// How a webhook takes requests and answers them: the metadata of its hook.
///
/// An object with the SDK's `respondWith`, and what the SDK does not have: `answerWithinMs`,
/// `methods`, `headers`, `dedup` and `verify`. Keys of other builds are kept as they are.
///
/// # Examples
///
/// ```
/// use rewake_runtime::core::payload;
/// use rewake_runtime::webhook::{RespondWith, Settings};
///
/// let settings = Settings { respond_with: RespondWith::Manual, ..Settings::default() };
/// let metadata = payload::encode(&settings)?;
/// assert_eq!(metadata.as_bytes(), br#"devl[{"respondWith":1},"manual"]"#);
/// assert_eq!(Settings::read(Some(&metadata))?, settings);
/// assert_eq!(Settings::read(None)?, Settings::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who answers.
    pub respond_with: RespondWith,
    /// How long the caller waits for the workflow's answer; [`Self::ANSWER_WITHIN`] unless said.
    pub answer_within: Option<Duration>,
    /// The methods that resume; unless said, all that usually carry something.
    pub methods: Option<Vec<Method>>,
    /// The headers that are kept; unless said, all but the caller's credentials.
    pub headers: Option<Vec<HeaderName>>,
    /// The header in which the sender tells a repetition from a new request.
    pub dedup: Option<HeaderName>,
    /// How requests have to be signed.
    pub verify: Option<Verify>,
    /// What other builds have said besides; a `verify` that this build cannot do is among it.
    pub others: BTreeMap<String, Value>,
}

/// Metadata that does not say how the webhook answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the webhook's settings cannot be read")]
pub struct InvalidSettings(#[from] DecodeError);

impl Settings {
    /// How long a caller waits for the workflow's answer unless the webhook says otherwise.
    pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);

    /// The key under which a webhook says how its requests have to be signed.
    const VERIFY: &str = "verify";

    /// True where requests have to be signed in a way that this build does not know.
    pub fn is_beyond_verification(&self) -> bool {
        self.others.contains_key(Self::VERIFY)
    }

    /// The settings in a hook's metadata; metadata that is absent or no object sets nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] where `respondWith` is neither a response nor `"manual"`, or another
    /// setting is not what it has to be.
    pub fn read(metadata: Option<&Payload>) -> Result<Self, InvalidSettings> {
        Ok(metadata
            .map(payload::decode)
            .transpose()?
            .unwrap_or_default())
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.respond_with {
            RespondWith::Accepted => {}
            RespondWith::Static(response) => map.serialize_entry("respondWith", response)?,
            RespondWith::Manual => map.serialize_entry("respondWith", "manual")?,
        }
        if let Some(within) = self.answer_within {
            let millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
            map.serialize_entry("answerWithinMs", &millis)?;
        }
        if let Some(methods) = &self.methods {
            let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
            map.serialize_entry("methods", &names)?;
        }
        if let Some(headers) = &self.headers {
            let names: Vec<&str> = headers.iter().map(HeaderName::as_str).collect();
            map.serialize_entry("headers", &names)?;
        }
        if let Some(header) = &self.dedup {
            map.serialize_entry("dedup", header.as_str())?;
        }
        if let Some(verify) = &self.verify {
            map.serialize_entry(Self::VERIFY, verify)?;
        }
        for (key, value) in &self.others {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingsVisitor)
    }
}

struct SettingsVisitor;

impl<'de> Visitor<'de> for SettingsVisitor {
    type Value = Settings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings of a webhook")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Settings, A::Error> {
        let mut settings = Settings::default();
        while let Some(key) = entries.next_key::<String>()? {
            match key.as_str() {
                "respondWith" => {
                    settings.respond_with = entries.next_value::<Answering>()?.0;
                }
                "answerWithinMs" => {
                    let millis = entries.next_value::<Option<u64>>()?;
                    settings.answer_within = millis.map(Duration::from_millis);
                }
                "methods" => settings.methods = parse_all(entries.next_value()?)?,
                "headers" => settings.headers = parse_all(entries.next_value()?)?,
                "dedup" => {
                    let header = entries.next_value::<Option<String>>()?;
                    settings.dedup = header.as_deref().map(parse).transpose()?;
                }
                Settings::VERIFY => match entries.next_value::<Option<Value>>()? {
                    None => {}
                    Some(value) => match Verify::read(&value) {
                        Some(verify) => settings.verify = Some(verify),
                        None => drop(settings.others.insert(key, value)),
                    },
                },
                _ => {
                    let value = entries.next_value()?;
                    settings.others.insert(key, value);
                }
            }
        }
        Ok(settings)
    }

    fn visit_unit<E>(self) -> Result<Settings, E> {
        Ok(Settings::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Settings, E> {
        Ok(Settings::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Settings, E> {
        Ok(Settings::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Settings, E> {
        Ok(Settings::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Settings, E> {
        Ok(Settings::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Settings, E> {
        Ok(Settings::default())
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Settings, E> {
        Ok(Settings::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Settings, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Settings::default())
    }
}

fn parse<T: std::str::FromStr, E: de::Error>(text: &str) -> Result<T, E>
where
    T::Err: fmt::Display,
{
    text.parse().map_err(E::custom)
}

fn parse_all<T: std::str::FromStr, E: de::Error>(
    names: Option<Vec<String>>,
) -> Result<Option<Vec<T>>, E>
where
    T::Err: fmt::Display,
{
    names
        .map(|names| names.iter().map(|name| parse(name)).collect())
        .transpose()
}

/// The value of `respondWith`: nothing, `"manual"`, or a response.
struct Answering(RespondWith);

impl<'de> Deserialize<'de> for Answering {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnsweringVisitor)
    }
}

struct AnsweringVisitor;

impl<'de> Visitor<'de> for AnsweringVisitor {
    type Value = Answering;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a response or \"manual\"")
    }

    fn visit_unit<E>(self) -> Result<Answering, E> {
        Ok(Answering(RespondWith::Accepted))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Answering, E> {
        if text == "manual" {
            Ok(Answering(RespondWith::Manual))
        } else {
            Err(E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, parts: A) -> Result<Answering, A::Error> {
        let read = response::Read::deserialize(de::value::MapAccessDeserializer::new(parts))?;
        let response = Response::try_from(read).map_err(de::Error::custom)?;
        Ok(Answering(RespondWith::Static(Box::new(response))))
    }
}
