//! How a row becomes bytes: a version, a checksum, and CBOR.
//!
//! ```text
//! byte 0      format version, 1
//! bytes 1–4   CRC-32 (IEEE) of everything after them, little endian
//! bytes 5–    the row, CBOR (RFC 8949), arrays by field number
//! ```

use minicbor::{Decode, Encode};

const VERSION: u8 = 1;
const HEADER: usize = 5;
/// What a row takes as a rule, in bytes.
const USUAL: usize = 256;

/// Stored bytes that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Corrupt {
    /// Fewer bytes than every row has.
    #[error("the row is cut short at {len} bytes")]
    Truncated {
        /// How many there are.
        len: usize,
    },
    /// A version that this build does not read.
    #[error("the row has format {found}, this build reads format {VERSION}")]
    Version {
        /// The version found.
        found: u8,
    },
    /// The bytes were changed after they were written.
    #[error("the row's checksum does not fit its content")]
    Checksum,
    /// The checksum fits, the content does not: not written by this software.
    #[error("the row cannot be read: {detail}")]
    Content {
        /// What the decoder says.
        detail: String,
    },
}

/// The stored form of a row.
///
/// # Panics
///
/// Never: writing to memory does not fail.
pub fn encode_row<T: Encode<()>>(row: &T) -> Vec<u8> {
    // Most rows fit: one allocation, where growing from nothing takes five.
    let mut bytes = Vec::with_capacity(USUAL);
    bytes.extend_from_slice(&[VERSION, 0, 0, 0, 0]);
    minicbor::encode(row, &mut bytes).expect("writing to memory does not fail");
    let checksum = crc32fast::hash(&bytes[HEADER..]);
    bytes[1..HEADER].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The row that was stored.
///
/// # Errors
///
/// [`Corrupt`] where the bytes are not what [`encode_row`] wrote.
pub fn decode_row<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, Corrupt> {
    let Some((&[version, a, b, c, d], content)) = bytes.split_first_chunk::<HEADER>() else {
        return Err(Corrupt::Truncated { len: bytes.len() });
    };
    if version != VERSION {
        return Err(Corrupt::Version { found: version });
    }
    if crc32fast::hash(content) != u32::from_le_bytes([a, b, c, d]) {
        return Err(Corrupt::Checksum);
    }
    minicbor::decode(content).map_err(|error| Corrupt::Content {
        detail: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ScopeId;

    #[test]
    fn a_row_comes_back() {
        let bytes = encode_row(&ScopeId(77));
        assert_eq!(decode_row::<ScopeId>(&bytes), Ok(ScopeId(77)));
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let bytes = encode_row(&ScopeId(77));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_row::<ScopeId>(&flipped).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(
                decode_row::<ScopeId>(&bytes[..len]).is_err(),
                "cut at {len}"
            );
        }
    }
}
