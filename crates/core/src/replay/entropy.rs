//! Deterministic randomness: what `random()` and `uuid()` of a workflow draw from.
//!
//! Block *n* is SHA-256 over the run's seed and *n*. The seed is 128 bits of the operating system's
//! entropy in the run's first event, so the stream cannot be guessed from the run's id, and every
//! replay draws the same. This module must not draw anything itself.

use sha2::{Digest, Sha256};

const BLOCK: usize = 32;

/// A stream of bytes that a seed determines.
#[derive(Clone, Debug)]
pub struct Entropy {
    seed: [u8; 16],
    blocks: u64,
    buffer: [u8; BLOCK],
    used: usize,
}

impl Entropy {
    /// The stream of `seed`, at its beginning.
    pub const fn new(seed: [u8; 16]) -> Self {
        Self {
            seed,
            blocks: 0,
            buffer: [0; BLOCK],
            used: BLOCK,
        }
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte();
        }
        bytes
    }

    fn byte(&mut self) -> u8 {
        if self.used == BLOCK {
            let digest = Sha256::new()
                .chain_update(self.seed)
                .chain_update(self.blocks.to_be_bytes())
                .finalize();
            self.buffer.copy_from_slice(&digest);
            self.blocks += 1;
            self.used = 0;
        }
        self.used += 1;
        self.buffer[self.used - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_alone_determines_the_stream() {
        let (mut a, mut b) = (Entropy::new([7; 16]), Entropy::new([7; 16]));
        let first: [u8; 40] = a.bytes();
        assert_eq!(first, b.bytes::<40>());
        assert_ne!(first, a.bytes::<40>());
        assert_ne!(first, Entropy::new([8; 16]).bytes::<40>());
    }

    #[test]
    fn how_much_is_drawn_at_once_does_not_matter() {
        let (mut a, mut b) = (Entropy::new([1; 16]), Entropy::new([1; 16]));
        let whole: [u8; 48] = a.bytes();
        let (left, right): ([u8; 5], [u8; 43]) = (b.bytes(), b.bytes());
        assert_eq!(whole[..5], left);
        assert_eq!(whole[5..], right);
    }
}
