//! What must always be true, checked against what everybody was told and saw.
//!
//! The statements are those of architecture.md. After each write the [shadow](crate::shadow) checks
//! that the log is legal, that tokens are held once, and that the wake-up index forgets nobody, and
//! [`write`] what the request may have done. The rest is checked at rest, and at the end.
//!
//! | statement | held by |
//! | --- | --- |
//! | 1 durable | `outsider` at once, `durability` |
//! | 2 delivered | `shadow` (counts), `delivery` |
//! | 3 recorded | `shadow` (one end), `steps`, `children`, `clean_up` (undo calls) |
//! | 4 woken | `shadow` (the index), `rest` |
//! | 5 token | `shadow`, `rest` (the store's rows) |
//! | 6 replay | `write` (changed code), `ledger` (every replay sees the same), `replay`, `rest` (parks) |
//! | 7 workers | `write` (what an append builds on), `shadow` (legality), `durability` (one end) |
//! | 8 refused | `write` (rows as before), `outsider` (misuse), `durability`, `delivery` |

mod children;
mod clean_up;
mod delivery;
mod durability;
mod replay;
mod rest;
mod steps;
#[cfg(test)]
mod tests;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use rewake_core::id::RunId;

use crate::ledger::Entries;
use crate::shadow::Followed;
use crate::statement::{Breaks, Problem, Statement};
use crate::world::World;

pub(crate) use replay::replays;
pub(crate) use rest::{at_rest, is_parked};

/// What a simulation left: all that the checkers of the end look at.
#[derive(Debug)]
pub(crate) struct History<'a> {
    pub(crate) runs: &'a BTreeMap<RunId, Followed>,
    pub(crate) entries: &'a Entries,
    /// How many times a process may have taken up work that another had begun.
    pub(crate) takeovers: u32,
    /// Whether some processes had changed code.
    pub(crate) changed: bool,
}

/// Checks what must be true once every run that can has come to its end.
///
/// # Errors
///
/// What is not.
pub(crate) fn at_the_end(world: &Arc<World>) -> Result<(), Problem> {
    rest::all_ended(world)?;
    let shadow = world.shadow();
    let takeovers = {
        let processes = crate::world::lock(&world.processes);
        processes.boots + processes.thefts
    };
    let history = History {
        runs: shadow.runs(),
        entries: &world.ledger.lock(),
        takeovers,
        changed: world.settings.changed,
    };
    for met in clean_up::met(&history) {
        world.count(met);
    }
    check(&history)
}

/// Checks what everybody was told and saw against the logs.
///
/// # Errors
///
/// What does not agree.
pub(crate) fn check(history: &History<'_>) -> Result<(), Problem> {
    durability::check(history).breaks(Statement::Durable)?;
    durability::one_end(history).breaks(Statement::Workers)?;
    delivery::check(history).breaks(Statement::Delivered)?;
    steps::check(history).breaks(Statement::Recorded)?;
    children::check(history).breaks(Statement::Recorded)?;
    clean_up::check(history).breaks(Statement::Recorded)
}
