//! The randomness of a simulation: splitmix64, so that a seed means the same for ever.
//!
//! No other source of randomness may reach a simulation. What is drawn for a place (the third request
//! of the second process, say) depends on the seed and that place alone: where something is cut out
//! of a simulation, the rest goes on as it was.

/// A stream of numbers that a seed decides.
#[derive(Clone, Debug)]
pub(crate) struct Prng {
    state: u64,
}

/// What a stream is for. Streams for different things have nothing to do with each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Settings = 1,
    Acts = 3,
    Evictions = 4,
    Step = 5,
    Request = 6,
    Survival = 7,
    Pace = 8,
    Lateness = 9,
    Last = 10,
    Entropy = 11,
    Outsider = 12,
    Delivery = 13,
    Ending = 14,
    News = 15,
    Freeze = 16,
}

impl Prng {
    /// The stream of a seed.
    pub(crate) const fn new(seed: u64, stream: Stream) -> Self {
        Self::at(seed, stream, (0, 0))
    }

    /// The stream of one place.
    pub(crate) const fn at(seed: u64, stream: Stream, (place, nth): (u64, u64)) -> Self {
        let state = seed
            ^ (stream as u64).wrapping_mul(0xA076_1D64_78BD_642F)
            ^ place.wrapping_mul(0xE703_7ED1_A0B4_28DB)
            ^ nth.wrapping_mul(0x8EBC_6AF0_9C88_C6E3);
        let mut prng = Self { state };
        // Neighbouring places begin far apart.
        prng.state = prng.next();
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
