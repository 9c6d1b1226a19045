//! Depth and cost: what is written can be read, and nothing past the limits is.

#![expect(
    clippy::option_option,
    reason = "that they can be told apart is what is tested"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{Date, EncodeErrorKind, MAX_DEPTH, encode};
use super::{devl, read, there_and_back};

/// Something that nests as deep as one likes, through every kind of level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Deep {
    End,
    Day(Date),
    Big(u128),
    List(Vec<Self>),
    Map(BTreeMap<u8, Self>),
    Keyed(BTreeMap<Box<Self>, u8>),
    Option(Option<Option<Box<Self>>>),
    Named { inner: Box<Self> },
}

fn nested(mut value: Deep, levels: usize, wrap: impl Fn(Deep) -> Deep) -> Deep {
    for _ in 0..levels {
        value = wrap(value);
    }
    value
}

#[test]
fn whatever_nests_as_deep_as_can_be_written_can_be_read() {
    let wraps: [fn(Deep) -> Deep; 5] = [
        |inner| Deep::List(vec![inner]),
        |inner| Deep::Map(BTreeMap::from([(1, inner)])),
        |inner| Deep::Keyed(BTreeMap::from([(Box::new(inner), 0)])),
        |inner| Deep::Option(Some(Some(Box::new(inner)))),
        |inner| Deep::Named {
            inner: Box::new(inner),
        },
    ];
    // Each wrap is two levels: the variant and what it holds.
    for wrap in wraps {
        for (end, fits) in [
            (Deep::End, 64),
            (Deep::Big(u128::MAX), 63),
            (Deep::Day(Date::from_ms(0).unwrap()), 63),
            (Deep::List(vec![]), 63),
        ] {
            let value = nested(end.clone(), fits, wrap);
            assert_eq!(there_and_back(&value), value);
            let error = encode(&nested(end, fits + 1, wrap)).unwrap_err();
            assert_eq!(error.kind(), &EncodeErrorKind::TooDeep);
        }
    }
}

#[test]
fn reading_stops_at_the_same_depth() {
    let chain = |levels: usize| {
        let links: Vec<_> = (1..levels).map(|next| format!("[{next}]")).collect();
        format!("[{},[]]", links.join(","))
    };
    assert!(read::<Value>(&chain(MAX_DEPTH)).is_ok_and(|value| value.is_array()));
    let error = read::<Value>(&chain(MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(error.code(), "PAYLOAD_DECODE_TOO_DEEP");
    assert_eq!(error.path(), "[0]".repeat(MAX_DEPTH));
}

#[test]
fn a_type_that_holds_itself_is_refused_with_the_path() {
    #[derive(Serialize)]
    struct Node<'n> {
        next: Option<&'n Self>,
    }
    fn grow(node: &Node<'_>, levels: usize) -> String {
        if levels == 0 {
            return encode(node).unwrap_err().path().to_owned();
        }
        grow(&Node { next: Some(node) }, levels - 1)
    }
    assert_eq!(
        grow(&Node { next: None }, MAX_DEPTH),
        ".next".repeat(MAX_DEPTH)
    );
}

#[test]
fn long_strings_are_shared_only_as_far_as_reading_allows() {
    let value = vec!["x".repeat(50_000); 600];
    let payload = encode(&value).unwrap();
    assert!(
        payload.len() > 13_000_000,
        "most copies are written out: {}",
        payload.len()
    );
    assert_eq!(there_and_back(&value), value);
    let few = vec!["x".repeat(100_000); 100];
    assert!(encode(&few).unwrap().len() < 101_000);
    assert_eq!(there_and_back(&few), few);
}

#[test]
fn what_is_small_and_shared_is_read_however_often_it_occurs() {
    let numbers = vec![u128::MAX; 300_000];
    assert_eq!(there_and_back(&numbers), numbers);
    let strings = vec!["y".repeat(64); 300_000];
    assert_eq!(there_and_back(&strings), strings);
    let nothing = vec![None::<u8>; 1_000_000];
    assert_eq!(there_and_back(&nothing), nothing);
}

#[test]
fn sharing_in_an_honest_text_is_read() {
    let links = vec!["1"; 10_000].join(",");
    let text = format!(
        r#"[[{links}],{{"a":2,"b":3}},"{}",[2,2,2,2]]"#,
        "z".repeat(100)
    );
    let value = read::<Vec<Value>>(&text).unwrap();
    assert_eq!(value.len(), 10_000);
    assert_eq!(
        serde_json::to_value(devl(&text)).unwrap(),
        Value::Array(value)
    );
}
