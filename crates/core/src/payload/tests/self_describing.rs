//! Targets that ask the payload what it holds: JSON values, untagged and tagged enums, flatten.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::Date;
use super::{read, text_of, there_and_back};

#[test]
fn json_values_come_back() {
    let value = json!({
        "list": [1, -2, 0.5, "x", null, true, [], {}],
        "big": u64::MAX,
        "small": i64::MIN,
    });
    assert_eq!(there_and_back(&value), value);
}

#[test]
fn custom_types_become_json_by_what_they_hold() {
    for (text, expected) in [
        (
            r#"[["Date",1],"2025-11-16T08:31:36.123Z"]"#,
            json!("2025-11-16T08:31:36.123Z"),
        ),
        (r#"[["Set",1],[2,2],7]"#, json!([7, 7])),
        (r#"[["Map",1],[2],[3,4],"k",1]"#, json!({"k": 1})),
        (
            r#"[["RegExp",1],{"source":2,"flags":3},"a","g"]"#,
            json!({"source": "a", "flags": "g"}),
        ),
        (r#"[["Headers",1],[2],[3,4],"b","2"]"#, json!([["b", "2"]])),
        (r#"[["URL",1],"https://e.com"]"#, json!("https://e.com")),
        (
            r#"[["TypeError",1],{"message":2},"bad"]"#,
            json!({"message": "bad"}),
        ),
        (
            r#"[["ReadableStream",1],{"bodyInit":2},"x"]"#,
            json!({"bodyInit": "x"}),
        ),
        (r#"[["Unheard",1],["Of",2],5]"#, json!(5)),
        (r#"[["BigInt",1],"-12"]"#, json!(-12)),
        (
            r#"[["BigInt",1],"999999999999999999999999999999999999999999"]"#,
            json!("999999999999999999999999999999999999999999"),
        ),
        ("[[-2,-1,-3,-4]]", json!([null, null, null, null])),
        ("[[-7,3,1,1],5]", json!([null, 5, null])),
        ("[-1.5]", json!(-1.5)),
        ("[1e3]", json!(1000)),
    ] {
        assert_eq!(read::<Value>(text), Ok(expected), "{text}");
    }
}

#[test]
fn an_untagged_enum_finds_its_variant() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Any {
        Small(i64),
        Float(f64),
        Text(String),
        Point { x: u8, y: u8 },
        Many(Vec<Self>),
    }
    let value = Any::Many(vec![
        Any::Small(-1),
        Any::Small(i64::MIN),
        Any::Float(0.5),
        Any::Float(f64::INFINITY),
        Any::Text("x".to_owned()),
        Any::Point { x: 1, y: 2 },
        Any::Many(vec![]),
    ]);
    assert_eq!(there_and_back(&value), value);
}

#[test]
fn tagged_enums_and_flattened_structs_come_back() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Event {
        Opened { at: Date, tags: Vec<String> },
        Closed,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Pair(u8, i64),
        Empty,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Entry {
        id: u64,
        #[serde(flatten)]
        event: Event,
        adjacent: Vec<Adjacent>,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Open {
        id: u64,
        #[serde(flatten)]
        rest: BTreeMap<String, f32>,
    }
    let open = Open {
        id: 1,
        rest: BTreeMap::from([("a".to_owned(), 0.1), ("b".to_owned(), 1.0)]),
    };
    assert_eq!(there_and_back(&open), open);
    let entry = |event| Entry {
        id: u64::MAX,
        event,
        adjacent: vec![Adjacent::Pair(1, i64::MIN), Adjacent::Empty],
    };
    let at = Date::from_ms(5).unwrap();
    for event in [
        Event::Opened {
            at,
            tags: vec!["x".to_owned()],
        },
        Event::Closed,
    ] {
        let value = entry(event);
        assert_eq!(there_and_back(&value), value);
    }
}

// From here on: what does not come back, as the module's page lists it.

#[test]
fn exception_whole_floats_become_integers_in_json_values() {
    assert_eq!(there_and_back(&json!(1.0)), json!(1));
    assert_eq!(there_and_back(&json!(-0.0)), json!(-0.0));
}

#[test]
fn exception_bytes_and_keys_that_are_no_strings_have_no_json_value() {
    for text in [r#"[["Uint8Array",1],"AQ=="]"#, r#"[["Map",1],[2],[3,3],7]"#] {
        assert_eq!(
            read::<Value>(text).unwrap_err().code(),
            "PAYLOAD_DECODE_MISMATCH"
        );
    }
}

#[test]
fn exception_integers_of_128_bits_do_not_pass_through_flatten() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        value: u128,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
    }
    let text = text_of(&Outer {
        inner: Inner { value: 5 },
    });
    assert_eq!(
        read::<Outer>(&text).unwrap_err().code(),
        "PAYLOAD_DECODE_MISMATCH"
    );
}
