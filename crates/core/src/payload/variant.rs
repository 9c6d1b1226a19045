//! An enum variant that has content: `{"Variant": …}`. A variant without content is a string and
//! needs nothing from here.

use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize as _, DeserializeSeed, Deserializer as _, EnumAccess, IntoDeserializer,
    VariantAccess, Visitor,
};

use super::cursor::Cursor;
use super::deserializer::Reader;
use super::error::DecodeError;

/// The name of a variant and the place of its content.
#[derive(Debug)]
pub(super) struct VariantReader<'t, 'f> {
    variant: &'t str,
    content: Reader<'t, 'f>,
}

impl<'t, 'f> VariantReader<'t, 'f> {
    pub(super) fn new(variant: &'t str, content: Cursor<'t, 'f>) -> Self {
        Self {
            variant,
            content: Reader::new(content),
        }
    }
}

impl<'t> EnumAccess<'t> for VariantReader<'t, '_> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'t>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), DecodeError> {
        let name: StrDeserializer<'_, DecodeError> = self.variant.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'t> VariantAccess<'t> for VariantReader<'t, '_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        <()>::deserialize(self.content)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(
        self,
        seed: S,
    ) -> Result<S::Value, DecodeError> {
        seed.deserialize(self.content)
    }

    fn tuple_variant<V: Visitor<'t>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.content.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'t>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.content.deserialize_any(visitor)
    }
}
