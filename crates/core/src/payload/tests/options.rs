//! Options inside options, units inside options, and what of that does not come back.

#![expect(
    clippy::option_option,
    reason = "that they can be told apart is what is tested"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::Undefined;
use super::{read, text_of, there_and_back};

#[test]
fn an_option_inside_an_option_is_an_array() {
    type Nested = Option<Option<Option<u8>>>;
    for (value, text) in [
        (None, "[null]"),
        (Some(None), "[[]]"),
        (Some(Some(None)), "[[1],[]]"),
        (Some(Some(Some(7))), "[[1],[2],7]"),
    ] as [(Nested, &str); 4]
    {
        assert_eq!(text_of(&value), text);
        assert_eq!(read::<Nested>(text), Ok(value));
    }
}

#[test]
fn an_option_behind_a_newtype_or_a_box_is_inside_all_the_same() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(Box<Option<u8>>);
    for value in [
        None,
        Some(Wrapped(Box::new(None))),
        Some(Wrapped(Box::new(Some(1)))),
    ] {
        assert_eq!(there_and_back(&value), value);
    }
}

#[test]
fn an_option_of_a_list_is_no_option_inside_an_option() {
    for value in [None, Some(vec![]), Some(vec![None]), Some(vec![Some(1)])] {
        assert_eq!(there_and_back(&value), value);
    }
    assert_eq!(text_of(&Some(vec![None, Some(1)])), "[[1,2],null,1]");
}

#[test]
fn units_inside_options_come_back() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Marker;
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(());
    for value in [None, Some(None), Some(Some(()))] {
        assert_eq!(there_and_back(&value), value);
    }
    assert_eq!(text_of(&Some(())), "[[]]");
    assert_eq!(there_and_back(&Some(Marker)), Some(Marker));
    assert_eq!(there_and_back(&Some(Wrapped(()))), Some(Wrapped(())));
}

#[test]
fn fields_that_are_missing_null_or_undefined_are_none() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        note: Option<u8>,
    }
    for text in [
        "[{}]",
        r#"[{"note":1},null]"#,
        r#"[{"note":-1}]"#,
        r#"[{"note":-2}]"#,
    ] {
        assert_eq!(read::<Item>(text), Ok(Item { note: None }), "{text}");
    }
}

#[test]
fn something_else_than_an_array_is_no_option_inside_an_option() {
    let error = read::<Option<Option<u8>>>("[5]").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot decode the value at the root: invalid type: a number, expected an option inside an \
         option, which is an array of at most one value",
    );
    assert_eq!(
        read::<Option<Option<u8>>>("[[1,1],5]").unwrap_err().code(),
        error.code()
    );
}

#[test]
fn undefined_reads_from_null_and_undefined_only() {
    assert_eq!(read("-1"), Ok(Undefined));
    assert_eq!(read("[null]"), Ok(Undefined));
    assert_eq!(
        read::<Undefined>("[0]").unwrap_err().code(),
        "PAYLOAD_DECODE_MISMATCH"
    );
}

// From here on: what does not come back, as the module's page lists it.

#[test]
fn exception_a_json_null_inside_some_comes_back_as_none() {
    assert_eq!(text_of(&Some(Value::Null)), "[null]");
    assert_eq!(there_and_back(&Some(Value::Null)), None);
    assert_eq!(there_and_back(&Some(json!([]))), Some(json!([])));
}

#[test]
fn exception_undefined_inside_some_comes_back_as_none() {
    assert_eq!(text_of(&Some(Undefined)), "-1");
    assert_eq!(there_and_back(&Some(Undefined)), None);
}

#[test]
fn exception_a_boxed_unit_inside_some_comes_back_as_none() {
    assert_eq!(there_and_back(&Some(Box::new(()))), None);
}

#[test]
fn exception_a_unit_variant_of_an_untagged_enum_inside_some_comes_back_as_none() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Loose {
        Nothing,
        Number(u8),
    }
    assert_eq!(there_and_back(&Loose::Nothing), Loose::Nothing);
    assert_eq!(
        there_and_back(&Some(Loose::Number(1))),
        Some(Loose::Number(1))
    );
    assert_eq!(there_and_back(&Some(Loose::Nothing)), None);
}

#[test]
fn exception_options_inside_options_do_not_pass_through_flatten() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        value: Option<Option<u8>>,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
    }
    let value = Outer {
        inner: Inner {
            value: Some(Some(1)),
        },
    };
    let text = text_of(&value);
    assert_eq!(text, r#"[{"value":1},[2],1]"#);
    assert_eq!(
        read::<Outer>(&text).unwrap_err().code(),
        "PAYLOAD_DECODE_MISMATCH"
    );
    let none = Outer {
        inner: Inner { value: None },
    };
    assert_eq!(there_and_back(&none), none);
}

#[test]
fn options_as_keys_make_a_map() {
    let map = BTreeMap::from([(None, 1), (Some("a".to_owned()), 2)]);
    assert_eq!(
        text_of(&map),
        r#"[["Map",1],[2,5],[3,4],null,1,[6,7],"a",2]"#
    );
    assert_eq!(there_and_back(&map), map);
}
