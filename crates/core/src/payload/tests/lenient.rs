//! What is accepted where JavaScript's kinds and Rust's do not match, and what is not.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::super::{CUSTOM_PREFIX, Undefined};
use super::{read, text_of, there_and_back};

fn is_refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) {
    let error = read::<T>(text).unwrap_err();
    assert_eq!(error.code(), "PAYLOAD_DECODE_MISMATCH", "{text}: {error}");
}

#[test]
fn integers_read_from_whole_numbers_of_any_spelling() {
    for text in [
        "[12]",
        "[12.0]",
        "[1.2e1]",
        r#"[["BigInt",1],"12"]"#,
        r#"[["BigInt",1],"012"]"#,
    ] {
        assert_eq!(read::<u8>(text), Ok(12), "{text}");
        assert_eq!(read::<i128>(text), Ok(12), "{text}");
        assert_eq!(read::<f32>(text), Ok(12.0), "{text}");
    }
    assert_eq!(read::<u8>("-6"), Ok(0));
    assert_eq!(read::<i64>("[-0]"), Ok(0));
    assert_eq!(
        read::<u128>("[340282366920938425684442744474606501888]"),
        Ok(u128::MAX << 75)
    );
    assert_eq!(read::<i64>("[-9223372036854775808]"), Ok(i64::MIN));
}

#[test]
fn integers_do_not_read_from_what_is_none() {
    is_refused::<u8>("[1.5]");
    is_refused::<u8>("[256]");
    is_refused::<u8>("[-1]");
    is_refused::<u8>("-3");
    is_refused::<u128>("-4");
    is_refused::<u128>("[340282366920938463463374607431768211456]");
    is_refused::<i128>(r#"[["BigInt",1],"-340282366920938463463374607431768211455"]"#);
    is_refused::<i128>(r#"[["BigInt",1],"9999999999999999999999999999999999999999"]"#);
    is_refused::<u8>(r#"["1"]"#);
    is_refused::<u8>("[null]");
}

#[test]
fn maps_read_from_objects_and_from_maps() {
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    enum Unit {
        A,
    }
    let text = r#"[{"7":1},1]"#;
    assert_eq!(read(text), Ok(BTreeMap::from([(7_u8, 1)])));
    assert_eq!(read(text), Ok(BTreeMap::from([(7_i128, 1)])));
    assert_eq!(read(text), Ok(BTreeMap::from([('7', 1)])));
    assert_eq!(read(text), Ok(BTreeMap::from([(Some("7".to_owned()), 1)])));
    assert_eq!(read(r#"[{"true":1},1]"#), Ok(BTreeMap::from([(true, 1)])));
    assert_eq!(read(r#"[{"A":1},1]"#), Ok(BTreeMap::from([(Unit::A, 1)])));
    assert_eq!(
        read(r#"[["Map",1],[2],[3,4],"A",1]"#),
        Ok(BTreeMap::from([(Unit::A, 1)]))
    );
    assert_eq!(
        read(r#"[["Map",1],[2],[3,4],"A",1]"#),
        Ok(vec![("A".to_owned(), 1)])
    );
    is_refused::<BTreeMap<u8, u8>>(r#"[{"x":1},1]"#);
    is_refused::<BTreeMap<u8, u8>>("[[]]");
}

#[test]
fn structs_read_from_every_kind_of_object() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct P {
        x: u8,
    }
    for text in [
        r#"[{"x":1},5]"#,
        r#"[{"y":1,"x":1},5]"#,
        r#"[["null","x",1],5]"#,
        r#"[["Map",1],[2],[3,4],"x",5]"#,
        r#"[["Instance",1],{"x":2},5]"#,
    ] {
        assert_eq!(read::<P>(text), Ok(P { x: 5 }), "{text}");
    }
}

#[test]
fn a_field_of_the_name_that_objects_cannot_have_comes_back() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Strange {
        #[serde(rename = "__proto__")]
        proto: u8,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Stranger {
        #[serde(rename = "__proto__")]
        Proto(u8),
    }
    assert_eq!(
        text_of(&Strange { proto: 1 }),
        r#"[["Map",1],[2],[3,4],"__proto__",1]"#
    );
    assert_eq!(there_and_back(&Strange { proto: 1 }), Strange { proto: 1 });
    assert_eq!(there_and_back(&Stranger::Proto(1)), Stranger::Proto(1));
}

#[test]
fn bytes_read_from_lists_of_numbers() {
    assert_eq!(read("[[1,2],1,255]"), Ok(ByteBuf::from([1, 255])));
    assert_eq!(
        read(r#"[["Int16Array",1],"AQD//w=="]"#),
        Ok(vec![1_i32, -1])
    );
    is_refused::<(u8, u8)>(r#"[["Uint8Array",1],"AQID"]"#);
}

#[test]
fn elements_are_neither_missing_nor_left_over() {
    is_refused::<(u8, u8)>("[[1],1]");
    is_refused::<(u8, u8)>("[[1,1,1],1]");
    is_refused::<[u8; 1]>("[[-7,2,0,1],1]");
}

#[test]
fn a_custom_type_is_asked_for_by_name() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename = "$devl:Tea")]
    struct Tea(Vec<u8>);
    assert!("$devl:Tea".starts_with(CUSTOM_PREFIX));
    assert_eq!(there_and_back(&Some(Tea(vec![]))), Some(Tea(vec![])));
    let error = read::<Tea>(r#"[["Coffee",1],[]]"#).unwrap_err();
    assert_eq!(error.code(), "PAYLOAD_DECODE_WRONG_TYPE");
    let message = "cannot decode the value at the root: expected `Tea`, found `Coffee`";
    assert_eq!(error.to_string(), message);
    let error = read::<(Tea,)>("[[1],[]]").unwrap_err();
    let message =
        "cannot decode the value at `[0]`: expected `Tea`, found a value of no custom type";
    assert_eq!(error.to_string(), message);
}

#[test]
fn units_read_from_nothing_and_from_the_empty_list() {
    for text in ["-1", "-2", "[null]", "[[]]"] {
        assert_eq!(read(text), Ok(()), "{text}");
    }
    is_refused::<()>("[[-1]]");
    is_refused::<Undefined>("[0]");
}
