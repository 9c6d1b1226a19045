//! Payloads: opaque bytes with a codec tag. (Stands in until the codec is merged.)

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};
use std::sync::Arc;

/// Bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payload(Arc<[u8]>);
impl Payload {
    /// From bytes.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }
    /// Bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// Length.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
impl<C> Encode<C> for Payload {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}
impl<'b, C> Decode<'b, C> for Payload {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Ok(Self(d.bytes()?.into()))
    }
}
