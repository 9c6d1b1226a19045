//! Drives serde into the table: which Rust shape becomes which node. Knows the conventions for
//! options, units and custom types, not how the table is spelled.

use serde::ser::{Serialize, Serializer};

use super::compound::Compound;
use super::custom::{ARGUMENTS, CUSTOM_PREFIX, UNDEFINED};
use super::envelope::Payload;
use super::error::{EncodeError, EncodeErrorKind};
use super::graph::{Graph, Open, Part};
use super::limits::MAX_DEPTH;
use super::slot::Slot;
use super::{text, typed};

/// The largest integer that a JavaScript number holds with all its neighbours.
const MAX_SAFE_INTEGER: u128 = (1 << 53) - 1;

/// Encodes a value.
///
/// # Errors
///
/// The value nests deeper than [`MAX_DEPTH`](super::MAX_DEPTH), has too many parts, or its
/// `Serialize` refuses. The error names the place.
///
/// # Examples
///
/// ```
/// use rewake_core::payload;
///
/// let payload = payload::encode(&vec!["a", "b", "a"])?;
/// assert_eq!(payload.as_bytes(), br#"devl[[1,2,1],"a","b"]"#);
/// # Ok::<(), payload::EncodeError>(())
/// ```
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Payload, EncodeError> {
    let mut writer = Writer::default();
    let root = writer.value(value, Place::Plain)?;
    match writer.failure {
        None => Ok(writer.graph.finish(root)),
        Some(failure) => Err(failure),
    }
}

/// The table and how deep in it we are.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) graph: Graph,
    depth: usize,
    /// The last failure. What failed is left half written, so a `Serialize` that goes on regardless
    /// gets no payload.
    failure: Option<EncodeError>,
}

/// Where a value stands, if that changes how it is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Plain,
    /// The key of a map, where strings need no node yet.
    Key,
    /// Directly inside `Some`, where what looks like `None` must not.
    Optional {
        is_zero_sized: bool,
    },
    /// The arguments of a call, where `()` means no arguments.
    Arguments,
}

impl Writer {
    pub(super) fn value<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        place: Place,
    ) -> Result<Slot, EncodeError> {
        let part = self.part(value, place)?;
        Ok(self.graph.slot_of(&part)?)
    }

    pub(super) fn part<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        place: Place,
    ) -> Result<Part, EncodeError> {
        value
            .serialize(ValueSerializer {
                writer: self,
                place,
            })
            .inspect_err(|error| self.failure = Some(error.clone()))
    }

    /// Begins a composite, one level deeper.
    pub(super) fn enter(&mut self) -> Result<Open, EncodeError> {
        if self.depth == MAX_DEPTH {
            return Err(EncodeErrorKind::TooDeep.into());
        }
        self.depth += 1;
        Ok(self.graph.open()?)
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    fn array_of<T: Serialize + ?Sized>(
        &mut self,
        content: Option<(&T, Place)>,
    ) -> Result<Part, EncodeError> {
        let open = self.enter()?;
        if let Some((value, place)) = content {
            let slot = self
                .value(value, place)
                .map_err(|error| error.under_index(0))?;
            self.graph.push(Part::Value(slot));
        }
        self.leave();
        Ok(Part::Value(self.graph.close_array(&open)))
    }

    fn custom<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<Part, EncodeError> {
        if matches!(name, "" | "null") {
            return Err(EncodeErrorKind::ReservedName { name }.into());
        }
        let open = self.enter()?;
        let inner = self.value(value, Place::Plain)?;
        self.leave();
        Ok(Part::Value(self.graph.close_custom(&open, name, inner)))
    }

    fn integer(&mut self, is_negative: bool, magnitude: u128) -> Result<Part, EncodeError> {
        let slot = if magnitude > MAX_SAFE_INTEGER {
            self.graph.bigint(is_negative, magnitude)?
        } else {
            let sign = if is_negative { "-" } else { "" };
            self.graph
                .primitive(|out| text::push_display(out, format_args!("{sign}{magnitude}")))?
        };
        Ok(Part::Value(slot))
    }

    fn primitive(&mut self, spelling: &str) -> Result<Part, EncodeError> {
        let slot = self
            .graph
            .primitive(|out| out.extend_from_slice(spelling.as_bytes()))?;
        Ok(Part::Value(slot))
    }
}

/// Writes one value.
#[derive(Debug)]
struct ValueSerializer<'w> {
    writer: &'w mut Writer,
    place: Place,
}

impl<'w> ValueSerializer<'w> {
    fn compound(self) -> Result<Compound<'w>, EncodeError> {
        let open = self.writer.enter()?;
        Ok(Compound::new(self.writer, open))
    }

    fn variant(self, variant: &'static str) -> Result<Compound<'w>, EncodeError> {
        let outer = self.writer.enter()?;
        let key = self.writer.graph.key(variant);
        self.writer.graph.push(key);
        let open = self
            .writer
            .enter()
            .map_err(|error| error.under_key(variant))?;
        Ok(Compound::of_variant(self.writer, open, outer, variant))
    }
}

