//! Headers as the SDK writes them: pairs of lower-cased name and value, ordered by name.
//!
//! A value is any bytes, and each byte is written as the character of its number, as Fetch does it:
//! nothing is lost, and what is ASCII looks like itself. Must not know whose headers they are.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

#[derive(Serialize, serde::Deserialize)]
#[serde(rename = "$devl:Headers")]
struct Pairs(Vec<(String, String)>);

pub(super) fn serialize<S: Serializer>(map: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    let mut pairs: Vec<_> = map
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text_of(value)))
        .collect();
    // The sort is stable: a header that came more than once keeps the order of its values.
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    Pairs(pairs).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<HeaderMap, D::Error> {
    let Pairs(pairs) = Pairs::deserialize(deserializer)?;
    let mut map = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let wrong = || de::Error::custom(format_args!("`{name}` is no header"));
        let value = value_of(&value).ok_or_else(wrong)?;
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        map.try_append(key, value).map_err(de::Error::custom)?;
    }
    Ok(map)
}

fn text_of(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

fn value_of(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|char| u8::try_from(char).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}
