//! Values of Rust beside the JavaScript expressions that they are: those that the package recorded,
//! and those of our own choice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use rewake_core::payload::{self, Arguments, Date, Payload, Undefined};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::json;

use super::exotic::{
    ErrorParts, JsArrayBuffer, JsBigInt64Array, JsBigUint64Array, JsDate, JsError, JsFloat32Array,
    JsFloat64Array, JsInt8Array, JsInt16Array, JsInt32Array, JsMap, JsRegExp, JsRequest,
    JsResponse, JsSet, JsUint8ClampedArray, JsUint16Array, JsUint32Array, JsUrl, JsUrlSearchParams,
    RegExp, RequestParts, ResponseParts, pairs,
};

/// Says what was read instead of the value, if anything was.
type Reads = Box<dyn Fn(&Payload) -> Result<(), String>>;

/// A value of Rust and the JavaScript that it is.
pub(crate) struct Case {
    /// Of the recording, where there is one.
    pub(crate) name: &'static str,
    /// Across which boundary the package carries it.
    pub(crate) boundary: &'static str,
    /// What ours is to JavaScript, where that is not the recorded expression.
    pub(crate) js: Option<&'static str>,
    /// The value as our codec writes it.
    pub(crate) ours: Payload,
    reads: Reads,
}

impl Case {
    /// Says whether our codec reads the value from these bytes.
    pub(crate) fn check(&self, bytes: &Payload) -> Result<(), String> {
        (self.reads)(bytes)
    }

    /// Ours is this to JavaScript: what was read does not come back as it was.
    fn becomes(self, js: &'static str) -> Self {
        Self {
            js: Some(js),
            ..self
        }
    }

    fn across(self, boundary: &'static str) -> Self {
        Self { boundary, ..self }
    }

    /// Reads as the value, and is written as this one, which holds more of what it was.
    fn written_as<T: Serialize>(self, value: &T) -> Self {
        Self {
            ours: payload::encode(value).unwrap(),
            ..self
        }
    }
}

