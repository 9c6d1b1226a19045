//! Drives serde out of the table: which node becomes which Rust shape, and what is accepted where
//! the two do not match at first sight. Knows neither text nor limits.

use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::access::{Elements, EntryAccess, PairAccess, SparseSlots, TypedElements};
use super::cursor::{Cursor, Frame, View};
use super::custom::CUSTOM_PREFIX;
use super::envelope::Payload;
use super::error::{DecodeError, DecodeErrorKind};
use super::number;
use super::slot::Slot;
use super::table::Table;
use super::typed;
use super::variant::VariantReader;

/// Decodes a payload.
///
/// # Errors
///
/// The payload is of another codec, its text is malformed or too costly to read, or the type does
/// not accept what it holds. The error names the place.
///
/// # Examples
///
/// ```
/// use rewake_core::payload::{self, Payload};
///
/// let payload = Payload::from_bytes(*br#"devl[{"name":1,"sizes":2},"tea",[3,3],40]"#);
///
/// #[derive(serde::Deserialize)]
/// struct Item {
///     name: String,
///     sizes: Vec<u8>,
///     note: Option<String>,
/// }
///
/// let item: Item = payload::decode(&payload)?;
/// assert_eq!((item.name.as_str(), item.sizes, item.note), ("tea", vec![40, 40], None));
///
/// let error = payload::decode::<Vec<u8>>(&payload).unwrap_err();
/// assert_eq!(error.code(), "PAYLOAD_DECODE_MISMATCH");
/// # Ok::<(), payload::DecodeError>(())
/// ```
pub fn decode<T: DeserializeOwned>(payload: &Payload) -> Result<T, DecodeError> {
    let table = Table::read(payload)?;
    T::deserialize(Reader::new(Cursor::root(&table)))
}

/// Reads the value at one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'t, 'f> {
    cursor: Cursor<'t, 'f>,
    /// Whether this place is directly inside `Some`, where an option is an array.
    is_optional: bool,
}

impl<'t, 'f> Reader<'t, 'f> {
    pub(super) fn new(cursor: Cursor<'t, 'f>) -> Self {
        Self {
            cursor,
            is_optional: false,
        }
    }

    fn optional(cursor: Cursor<'t, 'f>) -> Self {
        Self {
            cursor,
            is_optional: true,
        }
    }

    /// The reader of what a custom type at this place holds.
    fn unwrap<'g>(self, inner: Slot, frame: &'g Frame<'g>) -> Reader<'t, 'g> {
        Reader::new(self.cursor.child(inner, frame))
    }

    fn visit<V: Visitor<'t>>(self, view: View<'t>, visitor: V) -> Result<V::Value, DecodeError> {
        match view {
            View::Nothing => visitor.visit_unit(),
            View::Bool(value) => visitor.visit_bool(value),
            View::Number(value) => number::visit_number(value, visitor),
            View::BigInt(digits) => number::visit_bigint(digits, visitor),
            View::Text(text) => visitor.visit_borrowed_str(text),
            View::Bytes(_, base64) => visitor.visit_byte_buf(typed::bytes_of(base64)?),
            View::Array(slots) => self.visit_slots(slots.iter().copied(), visitor),
            View::Sparse(length, islands) => {
                self.visit_slots(SparseSlots::new(length, islands), visitor)
            }
            View::Object(entries) => {
                visitor.visit_map(EntryAccess::new(self.cursor, self.cursor.frame()?, entries))
            }
            View::Map(pairs) => {
                visitor.visit_map(PairAccess::new(self.cursor, self.cursor.frame()?, pairs))
            }
            View::Custom(inner) => {
                let frame = self.cursor.frame()?;
                self.unwrap(inner, &frame).deserialize_any(visitor)
            }
        }
    }

    fn visit_slots<V: Visitor<'t>>(
        self,
        slots: impl Iterator<Item = Slot>,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let mut elements = Elements::new(self.cursor, self.cursor.frame()?, slots);
        let value = visitor.visit_seq(&mut elements)?;
        elements.finish()?;
        Ok(value)
    }

    fn visit_integer<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.cursor.view()? {
            View::Number(value) => number::visit_integral(value, visitor),
            View::Custom(inner) => {
                let frame = self.cursor.frame()?;
                self.unwrap(inner, &frame).visit_integer(visitor)
            }
            other => self.visit(other, visitor),
        }
    }

    fn visit_float<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.cursor.view()? {
            View::Number(value) => visitor.visit_f64(value),
            View::BigInt(digits) => visitor.visit_f64(number::float_of(digits)?),
            View::Custom(inner) => {
                let frame = self.cursor.frame()?;
                self.unwrap(inner, &frame).visit_float(visitor)
            }
            other => self.visit(other, visitor),
        }
    }

    /// Reads an option that stands directly inside `Some`: an array of the value, or of nothing.
    fn visit_inner_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.cursor.view()? {
            View::Array([]) => visitor.visit_none(),
            View::Array([slot]) => {
                let frame = self.cursor.frame()?;
                visitor
                    .visit_some(Reader::optional(self.cursor.child(*slot, &frame)))
                    .map_err(|error: DecodeError| error.under_index(0))
            }
            other => Err(DecodeError::invalid_type(
                Unexpected::Other(other.describe()),
                &"an option inside an option, which is an array of at most one value",
            )),
        }
    }

    fn visit_custom<V: Visitor<'t>>(
        self,
        expected: &str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.cursor.custom() {
            Some((name, inner)) if name == expected => {
                let frame = self.cursor.frame()?;
                visitor.visit_newtype_struct(self.unwrap(inner, &frame))
            }
            found => Err(DecodeErrorKind::WrongType {
                expected: expected.to_owned(),
                found: match found {
                    Some((name, _)) => format!("`{name}`"),
                    None => "a value of no custom type".to_owned(),
                },
            }
            .into()),
        }
    }
}

