//! Text that means harm: refused quickly, whatever the target, and never with a panic.

#![expect(
    clippy::option_option,
    reason = "that they can be told apart is what is tested"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_bytes::ByteBuf;
use serde_json::Value;

use super::super::{Date, Payload, Undefined, decode, encode, is_null, step_args};
use super::{devl, read};

fn code_of<T: DeserializeOwned>(text: &str) -> &'static str {
    match read::<T>(text) {
        Ok(_) => "fine",
        Err(error) => error.code(),
    }
}

#[rustfmt::skip]
const MALFORMED: &[&str] = &[
    "[[],[9]]", "", " ", "[", "]", "[]", "{}", "null", "true", "0", "5", "-7", "-8", "-1.5", "1e9", "\"a\"",
    "-1 -1", "[1] x", "[1]]", "[1,]", "[[1]]", "[[2],1]", "[[-8]]", "[[-7]]", "[[-7,-1]]",
    "[[0.5]]", "[[true]]", "[[null]]", "[[[0]]]", "[[{}]]", "[[4294967296]]",
    "[[18446744073709551615]]", "[{\"a\":\"b\"}]", "[{\"a\":[]}]", "[{\"a\":{}}]", "[{\"a\":1}]",
    "[{1:0}]", "[[\"Date\"]]", "[[\"Date\",1]]", "[[\"Date\",1,1],2]", "[[\"Date\",\"x\"]]",
    "[[\"null\",1],2]", "[[\"null\",\"a\"]]", "[[\"null\",\"a\",2],1]", "[[0,\"a\"]]",
    "[[-7,2,2,0]]", "[[-7,2,1,0,0,0]]", "[[-7,2,0]]", "[[-7,2,0,0,0,0]]", "[[\"BigInt\",1],5]",
    "[[\"BigInt\",1],\"\"]", "[[\"BigInt\",1],\"-\"]", "[[\"BigInt\",1],\"0x1\"]",
    "[[\"BigInt\",1],\" 1\"]", "[[\"BigInt\",-1]]", "[[\"Map\",1],{}]", "[[\"Map\",1],[2],{}]",
    "[[\"Map\",1],[2],[0]]", "[[\"Map\",1],[-1]]", "[[\"Uint8Array\",1],\"*\"]",
    "[[\"Uint8Array\",1],\"A\"]", "[[\"Uint8Array\",1],[]]", "[\"\\ud800\"]", "[\"\\x\"]",
    "[\"a\nb\"]", "[1e999]", "[NaN]", "[01]", "\u{feff}[1]",
];

