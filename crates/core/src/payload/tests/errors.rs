//! What errors say: which codec, where in the value, under which code.

use std::collections::BTreeMap;

use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};

use super::super::{
    Codec, DecodeErrorKind, EncodeError, EncodeErrorKind, Payload, decode, encode, step_args,
    step_input,
};
use super::{devl, read};

/// A value that refuses to be written.
struct Refuses(u8);

impl Serialize for Refuses {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(format_args!(
            "no price yet for {}",
            self.0
        )))
    }
}

#[derive(Serialize)]
enum Shape {
    Pair(u8, Refuses),
    Named { price: Refuses },
    New(Refuses),
}

#[test]
fn a_refusal_names_the_place() {
    fn path_of<T: Serialize>(value: &T) -> String {
        encode(value).unwrap_err().path().to_owned()
    }
    assert_eq!(path_of(&Refuses(0)), "");
    assert_eq!(path_of(&(1, Refuses(0))), "[1]");
    assert_eq!(path_of(&BTreeMap::from([("a", Refuses(0))])), ".a");
    assert_eq!(
        path_of(&BTreeMap::from([("a \"b", Refuses(0))])),
        r#"["a \"b"]"#
    );
    assert_eq!(path_of(&BTreeMap::from([(7, Refuses(0))])), "[0]");
    assert_eq!(path_of(&vec![Some(Some(Refuses(0)))]), "[0][0]");
    assert_eq!(path_of(&Shape::Pair(0, Refuses(0))), ".Pair[1]");
    assert_eq!(path_of(&Shape::Named { price: Refuses(0) }), ".Named.price");
    assert_eq!(path_of(&Shape::New(Refuses(0))), ".New");
    let error = step_input(&(Shape::Named { price: Refuses(0) },)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot encode the value at `.args[0].Named.price`: no price yet for 0",
    );
    assert_eq!(error.code(), "PAYLOAD_ENCODE_REFUSED");
    assert_eq!(
        error.kind(),
        &EncodeErrorKind::Message("no price yet for 0".to_owned())
    );
}

#[test]
fn a_mismatch_names_the_place() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the failure to read them matters")]
    struct Item {
        price: u8,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the failure to read them matters")]
    enum Order {
        Of { items: Vec<Item> },
    }
    let input = devl(r#"[{"args":1},[2],{"Of":3},{"items":4},[5],{"price":6},"free"]"#);
    let error = step_args::<(Order,)>(&input).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot decode the value at `.args[0].Of.items[0].price`: invalid type: string \"free\", \
         expected u8",
    );
    let text = r#"[["Map",1],[2],[3,4],{"k":4},"v"]"#;
    let error = read::<BTreeMap<BTreeMap<String, String>, u8>>(text).unwrap_err();
    assert_eq!(error.path(), "[0]");
    let error = read::<BTreeMap<String, u8>>(r#"[["Map",1],[2],[3,3],"k"]"#).unwrap_err();
    assert_eq!(error.path(), ".k");
    let error = read::<Option<Option<u8>>>(r#"[[1],"x"]"#).unwrap_err();
    assert_eq!(error.path(), "[0]");
}

#[test]
fn other_codecs_are_named() {
    for (bytes, code, message) in [
        (
            &b""[..],
            "PAYLOAD_DECODE_NO_CODEC",
            "the payload has no codec tag",
        ),
        (
            b"dev",
            "PAYLOAD_DECODE_NO_CODEC",
            "the payload has no codec tag",
        ),
        (
            b"encr....",
            "PAYLOAD_DECODE_UNSUPPORTED_CODEC",
            "this build cannot read payloads of codec `encr`",
        ),
        (
            b"gzip....",
            "PAYLOAD_DECODE_UNSUPPORTED_CODEC",
            "this build cannot read payloads of codec `gzip`",
        ),
        (
            b"zstd",
            "PAYLOAD_DECODE_UNSUPPORTED_CODEC",
            "this build cannot read payloads of codec `zstd`",
        ),
        (
            b"json[1]",
            "PAYLOAD_DECODE_UNKNOWN_CODEC",
            "codec `json` is unknown",
        ),
        (
            b"\xff`\x00\n",
            "PAYLOAD_DECODE_UNKNOWN_CODEC",
            "codec `\\xff`\\x00\\n` is unknown",
        ),
    ] {
        let error = decode::<u8>(&Payload::from_bytes(bytes)).unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(error.kind().to_string(), message);
    }
    let error = decode::<u8>(&Payload::from_bytes(*b"abcd")).unwrap_err();
    let Some(codec) = Payload::from_bytes(*b"abcd").codec() else {
        panic!("there is a tag")
    };
    assert_eq!(error.kind(), &DecodeErrorKind::UnknownCodec { codec });
    assert_ne!(codec, Codec::DEVALUE);
}

#[test]
fn custom_types_need_a_name_of_their_own() {
    #[derive(Serialize)]
    #[serde(rename = "$devl:null")]
    struct Null(u8);
    let error = encode(&Null(0)).unwrap_err();
    assert_eq!(error.code(), "PAYLOAD_ENCODE_RESERVED_NAME");
    assert_eq!(error.kind().to_string(), "`null` cannot name a custom type");
}

/// Writes something else where a part fails.
struct Swallows;

impl Serialize for Swallows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let pair = BTreeMap::from([(1, Refuses(0))]);
        if list.serialize_element(&pair).is_err() {
            list.serialize_element("instead")?;
        }
        list.end()
    }
}

#[test]
fn a_failure_that_is_swallowed_fails_all_the_same() {
    let error = encode(&Swallows).unwrap_err();
    assert_eq!(error.code(), "PAYLOAD_ENCODE_REFUSED");
}

/// Breaks the contract of maps in the given way.
struct Unpaired(u8);

impl Serialize for Unpaired {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            0 => map.serialize_value("v")?,
            1 => {
                map.serialize_key("a")?;
                map.serialize_key("b")?;
            }
            _ => map.serialize_key("a")?,
        }
        map.end()
    }
}

#[test]
fn a_key_without_its_value_is_refused() {
    for way in 0..3 {
        let message = "the keys and the values of a map do not alternate".to_owned();
        let expected = EncodeError::from(EncodeErrorKind::Message(message));
        assert_eq!(encode(&Unpaired(way)), Err(expected));
    }
}
