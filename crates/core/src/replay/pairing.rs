//! Pairing: commands that wait for their records, and records that wait for their commands.
//!
//! The two meet by [`Key`], never by their place among the others, so it makes no difference where
//! facts fell between records, nor in which order the code polls calls that it has written. Every
//! question is answered by a look into an ordered map: a run may have ten thousand steps open.

use std::collections::BTreeMap;

use super::command::{Key, agree};
use super::divergence::{Divergence, Expected, Found};
use crate::event::{EventKind, EventRef, Position};
use crate::few::Few;
use crate::heap;

/// A record that no command has claimed.
#[derive(Clone, Debug)]
struct Left {
    position: Position,
    record: EventKind,
}

/// A command that waits for its record.
#[derive(Clone, Debug)]
struct Issued {
    record: EventKind,
    /// The last record of the log that had found its command before.
    after: Position,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Pairing {
    /// The records that commands will leave, in order of issue. In boxes, for a run that rests mostly
    /// has none.
    issued: Few<u64, Box<Issued>>,
    turns: Few<Key, u64>,
    next_turn: u64,
    /// How many commands were issued, with and without a record in the log.
    commands: u64,
    left: BTreeMap<Key, Left>,
    /// The last record of the log that has found its command.
    matched: Position,
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
            self.matched = self.matched.max(left.position);
            self.left.remove(&key);
            self.commands += 1;
            return Ok(false);
        }
        if self.is_pending(&key) {
            return Ok(false);
        }
        self.commands += 1;
        self.turns.insert(key, self.next_turn);
        let after = self.matched;
        let issued = Box::new(Issued { record, after });
        self.issued.insert(self.next_turn, issued);
        self.next_turn += 1;
        Ok(true)
    }

    /// Checks that the log holds no record that only a command could claim which `command` rules out.
    ///
    /// # Errors
    ///
    /// [`Divergence::Parted`] where it does.
    pub(super) fn rule_out(&self, key: &Key, command: &EventKind) -> Result<(), Divergence> {
        self.left.get(key).map_or(Ok(()), |left| {
            Err(self.mismatch(command, &left.record, left.position))
        })
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
        if let Some(issued) = self.issued.get(&turn)
            && !agree(&issued.record, event.kind)
        {
            return Err(self.mismatch(&issued.record, event.kind, event.position));
        }
        self.matched = self.matched.max(event.position);
        self.turns.remove(&key);
        self.issued.remove(&turn);
        Ok(())
    }

    /// How many commands were issued so far.
    pub(super) const fn commands(&self) -> u64 {
        self.commands
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
        let issued = self.issued.get(self.turns.get(key)?)?;
        Some(&issued.record)
    }

    /// How many commands wait for their records.
    pub(super) fn len(&self) -> usize {
        self.issued.len()
    }

    /// The records of all pending commands, in order of issue.
    pub(super) fn records(&self) -> impl Iterator<Item = &EventKind> {
        self.issued.values().map(|issued| &issued.record)
    }

    /// What the workflow did instead of what the log has at `position`: the first of its commands that
    /// the log does not know. One that came after a later record had found its command is none.
    pub(super) fn found(&self, position: Position) -> Found {
        let mut instead = self
            .issued
            .values()
            .filter(|issued| issued.after < position);
        match instead.next() {
            Some(issued) => Found::new(&issued.record),
            None if self.is_pending(&Key::End) => Found::Finished,
            None => Found::Nothing,
        }
    }

    /// The report of the first record that no command has claimed, if there is one.
    pub(super) fn parted(&self) -> Option<Divergence> {
        let first = self.left.values().min_by_key(|left| left.position)?;
        let (position, expected) = (first.position, Expected::new(&first.record));
        let found = self.found(position);
        Some(Divergence::parted(position, expected, found))
    }

    /// Lets go of all commands: nothing is appended any more.
    pub(super) fn clear(&mut self) {
        self.issued.clear();
        self.turns.clear();
        self.left.clear();
    }

    /// Roughly what all of it holds in memory, in bytes, apart from payloads.
    pub(super) fn weight(&self) -> usize {
        let boxes = self.issued.len() * size_of::<Issued>();
        boxes + self.issued.weight() + self.turns.weight() + heap::map(&self.left)
    }

    pub(super) fn shrink_to_fit(&mut self) {
        heap::shrink_map(&mut self.left);
    }

    /// The report of a command that is not what its record says. Where an earlier record has found
    /// no command at all, that is where workflow and log have parted; this is what came of it.
    fn mismatch(&self, command: &EventKind, record: &EventKind, position: Position) -> Divergence {
        let earlier = self.parted().filter(|left| left.position() < position);
        earlier.unwrap_or_else(|| {
            let found = Found::instead_of(command, record);
            Divergence::parted(position, Expected::new(record), found)
        })
    }
}
