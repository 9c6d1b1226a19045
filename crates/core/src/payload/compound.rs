//! Sequences, maps and structs while serde hands over their parts. Knows positions and keys for the
//! path of an error, not what the parts are.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};

use super::error::EncodeError;
use super::graph::{Open, Part};
use super::serializer::{Place, Writer};

/// An open composite, with the object around it if it is the content of an enum variant.
#[derive(Debug)]
pub(super) struct Compound<'w> {
    writer: &'w mut Writer,
    open: Open,
    variant: Option<(Open, &'static str)>,
    /// How many elements or entries are complete.
    count: usize,
    /// The key that waits for its value, for the path of an error.
    key: Option<Part>,
}

impl<'w> Compound<'w> {
    pub(super) fn new(writer: &'w mut Writer, open: Open) -> Self {
        Self {
            writer,
            open,
            variant: None,
            count: 0,
            key: None,
        }
    }

    pub(super) fn of_variant(
        writer: &'w mut Writer,
        open: Open,
        outer: Open,
        variant: &'static str,
    ) -> Self {
        Self {
            writer,
            open,
            variant: Some((outer, variant)),
            count: 0,
            key: None,
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let slot = self
            .writer
            .value(value, Place::Plain)
            .map_err(|error| self.under_variant(error.under_index(self.count)))?;
        self.writer.graph.push(Part::Value(slot));
        self.count += 1;
        Ok(())
    }

    pub(super) fn field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        let part = self.writer.graph.key(key);
        self.writer.graph.push(part);
        let slot = self
            .writer
            .value(value, Place::Plain)
            .map_err(|error| self.under_variant(error.under_key(key)))?;
        self.writer.graph.push(Part::Value(slot));
        Ok(())
    }

    fn map_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        if self.key.is_some() {
            return Err(unpaired());
        }
        let part = self
            .writer
            .part(key, Place::Key)
            .map_err(|error| error.under_index(self.count))?;
        self.writer.graph.push(part.clone());
        self.key = Some(part);
        Ok(())
    }

    fn map_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let key = self.key.take().ok_or_else(unpaired)?;
        let slot = self.writer.value(value, Place::Plain).map_err(|error| {
            match self.writer.graph.key_name(&key) {
                Some(name) => error.under_key(&name),
                None => error.under_index(self.count),
            }
        })?;
        self.writer.graph.push(Part::Value(slot));
        self.count += 1;
        Ok(())
    }

    fn under_variant(&self, error: EncodeError) -> EncodeError {
        match self.variant {
            Some((_, variant)) => error.under_key(variant),
            None => error,
        }
    }

    fn end_array(self) -> Result<Part, EncodeError> {
        let inner = self.writer.graph.close_array(&self.open);
        self.end(Part::Value(inner))
    }

    pub(super) fn end_map(self) -> Result<Part, EncodeError> {
        if self.key.is_some() {
            return Err(unpaired());
        }
        let inner = self.writer.graph.close_map(&self.open)?;
        self.end(Part::Value(inner))
    }

    fn end(self, inner: Part) -> Result<Part, EncodeError> {
        self.writer.leave();
        let Some((outer, _)) = self.variant else {
            return Ok(inner);
        };
        self.writer.graph.push(inner);
        self.writer.leave();
        Ok(Part::Value(self.writer.graph.close_map(&outer)?))
    }
}

fn unpaired() -> EncodeError {
    EncodeError::custom("the keys and the values of a map do not alternate")
}

/// The traits of serde that differ only in the name of their one method.
macro_rules! serialize_elements {
    ($($trait:ident::$method:ident;)*) => {$(
        impl $trait for Compound<'_> {
            type Ok = Part;
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                self.element(value)
            }

            fn end(self) -> Result<Part, EncodeError> {
                self.end_array()
            }
        }
    )*};
}

serialize_elements! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

/// The two traits of serde for values with named fields.
macro_rules! serialize_fields {
    ($($trait:ident;)*) => {$(
        impl $trait for Compound<'_> {
            type Ok = Part;
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), EncodeError> {
                self.field(key, value)
            }

            fn end(self) -> Result<Part, EncodeError> {
                self.end_map()
            }
        }
    )*};
}

serialize_fields! {
    SerializeStruct;
    SerializeStructVariant;
}

impl SerializeMap for Compound<'_> {
    type Ok = Part;
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.map_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.map_value(value)
    }

    fn end(self) -> Result<Part, EncodeError> {
        self.end_map()
    }
}