/// Forwards the integers to the one function that writes them.
macro_rules! serialize_integers {
    ($($method:ident: $type:ty = $is_negative:expr, $magnitude:expr;)*) => {$(
        fn $method(self, value: $type) -> Result<Part, EncodeError> {
            let is_negative: fn($type) -> bool = $is_negative;
            let magnitude: fn($type) -> u128 = $magnitude;
            self.writer.integer(is_negative(value), magnitude(value))
        }
    )*};
}

impl<'w> Serializer for ValueSerializer<'w> {
    type Ok = Part;
    type Error = EncodeError;
    type SerializeSeq = Compound<'w>;
    type SerializeTuple = Compound<'w>;
    type SerializeTupleStruct = Compound<'w>;
    type SerializeTupleVariant = Compound<'w>;
    type SerializeMap = Compound<'w>;
    type SerializeStruct = Compound<'w>;
    type SerializeStructVariant = Compound<'w>;

    serialize_integers! {
        serialize_i8: i8 = |value| value < 0, |value| value.unsigned_abs().into();
        serialize_i16: i16 = |value| value < 0, |value| value.unsigned_abs().into();
        serialize_i32: i32 = |value| value < 0, |value| value.unsigned_abs().into();
        serialize_i64: i64 = |value| value < 0, |value| value.unsigned_abs().into();
        serialize_i128: i128 = |value| value < 0, i128::unsigned_abs;
        serialize_u8: u8 = |_| false, u128::from;
        serialize_u16: u16 = |_| false, u128::from;
        serialize_u32: u32 = |_| false, u128::from;
        serialize_u64: u64 = |_| false, u128::from;
        serialize_u128: u128 = |_| false, u128::from;
    }

    fn serialize_bool(self, value: bool) -> Result<Part, EncodeError> {
        self.writer.primitive(if value { "true" } else { "false" })
    }

    fn serialize_f32(self, value: f32) -> Result<Part, EncodeError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Part, EncodeError> {
        let slot = match Slot::of_special(value) {
            Some(special) => special,
            None => self
                .writer
                .graph
                .primitive(|out| text::push_number(out, value))?,
        };
        Ok(Part::Value(slot))
    }

    fn serialize_char(self, value: char) -> Result<Part, EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<Part, EncodeError> {
        if matches!(self.place, Place::Key) {
            return Ok(self.writer.graph.key(value));
        }
        let slot = self
            .writer
            .graph
            .primitive(|out| text::push_string(out, value))?;
        Ok(Part::Value(slot))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Part, EncodeError> {
        let graph = &mut self.writer.graph;
        let open = graph.open()?;
        let inner = graph.primitive(|out| typed::push_base64(out, value))?;
        Ok(Part::Value(graph.close_custom(&open, "Uint8Array", inner)))
    }

    fn serialize_none(self) -> Result<Part, EncodeError> {
        match self.place {
            Place::Optional { .. } => self.writer.array_of::<()>(None),
            Place::Plain | Place::Key | Place::Arguments => self.writer.primitive("null"),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Part, EncodeError> {
        let inner = Place::Optional {
            is_zero_sized: size_of_val(value) == 0,
        };
        match self.place {
            Place::Optional { .. } => self.writer.array_of(Some((value, inner))),
            Place::Plain | Place::Key | Place::Arguments => {
                self.writer.value(value, inner).map(Part::Value)
            }
        }
    }

    fn serialize_unit(self) -> Result<Part, EncodeError> {
        match self.place {
            Place::Optional {
                is_zero_sized: true,
            }
            | Place::Arguments => self.writer.array_of::<()>(None),
            Place::Optional {
                is_zero_sized: false,
            }
            | Place::Plain
            | Place::Key => self.writer.primitive("null"),
        }
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Part, EncodeError> {
        if name == UNDEFINED {
            return Ok(Part::Value(Slot::Undefined));
        }
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Part, EncodeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Part, EncodeError> {
        if name == ARGUMENTS {
            return self.writer.value(value, Place::Arguments).map(Part::Value);
        }
        match name.strip_prefix(CUSTOM_PREFIX) {
            Some(custom) => self.writer.custom(custom, value),
            None => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Part, EncodeError> {
        let mut object = self.compound()?;
        object.field(variant, value)?;
        object.end_map()
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Compound<'w>, EncodeError> {
        self.compound()
    }

    fn serialize_tuple(self, _length: usize) -> Result<Compound<'w>, EncodeError> {
        self.compound()
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Compound<'w>, EncodeError> {
        self.compound()
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Compound<'w>, EncodeError> {
        self.variant(variant)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Compound<'w>, EncodeError> {
        self.compound()
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Compound<'w>, EncodeError> {
        self.compound()
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Compound<'w>, EncodeError> {
        self.variant(variant)
    }
}
