//! Arbitrary values come back as they were.

#![expect(
    clippy::option_option,
    reason = "that they can be told apart is what is tested"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::Value;

use super::super::{Date, Undefined, encode};
use super::there_and_back;

/// A float that is equal to itself bit by bit, as long as it is a number.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Float<F>(F);

impl PartialEq for Float<f64> {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits() || self.0.is_nan() && other.0.is_nan()
    }
}

impl PartialEq for Float<f32> {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits() || self.0.is_nan() && other.0.is_nan()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Key {
    Unit,
    New(i16),
    Pair(u8, char),
    Named { text: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Tree {
    Unit,
    Bool(bool),
    Signed(i8, i16, i32, i64, i128),
    Unsigned(u8, u16, u32, u64, u128),
    Floats(Float<f64>, Float<f32>),
    Text(String, char),
    Bytes(ByteBuf, Vec<u8>),
    Options(
        Option<Option<Option<u8>>>,
        Option<()>,
        Option<Option<Unit>>,
        Option<Vec<Option<u8>>>,
    ),
    Days(Vec<Date>, Undefined),
    IntKeys(BTreeMap<i64, Box<Self>>),
    TupleKeys(BTreeMap<(u8, String), Option<Option<Box<Self>>>>),
    EnumKeys(BTreeMap<Key, Self>),
    TextKeys {
        map: BTreeMap<String, Self>,
        chars: BTreeMap<char, bool>,
    },
    List(Vec<Self>),
    Nested((), Unit, (Box<Self>,), [u8; 3]),
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        Just(Key::Unit),
        any::<i16>().prop_map(Key::New),
        any::<(u8, char)>().prop_map(|(number, char)| Key::Pair(number, char)),
        any::<String>().prop_map(|text| Key::Named { text }),
    ]
}

fn text_key() -> impl Strategy<Value = String> {
    prop_oneof![8 => any::<String>(), 1 => Just("__proto__".to_owned())]
}

fn leaf() -> impl Strategy<Value = Tree> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..8);
    let f32s = prop_oneof![any::<u32>().prop_map(f32::from_bits), Just(-0.0), Just(1.0)];
    let f64s = prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        Just(-0.0),
        Just(1e20)
    ];
    let ms = -8_640_000_000_000_000_i64..=8_640_000_000_000_000;
    let days = prop::collection::vec(ms.prop_map(|ms| Date::from_ms(ms).unwrap()), 0..3);
    prop_oneof![
        Just(Tree::Unit),
        any::<bool>().prop_map(Tree::Bool),
        any::<(i8, i16, i32, i64, i128)>().prop_map(|(a, b, c, d, e)| Tree::Signed(a, b, c, d, e)),
        any::<(u8, u16, u32, u64, u128)>()
            .prop_map(|(a, b, c, d, e)| Tree::Unsigned(a, b, c, d, e)),
        (f64s, f32s).prop_map(|(double, single)| Tree::Floats(Float(double), Float(single))),
        any::<(String, char)>().prop_map(|(text, char)| Tree::Text(text, char)),
        (bytes(), bytes()).prop_map(|(a, b)| Tree::Bytes(ByteBuf::from(a), b)),
        (
            any::<Option<Option<Option<u8>>>>(),
            any::<Option<()>>(),
            any::<Option<Option<()>>>()
        )
            .prop_map(|(a, b, c)| Tree::Options(a, b, c.map(|c| c.map(|()| Unit)), None)),
        any::<Option<Vec<Option<u8>>>>().prop_map(|a| Tree::Options(None, None, None, a)),
        days.prop_map(|days| Tree::Days(days, Undefined)),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(4, 24, 4, |tree| {
        let boxed = || tree.clone().prop_map(Box::new);
        let chars = prop::collection::btree_map(any::<char>(), any::<bool>(), 0..3);
        let texts = prop::collection::btree_map(text_key(), tree.clone(), 0..4);
        prop_oneof![
            prop::collection::btree_map(any::<i64>(), boxed(), 0..4).prop_map(Tree::IntKeys),
            prop::collection::btree_map(
                any::<(u8, String)>(),
                prop::option::of(prop::option::of(boxed())),
                0..4,
            )
            .prop_map(Tree::TupleKeys),
            prop::collection::btree_map(key(), tree.clone(), 0..4).prop_map(Tree::EnumKeys),
            (texts, chars).prop_map(|(map, chars)| Tree::TextKeys { map, chars }),
            prop::collection::vec(tree.clone(), 0..4).prop_map(Tree::List),
            (boxed(), any::<[u8; 3]>()).prop_map(|(tree, a)| Tree::Nested((), Unit, (tree,), a)),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_comes_back(value in tree()) {
        prop_assert_eq!(there_and_back(&value), value);
    }

    #[test]
    fn any_text_is_json_and_shows_as_json(value in tree()) {
        let payload = encode(&value).unwrap();
        let text = payload.text();
        prop_assert!(serde_json::from_slice::<Value>(text).is_ok_and(|json| json.is_array()));
        let shown = serde_json::to_string(&payload).unwrap();
        prop_assert!(!shown.contains("cannot be shown"), "{}", shown);
    }

    #[test]
    fn any_date_comes_back(ms in -8_640_000_000_000_000_i64..=8_640_000_000_000_000) {
        let date = Date::from_ms(ms).unwrap();
        prop_assert_eq!(date.to_string().parse(), Ok(date));
        prop_assert_eq!(there_and_back(&date), date);
    }

    #[test]
    fn any_float_comes_back(bits in any::<u64>()) {
        let value = Float(f64::from_bits(bits));
        prop_assert_eq!(there_and_back(&value), value);
    }
}