#[test]
fn malformed_text_is_refused() {
    for text in MALFORMED {
        assert_eq!(code_of::<Value>(text), "PAYLOAD_DECODE_MALFORMED", "{text}");
    }
    let deep = format!("[{}{}]", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(code_of::<Value>(&deep), "PAYLOAD_DECODE_MALFORMED");
    let invalid = Payload::from_bytes(*b"devl[\"\xff\"]");
    assert_eq!(
        decode::<String>(&invalid).unwrap_err().code(),
        "PAYLOAD_DECODE_MALFORMED"
    );
    assert_eq!(
        code_of::<Vec<u16>>(r#"[["Uint16Array",1],"AQID"]"#),
        "PAYLOAD_DECODE_MALFORMED"
    );
    assert_eq!(
        code_of::<f64>(r#"[["BigInt",1],"nan"]"#),
        "PAYLOAD_DECODE_MALFORMED"
    );
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only whether it can be read matters")]
struct Chain {
    next: Option<Box<Self>>,
}

#[test]
fn cycles_are_refused_where_they_close() {
    let error = read::<Chain>(r#"[{"next":1},{"next":0}]"#).unwrap_err();
    assert_eq!(
        (error.code(), error.path()),
        ("PAYLOAD_DECODE_CYCLIC", ".next.next")
    );
    for text in [
        "[[0]]",
        r#"[{"a":0}]"#,
        r#"[["null","a",0]]"#,
        r#"[["Unknown",0]]"#,
        r#"[["A",1],["B",0]]"#,
        r#"[["Set",1],[0]]"#,
        r#"[["Map",1],[2],[3,0],"k"]"#,
        r#"[["Map",1],[2],[3,1],"k"]"#,
        "[[-7,3,1,0]]",
    ] {
        assert_eq!(code_of::<Value>(text), "PAYLOAD_DECODE_CYCLIC", "{text}");
    }
    assert_eq!(
        code_of::<BTreeMap<u8, u8>>(r#"[["Unknown",0]]"#),
        "PAYLOAD_DECODE_CYCLIC"
    );
    assert_eq!(code_of::<u8>(r#"[["Unknown",0]]"#), "PAYLOAD_DECODE_CYCLIC");
    assert_eq!(
        code_of::<f64>(r#"[["Unknown",0]]"#),
        "PAYLOAD_DECODE_CYCLIC"
    );
    assert_eq!(
        code_of::<Vec<u8>>(r#"[["Unknown",0]]"#),
        "PAYLOAD_DECODE_CYCLIC"
    );
    assert_eq!(
        code_of::<Option<Option<u8>>>("[[0]]"),
        "PAYLOAD_DECODE_CYCLIC"
    );
}

#[test]
fn a_cycle_in_what_the_target_ignores_does_no_harm() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        name: String,
    }
    let text = r#"[{"self":0,"name":1},"x"]"#;
    assert_eq!(
        read(text),
        Ok(Named {
            name: "x".to_owned()
        })
    );
}

/// Nodes that hold the next one `fan` times each.
fn laughs(levels: usize, fan: usize) -> String {
    let nodes: Vec<_> = (1..levels)
        .map(|next| format!("[{}]", vec![next.to_string(); fan].join(",")))
        .collect();
    format!("[{},\"ha\"]", nodes.join(","))
}

#[test]
fn text_that_unfolds_to_far_more_is_refused() {
    assert_eq!(
        code_of::<Value>(&laughs(100, 2)),
        "PAYLOAD_DECODE_TOO_LARGE"
    );
    assert_eq!(
        code_of::<Value>(&laughs(10, 1_000)),
        "PAYLOAD_DECODE_TOO_LARGE"
    );
    let shown = serde_json::to_string(&devl(&laughs(100, 2))).unwrap();
    assert!(shown.len() < 64_000_000 && shown.contains("it unfolds to far more than its text"));
}

#[test]
fn nothing_is_free_to_visit_however_little_is_made_of_it() {
    let links = |to: usize| vec![to.to_string(); 30_000].join(",");
    let nested = |inner: &str| format!("[[{}],{inner}]", links(1));
    for inner in [
        format!("[{}]", vec!["-1"; 30_000].join(",")),
        format!("[{}],null", links(2)),
        "[-7,30000]".to_owned(),
    ] {
        let text = nested(&inner);
        assert_eq!(
            code_of::<Vec<Vec<IgnoredAny>>>(&text),
            "PAYLOAD_DECODE_TOO_LARGE"
        );
        assert_eq!(code_of::<Vec<Vec<()>>>(&text), "PAYLOAD_DECODE_TOO_LARGE");
        assert_eq!(
            code_of::<Vec<Vec<Option<u8>>>>(&text),
            "PAYLOAD_DECODE_TOO_LARGE"
        );
        assert_eq!(
            code_of::<Vec<Vec<Undefined>>>(&text),
            "PAYLOAD_DECODE_TOO_LARGE"
        );
    }
}

#[test]
fn long_strings_keys_and_bytes_are_paid_for_each_time() {
    let long = "x".repeat(300_000);
    let links = vec!["1"; 30_000].join(",");
    let string = format!(r#"[[{links}],"{long}"]"#);
    let key = format!(r#"[[{links}],{{"{long}":2}},0]"#);
    let map = format!(r#"[[{links}],["Map",2],[3],[4,5],"{long}",0]"#);
    let bytes = format!(r#"[[{links}],["Uint8Array",2],"{long}"]"#);
    assert_eq!(code_of::<Vec<String>>(&string), "PAYLOAD_DECODE_TOO_LARGE");
    assert_eq!(
        code_of::<Vec<BTreeMap<String, u8>>>(&key),
        "PAYLOAD_DECODE_TOO_LARGE"
    );
    assert_eq!(
        code_of::<Vec<BTreeMap<String, u8>>>(&map),
        "PAYLOAD_DECODE_TOO_LARGE"
    );
    assert_eq!(code_of::<Vec<ByteBuf>>(&bytes), "PAYLOAD_DECODE_TOO_LARGE");
    for text in [string, key, map, bytes] {
        let shown = serde_json::to_string(&devl(&text)).unwrap();
        assert!(shown.len() < 64_000_000, "{}", shown.len());
    }
}

#[test]
fn the_claimed_length_of_a_sparse_array_is_bounded() {
    for length in ["1000000000", "4294967295", "18446744073709551615"] {
        let text = format!("[[-7,{length},5,1],0]");
        assert_eq!(
            code_of::<Vec<Option<u8>>>(&text),
            "PAYLOAD_DECODE_TOO_LARGE"
        );
        assert_eq!(
            code_of::<Vec<IgnoredAny>>(&text),
            "PAYLOAD_DECODE_TOO_LARGE"
        );
        assert!(serde_json::to_string(&devl(&text)).is_ok_and(|shown| shown.len() < 100));
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only whether it can be read matters")]
enum Loose {
    Number(i64),
    Bytes(ByteBuf),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only whether it can be read matters")]
enum Tagged {
    Unit,
    One(Option<Option<f32>>),
    Two(u128, char),
    Map { map: BTreeMap<i8, Self>, date: Date },
}

/// Reads a payload as many things; it is enough to come back.
fn read_as_everything(payload: &Payload) {
    fn read_as<T: DeserializeOwned>(payload: &Payload) {
        drop(decode::<T>(payload));
        drop(decode::<Option<T>>(payload));
        drop(decode::<Vec<T>>(payload));
    }
    read_as::<Value>(payload);
    read_as::<Loose>(payload);
    read_as::<Tagged>(payload);
    read_as::<Chain>(payload);
    read_as::<String>(payload);
    read_as::<ByteBuf>(payload);
    read_as::<i128>(payload);
    read_as::<f64>(payload);
    read_as::<Date>(payload);
    read_as::<()>(payload);
    read_as::<BTreeMap<(u8, String), Loose>>(payload);
    drop(step_args::<(Value, u8)>(payload));
    is_null(payload);
    let shown = serde_json::to_string(payload).unwrap();
    assert!(!shown.is_empty() && !format!("{payload:?}").is_empty());
}

/// Text of the right characters, so that much of it gets past the first of them.
fn plausible_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "-1",
        "-2",
        "-3",
        "-4",
        "-5",
        "-6",
        "-7",
        "0",
        "1",
        "2",
        "3",
        "4",
        "\"a\"",
        "\"Map\"",
        "\"Set\"",
        "\"Date\"",
        "\"null\"",
        "\"BigInt\"",
        "\"Uint8Array\"",
        "\"Unit\"",
        "\"One\"",
        "\"next\"",
        "\".\"",
        "\"12\"",
        "null",
        "true",
        "1e400",
        "1.5",
        " ",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

/// A table of random nodes with random links, well formed but for what they mean.
fn random_table() -> impl Strategy<Value = String> {
    let link = || -6_i8..8;
    let links = prop::collection::vec(link(), 0..6);
    let name = prop::sample::select(vec!["Map", "Set", "Date", "BigInt", "Int16Array", "X"]);
    let key = || prop::sample::select(vec!["a", "One", "Map", "next", "map", "7"]);
    let text = prop::sample::select(vec!["Unit", ".", "12", "AQID", "2025-11-16T08:31:36.123Z"]);
    let node = prop_oneof![
        links.prop_map(|links| serde_json::to_string(&links).unwrap()),
        prop::collection::btree_map(key(), link(), 0..3)
            .prop_map(|entries| serde_json::to_string(&entries).unwrap()),
        (name, link()).prop_map(|(name, link)| format!("[\"{name}\",{link}]")),
        (key(), link()).prop_map(|(key, link)| format!("[\"null\",\"{key}\",{link}]")),
        (0_u64..2_000_000, link()).prop_map(|(length, link)| format!("[-7,{length},0,{link}]")),
        text.prop_map(|text| format!("{text:?}")),
        any::<f64>()
            .prop_filter("JSON", |number| number.is_finite())
            .prop_map(|n| n.to_string()),
        Just("null".to_owned()),
    ];
    prop::collection::vec(node, 8).prop_map(|nodes| format!("[{}]", nodes.join(",")))
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        read_as_everything(&Payload::from_bytes(bytes.clone()));
        read_as_everything(&Payload::from_bytes([&b"devl"[..], &bytes].concat()));
    }

    #[test]
    fn plausible_text_does_no_harm(text in plausible_text()) {
        read_as_everything(&devl(&text));
    }

    #[test]
    fn random_tables_do_no_harm(text in random_table()) {
        read_as_everything(&devl(&text));
    }

    #[test]
    fn mutated_text_does_no_harm(
        at in any::<prop::sample::Index>(),
        byte in prop::sample::select(b"[]{},:-0123456789\"a.\\ \xFF".to_vec()),
        is_cut in any::<bool>(),
    ) {
        let value = (
            BTreeMap::from([((1, 'a'), Some(Some(u128::MAX)))]),
            BTreeMap::from([("next", None::<u8>)]),
            ByteBuf::from([1, 2, 3]),
            Date::from_ms(5).unwrap(),
            [f64::NAN, 0.5],
        );
        let mut bytes = encode(&value).unwrap().as_bytes().to_vec();
        let at = at.index(bytes.len());
        if is_cut {
            bytes.remove(at);
        } else {
            bytes[at] = byte;
        }
        read_as_everything(&Payload::from_bytes(bytes));
    }
}
