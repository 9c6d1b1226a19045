//! The payload as everyone else sees it: bytes with a codec tag in front. Must not know how any
//! codec writes its values.

use std::fmt;
use std::sync::Arc;

use minicbor::decode::Error as CborDecodeError;
use minicbor::encode::{Error as CborEncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// How much of a payload `Debug` shows, in bytes.
const SHOWN_BYTES: usize = 80;

/// The four bytes in front of a payload that say how the rest is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Codec([u8; 4]);

impl Codec {
    /// `devl`: UTF-8 text of the devalue format. The only codec this build writes and reads.
    pub const DEVALUE: Self = Self(*b"devl");
    /// `encr`: an encrypted payload.
    pub const ENCRYPTED: Self = Self(*b"encr");
    /// `gzip`: a payload compressed with gzip.
    pub const GZIP: Self = Self(*b"gzip");
    /// `zstd`: a payload compressed with Zstandard.
    pub const ZSTD: Self = Self(*b"zstd");

    /// The tag itself.
    pub fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codec({self})")
    }
}

/// An encoded value: opaque bytes that start with a [`Codec`] tag. Clones share the bytes.
///
/// # Examples
///
/// ```
/// use rewake_core::payload::{self, Codec};
///
/// let order = payload::encode(&("tea", 2))?;
/// assert_eq!(order.codec(), Some(Codec::DEVALUE));
/// assert_eq!(order.as_bytes(), br#"devl[[1,2],"tea",2]"#);
/// assert_eq!(payload::decode::<(String, u8)>(&order)?, ("tea".to_owned(), 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload(Arc<[u8]>);

impl Payload {
    /// Takes bytes as they are. Nothing is checked before the payload is decoded.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, tag included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are, tag included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all. No codec writes such a payload.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag, unless the payload is shorter than one.
    pub fn codec(&self) -> Option<Codec> {
        self.0.first_chunk().copied().map(Codec)
    }

    /// What follows the tag.
    pub(super) fn text(&self) -> &[u8] {
        self.0.get(4..).unwrap_or_default()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..SHOWN_BYTES).unwrap_or(&self.0);
        write!(
            f,
            "Payload({}",
            String::from_utf8_lossy(shown).escape_debug()
        )?;
        match self.len() - shown.len() {
            0 => f.write_str(")"),
            more => write!(f, "… {more} bytes more)"),
        }
    }
}

impl<C> Encode<C> for Payload {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _context: &mut C,
    ) -> Result<(), CborEncodeError<W::Error>> {
        encoder.bytes(self.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Payload {
    fn decode(decoder: &mut Decoder<'b>, _context: &mut C) -> Result<Self, CborDecodeError> {
        decoder.bytes().map(Self::from_bytes)
    }
}
