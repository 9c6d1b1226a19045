//! What one seed decides about the world, before anything happens in it.

use crate::prng::Prng;
use crate::program::Taste;

/// The settings of one simulation. Chances are in 10,000.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// What is ready is polled in order, and not as the seed decides.
    pub(crate) in_order: bool,
    /// So many steps with faults.
    pub(crate) turmoil: u64,
    /// Chance of each write that its process ends with it.
    pub(crate) crash: u64,
    /// Chance of each write that its outcome stays unknown.
    pub(crate) unknown: u64,
    /// Chance of each write that it is refused, and half of it of each read.
    pub(crate) refused: u64,
    /// Chance of each step that a process is shut down.
    pub(crate) shutdown: u64,
    /// Chance of each step that another process starts beside the one at work.
    pub(crate) overlap: u64,
    /// Chance of each step that the store's clock jumps.
    pub(crate) jump: u64,
    /// How far clocks may be off, in milliseconds.
    pub(crate) skew: u64,
    /// So many things are done from outside.
    pub(crate) actions: u64,
    /// How programs look.
    pub(crate) taste: Taste,
}

impl Settings {
    /// Nothing goes wrong, and nobody is sent out.
    pub(crate) const fn calm() -> Self {
        Self {
            in_order: true,
            turmoil: 0,
            crash: 0,
            unknown: 0,
            refused: 0,
            shutdown: 0,
            overlap: 0,
            jump: 0,
            skew: 0,
            actions: 0,
            taste: Taste {
                size: 12,
                panics: false,
            },
        }
    }

    /// The settings of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut prng = Prng::new(seed, 1);
        let level = prng.below(4);
        let mut chance = |most: u64| {
            if level == 0 || prng.chance(4_000) {
                0
            } else {
                prng.below(most * level)
            }
        };
        Self {
            in_order: false,
            crash: chance(150),
            unknown: chance(250),
            refused: chance(250),
            shutdown: chance(25),
            overlap: chance(20),
            jump: chance(40),
            skew: chance(2) * 10_000,
            turmoil: 500 + prng.below(3_000),
            actions: 6 + prng.below(30),
            taste: Taste {
                size: prng.pick(&[3, 6, 12]),
                panics: prng.chance(3_000),
            },
        }
    }
}
