//! Payloads shown as JSON and in `Debug`, and carried in CBOR.

use serde_json::{Value, json, to_value};

use super::super::{Payload, encode};
use super::devl;

#[test]
fn every_kind_of_value_has_its_json() {
    for (text, expected) in [
        ("-1", json!(null)),
        (
            "[[-3,-4,-5,-6,-2]]",
            json!(["NaN", "Infinity", "-Infinity", -0.0, null]),
        ),
        ("[[1,2,3],1,-2.5,1e300]", json!([1, -2.5, 1e300])),
        (r#"[["BigInt",1],"123"]"#, json!("123")),
        (r#"[["Uint8Array",1],"AQL/"]"#, json!("AQL/")),
        (r#"[["Uint16Array",1],"."]"#, json!("")),
        (r#"[["Map",1],[2],[3,4],"k",1]"#, json!({"k": 1})),
        (
            r#"[["Map",1],[2,5],[3,4],"k",1,[4,4]]"#,
            json!([["k", 1], [1, 1]]),
        ),
        (r#"[["Set",1],[2],true]"#, json!([true])),
        (
            r#"[["Date",1],"2025-11-16T08:31:36.123Z"]"#,
            json!("2025-11-16T08:31:36.123Z"),
        ),
        (r#"[["RegExp",1],{"source":2},"a"]"#, json!({"source": "a"})),
        (r#"[["null","a",1],"b"]"#, json!({"a": "b"})),
        ("[[-7,3,1,1],5]", json!([null, 5, null])),
    ] {
        assert_eq!(to_value(devl(text)).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_shown_is_named_in_its_place() {
    let shown = |payload: Payload| match to_value(payload).unwrap() {
        Value::String(text) => text,
        other => other.to_string(),
    };
    assert_eq!(
        shown(devl(r#"[{"self":0}]"#)),
        r#"{"self":"[cannot be shown: it holds itself]"}"#
    );
    assert_eq!(
        shown(Payload::from_bytes(*b"encr123")),
        "[cannot be shown: this build cannot read payloads of codec `encr`]",
    );
    assert!(shown(devl("[")).starts_with("[cannot be shown: the text is malformed"));
    assert_eq!(
        shown(devl(r#"[{"a":1},["Map",2],[3],[2]]"#)),
        r#"{"a":"[cannot be shown: the text is malformed: a `Map` holds something else than pairs]"}"#,
    );
}

#[test]
fn debug_shows_a_shortened_text() {
    let short = encode(&"tea").unwrap();
    assert_eq!(format!("{short:?}"), r#"Payload(devl[\"tea\"])"#);
    let long = encode(&"x".repeat(200)).unwrap();
    let expected = format!(r#"Payload(devl[\"{}… 128 bytes more)"#, "x".repeat(74));
    assert_eq!(format!("{long:?}"), expected);
    let binary = Payload::from_bytes(*b"encr\xff\n");
    assert_eq!(format!("{binary:?}"), "Payload(encr\u{fffd}\\n)");
}

#[test]
fn cbor_carries_the_bytes() {
    let payload = encode(&[42]).unwrap();
    let cbor = minicbor::to_vec(&payload).unwrap();
    assert_eq!(cbor, [&[0x4C][..], payload.as_bytes()].concat());
    assert_eq!(minicbor::decode::<Payload>(&cbor).unwrap(), payload);
    assert_eq!((payload.len(), payload.is_empty()), (12, false));
}
