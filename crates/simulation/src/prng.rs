//! The randomness of a simulation: splitmix64, so that a seed means the same for ever.
//!
//! No other source of randomness may reach a simulation.

/// A stream of numbers that a seed decides.
#[derive(Clone, Debug)]
pub(crate) struct Prng {
    state: u64,
}

impl Prng {
    /// The stream of a seed. Streams with another `label` have nothing to do with each other.
    pub(crate) const fn new(seed: u64, label: u64) -> Self {
        let mut prng = Self {
            state: seed ^ label.wrapping_mul(0xA076_1D64_78BD_642F),
        };
        prng.next();
        prng
    }

    /// The next 64 bits.
    pub(crate) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not zero.
    pub(crate) const fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// An index into something with `len` entries.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or_default()
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())]
    }

    /// True `n` times in 10,000.
    pub(crate) const fn chance(&mut self, n: u64) -> bool {
        self.below(10_000) < n
    }
}
