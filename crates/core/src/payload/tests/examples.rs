//! The rows of the reference: text that the SDK was seen to write, byte for byte, and read again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::super::{Arguments, Date, Undefined, decode, encode, is_null, step_args, step_input};
use super::{devl, read, text_of};

/// Both ways: the value is written as the text, and the text is read as the value.
fn is_written<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, text: &str) {
    assert_eq!(text_of(value), text);
    assert_eq!(read::<T>(text).as_ref(), Ok(value), "{text}");
}

/// One way: the text is read as the value.
fn is_read<T: DeserializeOwned + PartialEq + Debug>(text: &str, value: &T) {
    assert_eq!(read::<T>(text).as_ref(), Ok(value), "{text}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct B {
    b: u8,
}

#[test]
fn primitives() {
    is_written(&[42], "[[1],42]");
    is_written(&42, "[42]");
    is_written(&"hi".to_owned(), r#"["hi"]"#);
    is_written(&true, "[true]");
    is_written(&false, "[false]");
    is_written(&(), "[null]");
    is_written(&'é', r#"["é"]"#);
    is_written(&-7_i8, "[-7]");
}

#[test]
fn constants() {
    is_written(&Undefined, "-1");
    is_written(&[Undefined], "[[-1]]");
    is_written(&f64::INFINITY, "-4");
    is_written(&[f64::NEG_INFINITY], "[[-5]]");
    assert_eq!(text_of(&f32::NAN), "-3");
    assert!(read::<f64>("-3").unwrap().is_nan());
    assert_eq!(text_of(&[0.0, -0.0, 0.0]), "[[1,-6,1],0]");
    assert!(read::<f64>("-6").unwrap().is_sign_negative());
    is_read("[[-2,1],1]", &[None, Some(1)]);
}

#[test]
fn composites() {
    is_written(&BTreeMap::<String, u8>::new(), "[{}]");
    is_written(&Vec::<u8>::new(), "[[]]");
    is_written(&("a".to_owned(), B { b: 1 }), r#"[[1,2],"a",{"b":3},1]"#);
    is_written(&vec!["a".to_owned(), "a".to_owned()], r#"[[1,1],"a"]"#);
    is_read(
        r#"[["null","a",1],1]"#,
        &BTreeMap::from([("a".to_owned(), 1)]),
    );
    is_read(
        r#"[[1],["null","a",2],1]"#,
        &[BTreeMap::from([("a".to_owned(), 1)])],
    );
    is_read(r#"[[1,1],{"b":2},1]"#, &[B { b: 1 }, B { b: 1 }]);
}

#[test]
fn equal_primitives_are_written_once() {
    let value = (1, 1.0, "1", true, true, None::<u8>, (), "1");
    assert_eq!(text_of(&value), r#"[[1,1,2,3,3,4,4,2],1,"1",true,null]"#);
    assert_eq!(
        text_of(&[u64::MAX, u64::MAX]),
        r#"[[1,1],["BigInt",2],"18446744073709551615"]"#
    );
    let value = (u64::MAX, "18446744073709551615");
    assert_eq!(
        text_of(&value),
        r#"[[1,2],["BigInt",2],"18446744073709551615"]"#
    );
}

#[test]
fn dates() {
    let date: Date = "2025-11-16T08:31:36.123Z".parse().unwrap();
    is_written(&[date], r#"[[1],["Date",2],"2025-11-16T08:31:36.123Z"]"#);
    is_read(
        r#"[[1],["Date",2],"2025-11-16T08:31:36.123Z"]"#,
        &["2025-11-16T08:31:36.123Z".to_owned()],
    );
    let error = read::<[Date; 1]>(r#"[[1],["Date",2],"."]"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot decode the value at `[0]`: `.` is no date"
    );
}

#[test]
fn integers_that_are_no_numbers() {
    is_read(r#"[[1],["BigInt",2],"123"]"#, &[123_u8]);
    is_written(&9_007_199_254_740_991_u64, "[9007199254740991]");
    is_written(&-9_007_199_254_740_991_i64, "[-9007199254740991]");
    is_written(
        &9_007_199_254_740_992_u64,
        r#"[["BigInt",1],"9007199254740992"]"#,
    );
    is_written(&i64::MIN, r#"[["BigInt",1],"-9223372036854775808"]"#);
    is_written(
        &u128::MAX,
        r#"[["BigInt",1],"340282366920938463463374607431768211455"]"#,
    );
    is_written(
        &i128::MIN,
        r#"[["BigInt",1],"-170141183460469231731687303715884105728"]"#,
    );
}

#[test]
fn maps_and_sets() {
    is_read(
        r#"[[1],["Map",2],[3],[4,5],"k",1]"#,
        &[BTreeMap::from([("k".to_owned(), 1)])],
    );
    is_read(r#"[[1],["Set",2],[3,4],1,2]"#, &[BTreeSet::from([1, 2])]);
    is_written(
        &[BTreeMap::from([(7, 1)])],
        r#"[[1],["Map",2],[3],[4,5],7,1]"#,
    );
    is_written(
        &BTreeMap::from([((1, 'a'), vec![2]), ((1, 'b'), vec![])]),
        r#"[["Map",1],[2,8],[3,6],[4,5],1,"a",[7],2,[9,11],[4,10],"b",[]]"#,
    );
    is_written(
        &BTreeMap::from([("__proto__".to_owned(), 1), ("a".to_owned(), 2)]),
        r#"[["Map",1],[2,5],[3,4],"__proto__",1,[6,7],"a",2]"#,
    );
}

#[test]
fn a_map_of_mixed_keys_is_numbered_by_first_visits() {
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    enum Key {
        Any,
        One(u8),
    }
    is_written(
        &(
            BTreeMap::from([(Key::Any, (1, 2)), (Key::One(2), (3, 1))]),
            3,
        ),
        r#"[[1,11],["Map",2],[3,8],[4,5],"Any",[6,7],1,2,[9,10],{"One":7},[11,6],3]"#,
    );
    is_written(&BTreeMap::from([(Key::Any, 1)]), r#"[{"Any":1},1]"#);
}

#[test]
fn custom_types_of_text() {
    is_read(
        r#"[[1],["URL",2],"https://e.com/x?y=1"]"#,
        &["https://e.com/x?y=1".to_owned()],
    );
    is_read(
        r#"[[1],["URLSearchParams",2],"a=1&b=2"]"#,
        &["a=1&b=2".to_owned()],
    );
    is_read(r#"[[1],["URLSearchParams",2],"."]"#, &[String::new()]);
}

#[test]
fn bytes() {
    is_written(
        &[ByteBuf::from([1, 2, 255])],
        r#"[[1],["Uint8Array",2],"AQL/"]"#,
    );
    is_written(&ByteBuf::new(), r#"[["Uint8Array",1],"."]"#);
    is_written(&vec![1_u8, 2, 1], "[[1,2,1],1,2]");
    is_read(r#"[["Uint8Array",1],"AQL/"]"#, &vec![1_u8, 2, 255]);
    is_read(r#"[["Float64Array",1],"AAAAAAAA+D8="]"#, &[1.5]);
    is_read(r#"[["BigInt64Array",1],"//////////8="]"#, &[-1_i64]);
    for name in [
        "ArrayBuffer",
        "Int8Array",
        "Uint8ClampedArray",
        "Int16Array",
        "Uint32Array",
    ] {
        is_read(
            &format!(r#"[["{name}",1],"AQIDBA=="]"#),
            &ByteBuf::from([1, 2, 3, 4]),
        );
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "$devl:Headers")]
struct Headers(Vec<(String, String)>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "$devl:Request")]
struct Request(RequestParts);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct RequestParts {
    method: String,
    url: String,
    headers: Headers,
    body: Option<Body>,
    duplex: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "$devl:ReadableStream")]
struct Body(BodyParts);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BodyParts {
    body_init: ByteBuf,
}

#[test]
fn custom_types_of_our_own_naming() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    is_written(
        &[Headers(vec![header("b", "2"), header("x-a", "1")])],
        r#"[[1],["Headers",2],[3,6],[4,5],"b","2",[7,8],"x-a","1"]"#,
    );
    let mut parts = RequestParts {
        method: "GET".to_owned(),
        url: "https://e.com/p".to_owned(),
        headers: Headers(vec![header("a", "1")]),
        body: None,
        duplex: "half".to_owned(),
    };
    is_written(
        &[Request(parts)],
        concat!(
            r#"[[1],["Request",2],{"method":3,"url":4,"headers":5,"body":10,"duplex":11},"#,
            r#""GET","https://e.com/p",["Headers",6],[7],[8,9],"a","1",null,"half"]"#,
        ),
    );
    parts = RequestParts {
        method: "POST".to_owned(),
        url: String::new(),
        headers: Headers(vec![]),
        body: Some(Body(BodyParts {
            body_init: ByteBuf::from([104, 105]),
        })),
        duplex: "half".to_owned(),
    };
    is_written(
        &Request(parts),
        concat!(
            r#"[["Request",1],{"method":2,"url":3,"headers":4,"body":6,"duplex":10},"POST","","#,
            r#"["Headers",5],[],["ReadableStream",7],{"bodyInit":8},["Uint8Array",9],"aGk=","#,
            r#""half"]"#,
        ),
    );
}

#[test]
fn objects_inside_custom_types_are_read_as_themselves() {
    let map = |entries: &[(&str, &str)]| -> BTreeMap<String, String> {
        entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    is_read(
        r#"[[1],["RegExp",2],{"source":3,"flags":4},"a+","gi"]"#,
        &[map(&[("source", "a+"), ("flags", "gi")])],
    );
    is_read(
        r#"[[1],["Error",2],{"name":3,"message":4,"stack":5},"TypeError","bad","S"]"#,
        &[map(&[
            ("name", "TypeError"),
            ("message", "bad"),
            ("stack", "S"),
        ])],
    );
    is_read(
        r#"[[1],["Class",2],{"classId":3},"class//./m//Point"]"#,
        &[map(&[("classId", "class//./m//Point")])],
    );
    is_read(r#"[["FutureType",1],{"b":2},3]"#, &B { b: 3 });
}

#[test]
fn sparse_arrays() {
    let mut expected = vec![None; 51];
    expected[50] = Some("x".to_owned());
    is_read(r#"[[1],[-7,51,50,2],"x"]"#, &[expected]);
    is_read("[[-7,2]]", &[None::<u8>, None]);
}

#[test]
fn enums() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle(u8),
        Rect(u8, u8),
        Named { side: u8 },
    }
    is_written(&Shape::Point, r#"["Point"]"#);
    is_written(&Shape::Circle(3), r#"[{"Circle":1},3]"#);
    is_written(&Shape::Rect(3, 4), r#"[{"Rect":1},[2,3],3,4]"#);
    is_written(&Shape::Named { side: 3 }, r#"[{"Named":1},{"side":2},3]"#);
    is_read(r#"[{"Point":1},null]"#, &Shape::Point);
    is_read(r#"[{"Point":-1}]"#, &Shape::Point);
}

#[test]
fn inputs_of_steps() {
    let none = step_input(&()).unwrap();
    assert_eq!(
        none,
        devl(r#"[{"args":1,"closureVars":-1,"thisVal":-1},[]]"#)
    );
    assert_eq!(step_args::<()>(&none), Ok(()));
    let one = step_input(&(5,)).unwrap();
    assert_eq!(
        one,
        devl(r#"[{"args":1,"closureVars":-1,"thisVal":-1},[2],5]"#)
    );
    assert_eq!(step_args::<(u8,)>(&one), Ok((5,)));
    let many = step_input(&(1, "b", 3, 4, 5, 6, 7, 8)).unwrap();
    let text = r#"[{"args":1,"closureVars":-1,"thisVal":-1},[2,3,4,5,6,7,8,9],1,"b",3,4,5,6,7,8]"#;
    assert_eq!(many, devl(text));
    let args = (1, "b".to_owned(), 3, 4, 5, 6, 7, 8);
    assert_eq!(
        step_args::<(u8, String, u8, u8, u8, u8, u8, u8)>(&many),
        Ok(args)
    );
    let closed = devl(r#"[{"args":1,"closureVars":3,"thisVal":-1},[2],5,{"x":2}]"#);
    assert_eq!(step_args::<(u8,)>(&closed), Ok((5,)));
}

#[test]
fn inputs_of_runs() {
    assert_eq!(encode(&Arguments(())).unwrap(), devl("[[]]"));
    assert_eq!(decode(&devl("[[]]")), Ok(Arguments(())));
    assert_eq!(
        encode(&(7, "x")).unwrap(),
        encode(&Arguments((7, "x"))).unwrap()
    );
    assert_eq!(
        decode(&devl(r#"[[1,2],7,"x"]"#)),
        Ok(Arguments((7, "x".to_owned())))
    );
}

#[test]
fn only_null_and_undefined_are_null() {
    for text in ["-1", "[null]", " [ null ]", "[null,1]"] {
        assert!(is_null(&devl(text)), "{text}");
    }
    for text in [
        "[0]",
        "-3",
        "[-1]",
        "[[]]",
        "[false]",
        r#"["null"]"#,
        "[[1],null]",
        "",
        "null",
    ] {
        assert!(!is_null(&devl(text)), "{text}");
    }
    assert!(!is_null(&super::Payload::from_bytes(*b"zstd[null]")));
}
