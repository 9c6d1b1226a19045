//! The delivery contract, held against a model: random schedules of all that can be done to a hook,
//! on the real engine, and the fate of every payload.
//!
//! `schedule` is what happens (data that `grow` makes from a seed), `script` what workflows are told and
//! `follow` how they do it, `play` lets it happen and gathers what everybody was told, saw and can ask
//! for; `model` says what must have become of each payload and request, and `shrink` makes small what
//! the model does not accept.

mod follow;
mod grow;
mod model;
mod play;
mod receiver;
mod schedule;
mod script;
mod shrink;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::simulation::Report;
use crate::tally::Counts;
use model::{Fate, Said};
use schedule::{Deed, Schedule};
use script::Line;

pub(crate) use receiver::SECRET;
pub(crate) use script::Webhook;

/// Which disks there were, and how those that outlive a process were opened again.
const DISKS: [&str; 6] = [
    "met sqlite",
    "met sqlite-file",
    "met file-killed",
    "met file-dropped",
    "met file-closed",
    "met evicted",
];

/// A schedule that the model does not accept, made small.
#[derive(Debug)]
#[non_exhaustive]
pub struct Undelivered {
    /// The seed that shows it.
    pub seed: u64,
    /// What does not hold.
    pub problem: String,
    /// What is left of the schedule when all is cut that can be.
    pub small: String,
    /// What happened in it, line by line.
    pub trace: Vec<String>,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            problem,
            small,
            ..
        } = self;
        write!(
            f,
            "delivery schedule {seed}: {problem}\n{small}\
             repeat it: cargo run --release -p rewake-simulation -- delivery --seed {seed}"
        )
    }
}

impl std::error::Error for Undelivered {}

/// Plays the schedule of a seed and asks the model.
///
/// # Errors
///
/// [`Undelivered`] where a payload is lost, doubled, misrouted or forgotten; with a small schedule that
/// shows it.
pub fn deliver(seed: u64) -> Result<Report, Box<Undelivered>> {
    let schedule = Schedule::of(seed);
    play::play(&schedule, false).map_err(|_| Box::new(shrink::smallest(schedule)))
}

/// Plays the schedule of a seed, and panics where the model does not accept it.
///
/// # Panics
///
/// Where a payload is lost, doubled, misrouted or forgotten.
pub fn hold_delivery(seed: u64) -> Report {
    deliver(seed).unwrap_or_else(|undelivered| panic!("{undelivered}"))
}

/// What did not happen and should have: operations, faults, fates.
pub fn missing_delivery(counts: &Counts) -> Vec<&'static str> {
    let faults = crate::fault::Fate::ALL.map(crate::fault::Fate::name);
    let troubles = [
        "trouble boot",
        "trouble shut-down",
        "trouble crash",
        "trouble poll-again",
    ];
    let all = Deed::NAMES
        .iter()
        .chain(&Line::NAMES)
        .chain(&Fate::NAMES)
        // That the store cannot say is too rare to be waited for.
        .chain(&Said::NAMES[..5])
        .chain(&faults)
        .chain(&troubles)
        .chain(&play::MET)
        .chain(&DISKS);
    all.filter(|name| !counts.contains_key(*name))
        .copied()
        .collect()
}
