//! Pairing: commands that wait for their records, and records that wait for their commands.
//!
//! The two meet by [`Key`], never by their place among the others, so it makes no difference where
//! facts fell between records, nor in which order the code polls calls that it has written. Every
//! question is answered by a look into an ordered map: a run may have ten thousand steps open.

use std::collections::BTreeMap;

use super::command::{Key, agree};
use super::divergence::{Divergence, Expected, Found};
use crate::event::{EventKind, EventRef, Position};

/// A record that no command has claimed.
#[derive(Clone, Debug)]
struct Left {
    position: Position,
    record: EventKind,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Pairing {
    /// The records that commands will leave, in order of issue.
    issued: BTreeMap<u64, EventKind>,
    turns: BTreeMap<Key, u64>,
    next_turn: u64,
    left: BTreeMap<Key, Left>,
}

impl Pairing {
    /// Takes in a command; true where the log does not know its record. One that is under way is not
    /// issued again.
    ///
    /// # Errors
    ///
    /// [`Divergence::Parted`] where the log knows another record in its place.
    pub(super) fn issue(&mut self, key: Key, record: EventKind) -> Result<bool, Divergence> {
        if let Some(left) = self.left.get(&key) {
            if !agree(&record, &left.record) {
                return Err(self.mismatch(&record, &left.record, left.position));
            }
            self.left.remove(&key);
            return Ok(false);
        }
        if self.is_pending(&key) {
            return Ok(false);
        }
        self.turns.insert(key, self.next_turn);
        self.issued.insert(self.next_turn, record);
        self.next_turn += 1;
        Ok(true)
    }

    /// Takes in a record, and keeps it for a command to come where none has been issued for it: a
    /// call takes its place where it is written, and may be polled later than it was the first time.
    ///
    /// # Errors
    ///
    /// [`Divergence::Parted`] where the command that was issued is another.
    pub(super) fn claim(&mut self, event: EventRef<'_>) -> Result<(), Divergence> {
        let Some(key) = Key::of(event.kind) else {
            return Ok(());
        };
        let Some(turn) = self.turns.get(&key).copied() else {
            let left = Left {
                position: event.position,
                record: event.kind.clone(),
            };
            self.left.insert(key, left);
            return Ok(());
        };
        if let Some(command) = self.issued.get(&turn)
            && !agree(command, event.kind)
        {
            return Err(self.mismatch(command, event.kind, event.position));
        }
        self.turns.remove(&key);
        self.issued.remove(&turn);
        Ok(())
    }

    /// True while a command has been issued and its record has not come by.
    pub(super) fn is_pending(&self, key: &Key) -> bool {
        self.turns.contains_key(key)
    }

    /// True while a record has come by and its command has not been issued.
    pub(super) fn is_left(&self, key: &Key) -> bool {
        self.left.contains_key(key)
    }

    /// The record that the pending command about `key` will leave.
    pub(super) fn pending(&self, key: &Key) -> Option<&EventKind> {
        self.issued.get(self.turns.get(key)?)
    }

    /// The records of all pending commands, in order of issue.
    pub(super) fn records(&self) -> impl ExactSizeIterator<Item = &EventKind> {
        self.issued.values()
    }

    /// What the workflow did first that the log does not know.
    pub(super) fn found(&self) -> Found {
        self.issued
            .first_key_value()
            .map_or(Found::Nothing, |(_, command)| Found::new(command))
    }

    /// The report of the first record that no command has claimed, if there is one.
    pub(super) fn parted(&self) -> Option<Divergence> {
        let first = self.left.values().min_by_key(|left| left.position)?;
        Some(Divergence::Parted {
            position: first.position,
            expected: Expected::new(&first.record),
            found: self.found(),
        })
    }

    /// Lets go of all commands: nothing is appended any more.
    pub(super) fn clear(&mut self) {
        self.issued.clear();
        self.turns.clear();
        self.left.clear();
    }

    /// How many commands and records wait for each other.
    pub(super) fn len(&self) -> usize {
        self.issued.len() + self.left.len()
    }

    /// The report of a command that is not what its record says. Where an earlier record has found
    /// no command at all, that is where workflow and log have parted; this is what came of it.
    fn mismatch(&self, command: &EventKind, record: &EventKind, position: Position) -> Divergence {
        let earlier = self.parted().filter(|left| left.position() < position);
        earlier.unwrap_or_else(|| Divergence::Parted {
            position,
            expected: Expected::new(record),
            found: Found::instead_of(command, record),
        })
    }
}
