//! Tests of the payload codec, a file per topic. Here stands what all topics use.

mod errors;
mod examples;
mod hostile;
mod lenient;
mod limits;
mod options;
mod roundtrip;
mod self_describing;
mod showing;
mod spelling;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{DecodeError, Payload, decode, encode};

/// The text that `value` is encoded as, without its tag.
fn text_of<T: Serialize + ?Sized>(value: &T) -> String {
    let payload = encode(value).unwrap();
    String::from_utf8(payload.text().to_vec()).unwrap()
}

/// A payload with this text.
fn devl(text: &str) -> Payload {
    Payload::from_bytes([b"devl", text.as_bytes()].concat())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, DecodeError> {
    decode(&devl(text))
}

/// What the value is after it was written and read.
fn there_and_back<T: Serialize + DeserializeOwned>(value: &T) -> T {
    decode(&encode(value).unwrap()).unwrap()
}
