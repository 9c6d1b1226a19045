//! Attributes that the workflow sets: which calls are on record, and how many keys it has asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::command::Key;
use super::machine::Machine;
use crate::attribute::{self, InvalidAttribute};
use crate::event::EventKind;
use crate::heap;
use crate::id::StepId;

#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    /// Every key that the code has asked for: the log may not know of it yet, and counts with it.
    asked: BTreeSet<String>,
    /// Calls whose record was fed, and whose news has not been taken.
    set: BTreeSet<StepId>,
    /// Calls that were dropped before that.
    abandoned: BTreeSet<StepId>,
}

impl Attributes {
    pub(super) fn note(&mut self, call: StepId) {
        if !self.abandoned.remove(&call) {
            self.set.insert(call);
        }
    }

    /// Roughly what all of it holds in memory, in bytes, apart from the keys' text.
    pub(super) fn weight(&self) -> usize {
        let calls = heap::set(&self.set) + heap::set(&self.abandoned);
        size_of::<Self>() + heap::set(&self.asked) + calls
    }

    pub(super) fn shrink_to_fit(&mut self) {
        heap::shrink_set(&mut self.set);
        heap::shrink_set(&mut self.abandoned);
    }
}

impl Machine {
    /// Sets attributes of the run. `call` is derived as a step's id is.
    ///
    /// # Errors
    ///
    /// [`InvalidAttribute`]; nothing is asked for then. It depends on what the workflow has asked for
    /// before alone, and so comes out the same in every replay.
    pub fn set_attributes(
        &mut self,
        call: StepId,
        changes: BTreeMap<String, String>,
    ) -> Result<(), InvalidAttribute> {
        attribute::check(&changes)?;
        let known = self.entities().run().map(|run| &run.attributes);
        let known = known.into_iter().flat_map(BTreeMap::keys);
        let all: BTreeSet<&String> = known
            .chain(self.attributes.iter().flat_map(|known| &known.asked))
            .chain(changes.keys())
            .collect();
        attribute::check_count(all.len())?;
        let known = self.attributes.get_or_insert_default();
        known.asked.extend(changes.keys().cloned());
        self.issue(Key::Attributes(call), EventKind::AttrSet { changes, call });
        Ok(())
    }

    /// Takes the news that attributes are set, if they are.
    pub fn take_attributes_set(&mut self, call: StepId) -> bool {
        let known = self.attributes.as_mut();
        known.is_some_and(|known| known.set.remove(&call))
    }

    /// Notes that the call was dropped: its attributes are set all the same.
    pub fn abandon_attributes(&mut self, call: StepId) {
        let known = self.attributes.get_or_insert_default();
        if !known.set.remove(&call) {
            known.abandoned.insert(call);
        }
    }
}
