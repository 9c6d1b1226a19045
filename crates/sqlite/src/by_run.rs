//! Maps and sets by the ids of runs.
//!
//! The writer looks into them several times for each request, and an id is mostly entropy already. Where
//! an application lets outsiders choose ids, those who choose them to collide slow down look-ups of
//! their own, and of no more of them than are remembered.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use rewake_store::core::id::RunId;

pub(crate) type ByRun = BuildHasherDefault<IdHasher>;

pub(crate) type RunSet = HashSet<RunId, ByRun>;

/// Odd, and without a pattern: the golden ratio's digits.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Multiplies and turns, eight bytes at a time.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let last = rest
            .iter()
            .fold(0, |last, byte| (last << 8) | u64::from(*byte));
        self.write_u64(last);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }

    fn write_usize(&mut self, length: usize) {
        self.write_u64(length as u64);
    }

    /// A map looks at the first bits and at the last; those in the middle of a product are mixed best.
    fn finish(&self) -> u64 {
        self.0.rotate_left(29)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use rewake_store::core::time::Timestamp;

    use super::*;

    /// Ids as they are minted in one millisecond, first ones and later ones, and ids that differ in a
    /// letter alone.
    #[test]
    fn ids_are_spread() {
        let minted = |n: u64| {
            let entropy = u128::from(n.wrapping_mul(FACTOR)) << 16;
            RunId::mint(Timestamp::from_millis(1_763_280_000_000), entropy)
        };
        let last = RunId::mint(Timestamp::from_millis(1_763_280_000_000), u128::MAX >> 50);
        let after = |n: u64| last.beyond((n.wrapping_mul(FACTOR) >> 16) | (n << 48));
        let counted = |n: u64| RunId::mint(Timestamp::from_millis(n / 10), u128::from(n % 10));
        let build = ByRun::default();
        for ids in [&minted as &dyn Fn(u64) -> RunId, &after, &counted] {
            let hashes: Vec<_> = (0..4_096).map(|n| build.hash_one(ids(n))).collect();
            for bits in [0, 52] {
                let places: HashSet<_> = hashes.iter().map(|hash| (hash >> bits) & 0xFFF).collect();
                // By chance, 2,589 of as many places are taken.
                assert!(places.len() > 2_300, "{} at bit {bits}", places.len());
            }
        }
    }
}
