//! Bytes: the typed arrays of JavaScript, their names, their elements, their base64. Knows nothing
//! of tables.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, IntoDeserializer};

use super::error::{DecodeError, DecodeErrorKind};
use super::text;

/// How an array or string of no bytes is written, where an empty text would look like nothing.
pub(super) const EMPTY: &str = ".";

/// Appends the quoted base64 of `bytes`.
pub(super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.is_empty() {
        return text::push_string(out, EMPTY);
    }
    text::push_string(out, &STANDARD.encode(bytes));
}

/// The bytes that a typed array holds.
pub(super) fn bytes_of(base64: &str) -> Result<Vec<u8>, DecodeErrorKind> {
    if base64 == EMPTY {
        return Ok(Vec::new());
    }
    STANDARD
        .decode(base64)
        .map_err(|error| DecodeErrorKind::malformed(format!("the bytes are no base64: {error}")))
}

/// What one element of a typed array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl Element {
    /// The element of the typed array called `name`, if one is.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "ArrayBuffer" | "Uint8Array" | "Uint8ClampedArray" => Some(Self::U8),
            "Int8Array" => Some(Self::I8),
            "Int16Array" => Some(Self::I16),
            "Uint16Array" => Some(Self::U16),
            "Int32Array" => Some(Self::I32),
            "Uint32Array" => Some(Self::U32),
            "Float32Array" => Some(Self::F32),
            "Float64Array" => Some(Self::F64),
            "BigInt64Array" => Some(Self::I64),
            "BigUint64Array" => Some(Self::U64),
            _ => None,
        }
    }

    /// How many bytes one takes.
    pub(super) fn width(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Reads the element that `bytes` begin with.
    pub(super) fn read<'de, S: DeserializeSeed<'de>>(
        self,
        bytes: &[u8],
        seed: S,
    ) -> Result<S::Value, DecodeError> {
        match self {
            Self::I8 => seed.deserialize(i8::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::U8 => seed.deserialize(u8::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::I16 => seed.deserialize(i16::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::U16 => seed.deserialize(u16::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::I32 => seed.deserialize(i32::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::U32 => seed.deserialize(u32::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::I64 => seed.deserialize(i64::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::U64 => seed.deserialize(u64::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::F32 => seed.deserialize(f32::from_le_bytes(head(bytes)?).into_deserializer()),
            Self::F64 => seed.deserialize(f64::from_le_bytes(head(bytes)?).into_deserializer()),
        }
    }
}

fn head<const N: usize>(bytes: &[u8]) -> Result<[u8; N], DecodeErrorKind> {
    bytes
        .first_chunk()
        .copied()
        .ok_or_else(|| DecodeErrorKind::malformed("the last element of a typed array is cut off"))
}
