//! What must always be true, checked against what everybody was told and saw.
//!
//! The statements are those of architecture.md. After each write the [shadow](crate::shadow) checks
//! that the log is legal, that tokens are held once, and that the wake-up index forgets nobody. Here
//! stands what is checked when everything is at rest, and at the end.

mod delivery;
mod durability;
mod replay;
mod rest;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use rewake_core::id::RunId;

use crate::ledger::Entries;
use crate::shadow::Followed;
use crate::world::World;

pub(crate) use replay::replays;
pub(crate) use rest::{at_rest, is_parked};

/// What a simulation left: all that the checkers of the end look at.
#[derive(Debug)]
pub(crate) struct History<'a> {
    pub(crate) runs: &'a BTreeMap<RunId, Followed>,
    pub(crate) entries: &'a Entries,
    /// How many times a process took up work that another may have begun.
    pub(crate) boots: u32,
}

/// Checks what must be true once every run that can has come to its end.
///
/// # Errors
///
/// What is not.
pub(crate) fn at_the_end(world: &Arc<World>) -> Result<(), String> {
    rest::all_ended(world)?;
    let shadow = world.shadow();
    let history = History {
        runs: shadow.runs(),
        entries: &world.ledger.lock(),
        boots: crate::world::lock(&world.processes).boots,
    };
    durability::check(&history)?;
    delivery::check(&history)?;
    steps::check(&history)
}
