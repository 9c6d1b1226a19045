//! A body as the SDK writes it: null, or a stream that holds its bytes. Must not know of what.

use std::fmt;

use bytes::Bytes;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The most that is set aside on the word of a sequence that says how long it is.
const TRUSTED_LEN: usize = 4096;

#[derive(Serialize, Deserialize)]
#[serde(rename = "$devl:ReadableStream")]
struct Stream<T>(Init<T>);

#[derive(Serialize, Deserialize)]
struct Init<T> {
    #[serde(rename = "bodyInit")]
    content: T,
}

/// No bytes are written as null: who reads a body cannot tell the two apart.
pub(super) fn serialize<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    let content = serde_bytes::Bytes::new(body);
    let stream = (!body.is_empty()).then_some(Stream(Init { content }));
    stream.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let stream = Option::<Stream<Content>>::deserialize(deserializer)?;
    Ok(stream.map_or_else(Bytes::new, |Stream(init)| init.content.0))
}

/// What JavaScript takes for a body: bytes, text, or nothing.
struct Content(Bytes);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes or the text of a body")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Content, E> {
        Ok(Content(Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Content, E> {
        Ok(Content(bytes.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content(Bytes::copy_from_slice(text.as_bytes())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Content, E> {
        Ok(Content(Bytes::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Content, A::Error> {
        let mut all = Vec::with_capacity(bytes.size_hint().unwrap_or_default().min(TRUSTED_LEN));
        while let Some(byte) = bytes.next_element()? {
            all.push(byte);
        }
        Ok(Content(all.into()))
    }
}
