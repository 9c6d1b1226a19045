//! What one seed decides about the world, before anything happens in it.

use serde::{Deserialize, Serialize};

use crate::prng::{Prng, Stream};
use crate::program::Taste;

/// The settings of one simulation. Chances are in 10,000.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// How many steps a task or a request may have to wait for its turn; none where everything goes in
    /// order.
    pub(crate) spread: u64,
    /// So many steps with faults.
    pub(crate) turmoil: u64,
    /// Chance of each write that its process ends with it.
    pub(crate) crash: u64,
    /// Chance of each write that its outcome stays unknown.
    pub(crate) unknown: u64,
    /// Chance of each write that it is refused, and a quarter of it of each read.
    pub(crate) refused: u64,
    /// Chance of each write that it is carried out twice.
    pub(crate) twice: u64,
    /// Chance of each step that a process is shut down.
    pub(crate) shutdown: u64,
    /// Chance of each step that another process starts beside the one at work.
    pub(crate) overlap: u64,
    /// Chance of each step that a clock jumps: the store's, or a process's.
    pub(crate) jump: u64,
    /// Chance of each step that a process hears of a run for nothing, again, or late.
    pub(crate) notice: u64,
    /// Chance of each step that a process takes up a run on which another one works.
    pub(crate) steal: u64,
    /// Chance of each step that a run's memory is wanted.
    pub(crate) evict: u64,
    /// Chance of each step that a task is polled for nothing.
    pub(crate) spurious: u64,
    /// Whether some processes have changed code.
    pub(crate) changed: bool,
    /// How far clocks may be off, in milliseconds.
    pub(crate) skew: u64,
    /// How late a timer may fire, in milliseconds.
    pub(crate) late: u64,
    /// So many things are done from outside.
    pub(crate) actions: u64,
    /// How programs look.
    pub(crate) taste: Taste,
}

impl Settings {
    /// Nothing goes wrong, and nobody is sent out.
    pub(crate) const fn calm() -> Self {
        Self {
            spread: 0,
            turmoil: 0,
            crash: 0,
            unknown: 0,
            refused: 0,
            twice: 0,
            shutdown: 0,
            overlap: 0,
            jump: 0,
            notice: 0,
            steal: 0,
            evict: 0,
            spurious: 0,
            changed: false,
            skew: 0,
            late: 0,
            actions: 0,
            taste: Taste {
                size: 12,
                panics: false,
                children: false,
            },
        }
    }

    /// The settings of a seed where several nodes share the store: some always work beside each other.
    pub(crate) fn together(seed: u64) -> Self {
        let settings = Self::of(seed);
        Self {
            overlap: settings.overlap.max(20),
            turmoil: 3 * settings.turmoil,
            ..settings
        }
    }

    /// The settings of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut prng = Prng::new(seed, Stream::Settings);
        let level = prng.below(4);
        let mut chance = |most: u64| {
            if level == 0 || prng.chance(4_000) {
                0
            } else {
                prng.below(most * level)
            }
        };
        Self {
            crash: chance(150),
            unknown: chance(250),
            refused: chance(250),
            twice: chance(250),
            shutdown: chance(25),
            overlap: chance(20),
            jump: chance(40),
            notice: chance(100),
            steal: chance(30),
            evict: chance(100),
            spurious: chance(200),
            skew: chance(2) * 10_000,
            late: chance(2) * 20,
            changed: prng.chance(1_500),
            spread: prng.pick(&[1, 4, 16, 64]),
            turmoil: 500 + prng.below(3_000),
            actions: 6 + prng.below(30),
            taste: Taste {
                size: prng.pick(&[3, 6, 12]),
                panics: prng.chance(3_000),
                children: prng.chance(6_000),
            },
        }
    }
}
