//! How many rows there are of each kind.

use std::fmt;

use super::row::RowKind;

/// How many rows there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [u64; RowKind::ALL.len()],
}

impl Tally {
    /// How many there are of a kind.
    pub const fn of(&self, kind: RowKind) -> u64 {
        self.counts[kind as usize]
    }

    /// Adds rows of a kind.
    pub const fn add(&mut self, kind: RowKind, rows: u64) {
        self.counts[kind as usize] += rows;
    }

    /// How many there are together.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Each kind, with how many there are of it.
    pub fn iter(&self) -> impl Iterator<Item = (RowKind, u64)> + '_ {
        RowKind::ALL.into_iter().map(|kind| (kind, self.of(kind)))
    }
}

impl FromIterator<(RowKind, u64)> for Tally {
    fn from_iter<I: IntoIterator<Item = (RowKind, u64)>>(counts: I) -> Self {
        let mut tally = Self::default();
        for (kind, rows) in counts {
            tally.add(kind, rows);
        }
        tally
    }
}

/// What there is, such as `2 runs, 3 frames`; `nothing` where there is nothing.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (kind, rows) in self.iter().filter(|(_, rows)| *rows > 0) {
            write!(f, "{between}{rows} {}", kind.name().replace('_', " "))?;
            between = ", ";
        }
        if between.is_empty() {
            f.write_str("nothing")?;
        }
        Ok(())
    }
}
