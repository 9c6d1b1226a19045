//! Numbers that a seed decides.

/// Numbers that a seed decides: xorshift, which is enough to make rows up.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) const fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Less than `sides`.
    pub(super) const fn below(&mut self, sides: u64) -> u64 {
        self.number() % sides
    }

    pub(super) const fn yes(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.number().to_le_bytes()[3])
    }

    pub(super) fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.yes() { Some(make(self)) } else { None }
    }

    pub(super) fn text(&mut self) -> String {
        const LETTERS: [&str; 8] = ["a", "B", "-", "0", " ", "ä", "\u{1f980}", "'"];
        let length = 1 + self.below(12);
        (0..length)
            .map(|_| LETTERS[self.number().to_le_bytes()[2] as usize % LETTERS.len()])
            .collect()
    }
}
