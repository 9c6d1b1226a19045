//! How primitives are spelled: as JavaScript does, so that equal values give equal text.

use super::{read, text_of, there_and_back};

#[test]
fn numbers_are_spelled_as_javascript_prints_them() {
    for (value, text) in [
        (0.1, "0.1"),
        (1.5, "1.5"),
        (100.0, "100"),
        (-3.0, "-3"),
        (1e20, "100000000000000000000"),
        (123_456_789_012_345_680_000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (-1e21, "-1e+21"),
        (1_180_591_620_717_411_303_424.0, "1.1805916207174113e+21"),
        (f64::MAX, "1.7976931348623157e+308"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-1.5e-7, "-1.5e-7"),
        (5e-324, "5e-324"),
    ] {
        assert_eq!(text_of(&value), format!("[{text}]"));
        assert_eq!(read::<f64>(&format!("[{text}]")), Ok(value));
    }
}

#[test]
fn single_floats_are_spelled_as_the_double_they_equal() {
    assert_eq!(text_of(&0.1_f32), "[0.10000000149011612]");
    assert_eq!(there_and_back(&0.1_f32).to_bits(), 0.1_f32.to_bits());
    assert_eq!(
        there_and_back(&f32::MIN_POSITIVE).to_bits(),
        f32::MIN_POSITIVE.to_bits()
    );
}

#[test]
fn strings_are_escaped_as_devalue_does() {
    let value = "a<b\u{2028}\u{2029}\u{1f}\u{7f}\\\"\n\r\t\u{8}\u{c}/é\u{1F600}\u{203a}";
    let text =
        "[\"a\\u003Cb\\u2028\\u2029\\u001f\u{7f}\\\\\\\"\\n\\r\\t\\b\\f/é\u{1F600}\u{203a}\"]";
    assert_eq!(text_of(value), text);
    assert_eq!(read::<String>(text).unwrap(), value);
}

#[test]
fn keys_are_escaped_as_strings_are() {
    let map = std::collections::BTreeMap::from([("<\"".to_owned(), 1)]);
    assert_eq!(text_of(&map), r#"[{"\u003C\"":1},1]"#);
    assert_eq!(there_and_back(&map), map);
}