/// Forwards the numbers to the function for their kind.
macro_rules! deserialize_numbers {
    ($visit:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.$visit(visitor)
        }
    )*};
}

impl<'t> Deserializer<'t> for Reader<'t, '_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let view = self.cursor.view()?;
        self.visit(view, visitor)
    }

    deserialize_numbers! {
        visit_integer: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
            deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
            deserialize_u128
    }

    deserialize_numbers! { visit_float: deserialize_f32 deserialize_f64 }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_optional {
            self.visit_inner_option(visitor)
        } else if self.cursor.is_nullish() {
            self.cursor.pass()?;
            visitor.visit_none()
        } else {
            visitor.visit_some(Self::optional(self.cursor))
        }
    }

    fn deserialize_unit<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.cursor.view()? {
            View::Array([]) => visitor.visit_unit(),
            other => self.visit(other, visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match name.strip_prefix(CUSTOM_PREFIX) {
            Some(expected) => self.visit_custom(expected, visitor),
            None => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.cursor.view()? {
            View::Bytes(element, base64) => {
                let bytes = typed::bytes_of(base64)?;
                let mut elements = TypedElements::new(element, &bytes);
                let value = visitor.visit_seq(&mut elements)?;
                elements.finish()?;
                Ok(value)
            }
            View::Map(pairs) => self.visit_slots(pairs.iter().copied(), visitor),
            View::Custom(inner) => {
                let frame = self.cursor.frame()?;
                self.unwrap(inner, &frame).deserialize_seq(visitor)
            }
            other => self.visit(other, visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'t>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let (variant, content) = match self.cursor.view()? {
            View::Text(variant) => return visitor.visit_enum(variant.into_deserializer()),
            View::Object([entry]) => (self.cursor.key(entry)?, entry.value),
            View::Map([pair]) => {
                let (key, value) = self.cursor.pair(*pair)?;
                (self.cursor.peek_text(key).unwrap_or_default(), value)
            }
            View::Custom(inner) => {
                let frame = self.cursor.frame()?;
                return self
                    .unwrap(inner, &frame)
                    .deserialize_enum(name, variants, visitor);
            }
            other => {
                let expected = "a string or an object with one key, naming a variant";
                let found = Unexpected::Other(other.describe());
                return Err(DecodeError::invalid_type(found, &expected));
            }
        };
        let frame = self.cursor.frame()?;
        visitor
            .visit_enum(VariantReader::new(
                variant,
                self.cursor.child(content, &frame),
            ))
            .map_err(|error: DecodeError| error.under_key(variant))
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.cursor.pass()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool char str string bytes byte_buf map struct identifier
    }
}
