//! What a deliberate bug is, and all of them.

use super::edit::Edit;
use super::{cancel_bugs, door_bugs, node_bugs, run_bugs, store_bugs};

/// One bug, and who must notice it.
#[derive(Debug)]
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// What is wrong with it, in words.
    pub(crate) breaks: &'static str,
    /// The crate whose tests are asked, and which of them, as a nextest filter. They are part of
    /// every test run; it is narrow because each bug costs a build.
    pub(crate) package: &'static str,
    pub(crate) filter: &'static str,
    pub(crate) edits: &'static [Edit],
}

/// All of them, in no order of importance.
pub(crate) fn all() -> impl Iterator<Item = &'static Mutant> + Clone {
    let runs = run_bugs::RUNS.iter().chain(cancel_bugs::CANCELLING);
    let stores = store_bugs::STORES.iter().chain(node_bugs::NODES);
    runs.chain(stores).chain(door_bugs::DOORS)
}
