//! Every recorded payload, read by our codec.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rewake_core::payload::{self, Payload};
use serde_json::Value;

use super::{fixtures, read_json, values};

/// The recorded values that hold themselves: refused where the target follows them.
const CYCLES: [&str; 2] = ["cycle", "cycle through a list"];

/// The recorded values: name, expression and bytes.
pub(crate) fn recorded() -> BTreeMap<String, (String, Payload)> {
    let file = read_json(&fixtures().join("payloads.json"));
    let entry = |entry: &Value| {
        let field = |name: &str| entry[name].as_str().unwrap().to_owned();
        let payload = Payload::from_bytes(field("text").into_bytes());
        (field("name"), (field("js"), payload))
    };
    file["payloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(entry)
        .collect()
}

#[test]
fn each_recorded_value_is_read_as_what_it_is() {
    let recorded = recorded();
    let mut unread: BTreeSet<_> = recorded.keys().map(String::as_str).collect();
    let mut wrong = Vec::new();
    for case in values::recorded() {
        assert!(unread.remove(case.name), "`{}` was not recorded", case.name);
        wrong.extend(case.check(&recorded[case.name].1).err());
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(
        unread.into_iter().collect::<Vec<_>>(),
        ["cycle through a list"]
    );
}

#[test]
fn each_recorded_value_can_be_shown() {
    for (name, (_, bytes)) in recorded() {
        let shown = serde_json::to_string(&bytes).unwrap();
        let cut = shown.contains("cannot be shown");
        assert_eq!(cut, CYCLES.contains(&&*name), "{name}: {shown}");
    }
}

#[test]
fn values_that_hold_themselves_are_refused_where_they_are_followed() {
    let recorded = recorded();
    for name in CYCLES {
        let error = payload::decode::<Value>(&recorded[name].1).unwrap_err();
        assert_eq!(error.code(), "PAYLOAD_DECODE_CYCLIC", "{name}: {error}");
    }
}

#[test]
fn each_payload_of_a_recorded_log_can_be_shown() {
    let mut shown = 0;
    for file in fs::read_dir(fixtures().join("logs")).unwrap() {
        let path = file.unwrap().path();
        for bytes in payloads_in(&read_json(&path)) {
            let text = serde_json::to_string(&Payload::from_bytes(bytes)).unwrap();
            assert!(
                !text.contains("cannot be shown"),
                "{}: {text}",
                path.display()
            );
            shown += 1;
        }
    }
    assert!(shown > 300, "only {shown} payloads were found");
}

/// All bytes in a recording, wherever they stand.
fn payloads_in(json: &Value) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    match json {
        Value::Object(fields) => match (fields.get("__type"), fields.get("data")) {
            (Some(_), Some(Value::String(data))) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(data);
                vec![bytes.unwrap()]
            }
            _ => fields.values().flat_map(payloads_in).collect(),
        },
        Value::Array(items) => items.iter().flat_map(payloads_in).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