/// A case. Values are compared by how they are shown, so that `NaN` equals itself and `-0` is not
/// `0`.
fn case<T: Serialize + DeserializeOwned + Debug + 'static>(name: &'static str, value: T) -> Case {
    let ours = payload::encode(&value).unwrap();
    let reads = move |bytes: &Payload| {
        let read: T = payload::decode(bytes).map_err(|error| format!("{name}: {error}"))?;
        let (read, value) = (format!("{read:?}"), format!("{value:?}"));
        if read == value {
            Ok(())
        } else {
            Err(format!("{name}: read {read}, not {value}"))
        }
    };
    Case {
        name,
        boundary: "result",
        js: None,
        ours,
        reads: Box::new(reads),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn s(text: &str) -> String {
    text.to_owned()
}

/// One for each recorded value, but for those that hold themselves.
pub(crate) fn recorded() -> Vec<Case> {
    let mut cases = primitives();
    cases.extend(composites());
    cases.extend(maps_and_sets());
    cases.extend(objects_of_the_platform());
    cases.extend(bytes());
    cases
}

fn primitives() -> Vec<Case> {
    vec![
        case("undefined", Undefined),
        case("null", ()),
        case("true", true),
        case("number", 42_u8),
        case("fraction", 0.1_f64),
        case("minus zero", -0.0_f64),
        case("not a number", f64::NAN),
        case("infinity", f64::INFINITY),
        case("minus infinity", f64::NEG_INFINITY),
        case("largest safe integer", 9_007_199_254_740_991_u64),
        case("beyond the safe integers", 2.0_f64.powi(60)),
        case("largest number", f64::MAX),
        case("smallest number", 5e-324_f64),
        case("exponent", 1e21_f64),
        case("empty text", s("")),
        case("unicode", s("über ☃ 𝄞 \u{2028} \0 \\ \" </script>")),
        case("bigint", 123_456_789_012_345_678_901_234_567_890_i128),
        case("negative bigint", i64::MIN),
        case("date", date("2025-11-16T08:31:36.123Z")),
        case("date before 1970", date("1815-12-10T00:00:00.000Z")),
        case("invalid date", JsDate(s("."))),
    ]
}

#[derive(Debug, Serialize, Deserialize)]
struct Person {
    name: String,
    born: u16,
    tags: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Missing {
    there: u8,
    missing: Undefined,
}

#[derive(Debug, Serialize, Deserialize)]
struct Named {
    name: u8,
}

fn composites() -> Vec<Case> {
    let z = || BTreeMap::from([(s("z"), 2_u8)]);
    let mut sparse = vec![None; 51];
    sparse[50] = Some(s("x"));
    let odd = [("", 1_u8), ("a b", 2), ("ü", 3)].map(|(key, value)| (s(key), value));
    let ada = Person {
        name: s("ada"),
        born: 1815,
        tags: texts(&["first", "programmer"]),
    };
    vec![
        case("list", (1_u8, s("a"), true, (), Undefined)),
        case("empty list", Vec::<u8>::new()),
        case("hole", (Undefined, 1_u8)).becomes("[undefined, 1]"),
        case("sparse list", sparse).becomes("[...Array(50).fill(null), 'x']"),
        case("object", ada),
        case("empty object", BTreeMap::<String, u8>::new()),
        case(
            "object with undefined",
            Missing {
                there: 1,
                missing: Undefined,
            },
        ),
        case("object with odd keys", BTreeMap::from(odd)),
        case("object without prototype", BTreeMap::from([(s("a"), 1_u8)])).becomes("{ a: 1 }"),
        case("nested", json!({"a": {"b": {"c": [[{"d": []}]]}}})),
        case(
            "special numbers inside",
            (
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                -0.0,
                0.0,
                Undefined,
            ),
        ),
        case(
            "equal texts",
            (
                s("same"),
                s("same"),
                BTreeMap::from([(s("key"), s("same"))]),
            ),
        ),
        case(
            "repeated reference",
            (z(), z(), BTreeMap::from([(s("again"), z())])),
        ),
        // The part that holds the whole is passed over.
        case("cycle", Named { name: 1 }).becomes("{ name: 1 }"),
    ]
}

fn maps_and_sets() -> Vec<Case> {
    let id = || BTreeMap::from([(s("id"), 1_u8)]);
    let epoch = Date::from_ms(0).unwrap();
    vec![
        case("map", JsMap(vec![(s("k"), 1_u8), (s("l"), 2)])),
        case("empty map", JsMap(Vec::<(u8, u8)>::new())),
        case(
            "map with keys of any type",
            JsMap(((1_u8, s("n")), (true, s("b")), ((), s("x")))),
        ),
        case("map with keys that are objects", JsMap([(id(), [id()])])),
        case("set", JsSet((1_u8, s("a"), ()))),
        case("empty set", JsSet(Vec::<u8>::new())),
        case("set of maps", JsSet([JsMap([(s("a"), epoch)])])),
    ]
}

fn objects_of_the_platform() -> Vec<Case> {
    let error = |name: &str, message: &str, stack: &str| {
        JsError(ErrorParts {
            name: s(name),
            message: s(message),
            stack: s(stack),
        })
    };
    let response = ResponseParts {
        kind: s("default"),
        url: s(""),
        status: 204,
        status_text: s(""),
        headers: pairs(&[("x-a", "1")]),
        body: (),
        redirected: false,
    };
    let request = RequestParts {
        method: s("DELETE"),
        url: s("https://example.com/p?q=1"),
        headers: pairs(&[("a", "1")]),
        body: (),
        duplex: s("half"),
    };
    let url = "https://user:pass@example.com:8080/a%20b?x=1&y=%C3%BC#z";
    vec![
        case(
            "regexp",
            JsRegExp(RegExp {
                source: s(r"a+\/b"),
                flags: s("giu"),
            }),
        ),
        case("url", JsUrl(s(url))),
        case("url parameters", JsUrlSearchParams(s("a=1&b=2&a=3"))),
        case("empty url parameters", JsUrlSearchParams(s("."))),
        case("headers", pairs(&[("b", "2"), ("x-a", "1")])),
        case(
            "headers with cookies",
            pairs(&[("set-cookie", "a=1"), ("set-cookie", "b=2")]),
        ),
        case("no headers", pairs(&[])),
        case(
            "error",
            error("Error", "bad", "Error: bad\n    at (recorded)"),
        ),
        case(
            "type error",
            error(
                "TypeError",
                "not a number",
                "TypeError: not a number\n    at (recorded)",
            ),
        ),
        case("response", JsResponse(response)),
        case("request", JsRequest(request)),
    ]
}

fn bytes() -> Vec<Case> {
    let all = |bytes: &[u8]| ByteBuf::from(bytes);
    vec![
        case("array buffer", all(&[1, 2, 255])).written_as(&JsArrayBuffer("AQL/")),
        case("bytes", all(&[1, 2, 255])),
        case("no bytes", all(&[])),
        case("a view of a buffer", all(&[1, 2])),
        case("int8 array", [-128_i8, 127]).written_as(&JsInt8Array("gH8=")),
        case("clamped array", [0_u8, 255]).written_as(&JsUint8ClampedArray("AP8=")),
        case("int16 array", [-32768_i16, 32767]).written_as(&JsInt16Array("AID/fw==")),
        case("uint16 array", [0_u16, 65535]).written_as(&JsUint16Array("AAD//w==")),
        case("int32 array", [i32::MIN, i32::MAX]).written_as(&JsInt32Array("AAAAgP///38=")),
        case("uint32 array", [0_u32, u32::MAX]).written_as(&JsUint32Array("AAAAAP////8=")),
        case("float32 array", [1.5_f32, -0.0, f32::INFINITY])
            .written_as(&JsFloat32Array("AADAPwAAAIAAAIB/")),
        case("float64 array", [0.1_f64, -1e300])
            .written_as(&JsFloat64Array("mpmZmZmZuT+cdQCIPOQ3/g==")),
        case("bigint64 array", [i64::MIN, i64::MAX])
            .written_as(&JsBigInt64Array("AAAAAAAAAID/////////fw==")),
        case("biguint64 array", [0_u64, u64::MAX])
            .written_as(&JsBigUint64Array("AAAAAAAAAAD//////////w==")),
    ]
}

#[derive(Debug, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
    Rect { width: u8, height: u8 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Message {
    Opened { by: String },
}

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    item: String,
    note: Option<String>,
    total: u64,
    tags: BTreeSet<String>,
    at: Date,
}

/// What Rust programs pass and JavaScript never would: how it looks there.
pub(crate) fn of_our_own() -> Vec<Case> {
    let order = Order {
        item: s("tea"),
        note: None,
        total: u64::MAX,
        tags: BTreeSet::from([s("a"), s("b")]),
        at: date("2025-11-16T08:31:36.123Z"),
    };
    let order_js = "{ item: 'tea', note: null, total: 18446744073709551615n, tags: ['a', 'b'], \
        at: new Date('2025-11-16T08:31:36.123Z') }";
    let deep = (0..40).fold(json!(1), |inner, _| json!({ "in": [inner] }));
    let deep_js =
        "(() => { let v = 1; for (let i = 0; i < 40; i += 1) v = { in: [v] }; return v; })()";
    let shapes = [
        Shape::Point,
        Shape::Circle(0.5),
        Shape::Rect {
            width: 1,
            height: 2,
        },
    ];
    vec![
        case("a struct", order).becomes(order_js),
        case("variants", shapes)
            .becomes("['Point', { Circle: 0.5 }, { Rect: { width: 1, height: 2 } }]"),
        case("a tagged variant", Message::Opened { by: s("ada") })
            .becomes("{ kind: 'opened', by: 'ada' }"),
        case("options", [Some(1_u8), None]).becomes("[1, null]"),
        case("options in options", [Some(Some(1_u8)), Some(None), None]).becomes("[[1], [], null]"),
        case("a character", 'é').becomes("'é'"),
        case("an integer beyond 2^53", 9_007_199_254_740_992_u64).becomes("9007199254740992n"),
        case("integers of 128 bits", [i128::MIN, i128::MAX])
            .becomes("[-(2n ** 127n), 2n ** 127n - 1n]"),
        case(
            "integer keys",
            BTreeMap::from([(7_u8, s("a")), (9, s("b"))]),
        )
        .becomes("new Map([[7, 'a'], [9, 'b']])"),
        case(
            "the key __proto__",
            BTreeMap::from([(s("__proto__"), 1_u8)]),
        )
        .becomes("new Map([['__proto__', 1]])"),
        case(
            "keys like integers",
            BTreeMap::from([(s("10"), 1_u8), (s("9"), 2)]),
        )
        .becomes("{ 9: 2, 10: 1 }"),
        case(
            "a JSON value",
            json!({"a": [1, -2, 0.5, null, true, "x", {}, []]}),
        )
        .becomes("{ a: [1, -2, 0.5, null, true, 'x', {}, []] }"),
        case("deep", deep).becomes(deep_js),
        case("numbers", [0.1_f64 + 0.2, 1e-7, 1e300, -1.5, 123_456_789.0])
            .becomes("[0.1 + 0.2, 1e-7, 1e300, -1.5, 123456789]"),
        case("a single-precision number", 0.1_f32).becomes("Math.fround(0.1)"),
        case("zeros of both signs", [0.0_f64, -0.0, 0.0]).becomes("[0, -0, 0]"),
        case("long text", "ab𝄞".repeat(5_000)).becomes("'ab𝄞'.repeat(5000)"),
        case("many bytes", ByteBuf::from(vec![7_u8; 70_000]))
            .becomes("new Uint8Array(70000).fill(7)"),
        case("arguments of a run", Arguments((7_u8, s("x"))))
            .becomes("[7, 'x']")
            .across("run input"),
        case("no arguments", Arguments(()))
            .becomes("[]")
            .across("run input"),
        step_input(),
    ]
}

/// What a step is called with, which the package wraps.
fn step_input() -> Case {
    let input = payload::step_input(&(5_u8, "x")).unwrap();
    let reads = |bytes: &Payload| match payload::step_args::<(u8, String)>(bytes) {
        Ok((5, text)) if text == "x" => Ok(()),
        other => Err(format!("arguments of a step: read {other:?}")),
    };
    Case {
        name: "arguments of a step",
        boundary: "step input",
        js: Some("{ args: [5, 'x'], closureVars: undefined, thisVal: undefined }"),
        ours: input,
        reads: Box::new(reads),
    }
}
