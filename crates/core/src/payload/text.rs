//! The spelling of primitives: JSON strings with the escapes devalue writes, and numbers as
//! JavaScript prints them. Knows nothing of tables and indices.

use std::io::Write as _;

/// Appends `value` as a quoted string.
///
/// Beyond JSON's own escapes, `<` and the two line separators are escaped, because devalue does so
/// and equal values are to give equal text.
pub(super) fn push_string(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let bytes = value.as_bytes();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = bytes[at..]
        .iter()
        .position(|byte| SPECIAL[usize::from(*byte)])
    {
        let place = at + found;
        at = place + 1;
        let Some(length) = special_length(&bytes[place..]) else {
            continue;
        };
        out.extend_from_slice(&bytes[copied..place]);
        push_escape(out, &bytes[place..place + length]);
        at = place + length;
        copied = at;
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// The bytes that a character begins with which may have to be escaped. Text is mostly made of others,
/// and one look at a table passes each of them over.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut control = 0;
    while control < 0x20 {
        special[control] = true;
        control += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special[b'<' as usize] = true;
    special[0xE2] = true;
    special
};

/// How many bytes the character at the front takes if it must be escaped.
fn special_length(rest: &[u8]) -> Option<usize> {
    match rest {
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => Some(3),
        [0xE2, ..] => None,
        _ => Some(1),
    }
}

fn push_escape(out: &mut Vec<u8>, character: &[u8]) {
    let escape: &[u8] = match character {
        b"\"" => b"\\\"",
        b"\\" => b"\\\\",
        b"\n" => b"\\n",
        b"\r" => b"\\r",
        b"\t" => b"\\t",
        b"\x08" => b"\\b",
        b"\x0C" => b"\\f",
        b"<" => b"\\u003C",
        [0xE2, 0x80, 0xA8] => b"\\u2028",
        [0xE2, 0x80, 0xA9] => b"\\u2029",
        control => {
            for byte in control {
                push_display(out, format_args!("\\u{byte:04x}"));
            }
            return;
        }
    };
    out.extend_from_slice(escape);
}

/// Appends a finite number other than negative zero as JavaScript prints it: the fewest digits that
/// read back as the same number, with an exponent from `1e21` up and below `1e-6`.
pub(super) fn push_number(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        push_display(out, format_args!("{value}"));
        return;
    }
    let start = out.len();
    push_display(out, format_args!("{value:e}"));
    if size >= 1.0 {
        let exponent = out[start..].iter().position(|&byte| byte == b'e');
        if let Some(at) = exponent {
            out.insert(start + at + 1, b'+');
        }
    }
}

/// Appends anything that can be displayed.
pub(super) fn push_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("a Vec takes all that is written to it");
}
