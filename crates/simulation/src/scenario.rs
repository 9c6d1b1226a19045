//! A scenario: everything that a simulation depends on, as data that a seed grows and that shrinking
//! cuts.

use std::fmt;

use rewake_store::{Deliver, Store};
use serde::{Deserialize, Serialize};

use crate::fault::{Fate, Plan};
use crate::outsider::{self, Act};
use crate::settings::Settings;

/// What a test breaks on purpose, to see that it is found: called after each delivery that the store
/// has carried out.
pub(crate) type Sabotage = fn(&dyn Store, &Deliver, Fate);

/// What the processes of a simulation share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Disk {
    /// The store in memory, whose logs are followed and checked at each write.
    #[default]
    Followed,
    /// The store in memory. What is checked is checked from outside, at the end.
    Memory,
    /// The embedded store in memory, likewise.
    Sqlite,
    /// The embedded store in a file, which is opened again after each process.
    File,
    /// The store in memory, followed and checked at each write, shared by nodes.
    Shared,
}

/// Everything that a simulation depends on.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Scenario {
    /// What is drawn along the way is drawn from this, place by place.
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
    /// What is done from outside.
    pub(crate) acts: Vec<Act>,
    /// What goes wrong.
    pub(crate) plan: Plan,
    #[serde(default)]
    pub(crate) disk: Disk,
    #[serde(skip)]
    pub(crate) sabotage: Option<Sabotage>,
}

impl Scenario {
    /// The scenario of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let settings = Settings::of(seed);
        Self {
            acts: outsider::acts(seed, &settings),
            ..Self::bare(seed, settings)
        }
    }

    /// The scenario of a seed in which several nodes share the store.
    pub(crate) fn together(seed: u64) -> Self {
        let settings = Settings::together(seed);
        Self {
            acts: outsider::acts(seed, &settings),
            disk: Disk::Shared,
            ..Self::bare(seed, settings)
        }
    }

    /// A scenario in which nobody does anything.
    pub(crate) const fn bare(seed: u64, settings: Settings) -> Self {
        Self {
            seed,
            settings,
            acts: Vec::new(),
            plan: Plan::Drawn,
            disk: Disk::Followed,
            sabotage: None,
        }
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("seed", &self.seed)
            .field("settings", &self.settings)
            .field("acts", &self.acts)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
