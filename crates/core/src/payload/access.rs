//! Sequences and maps while serde takes their parts. Knows positions and keys, for the path of an
//! error; leaves to the cursor what may be followed.

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess};

use super::cursor::{Cursor, Frame};
use super::deserializer::Reader;
use super::error::DecodeError;
use super::key::KeyReader;
use super::slot::Slot;
use super::table::Entry;
use super::typed::Element;

/// The elements of an array.
#[derive(Debug)]
pub(super) struct Elements<'t, 'f, I> {
    cursor: Cursor<'t, 'f>,
    frame: Frame<'f>,
    slots: I,
    taken: usize,
}

impl<'t, 'f, I: Iterator<Item = Slot>> Elements<'t, 'f, I> {
    pub(super) fn new(cursor: Cursor<'t, 'f>, frame: Frame<'f>, slots: I) -> Self {
        Self {
            cursor,
            frame,
            slots,
            taken: 0,
        }
    }

    /// Refuses elements that the target left behind.
    pub(super) fn finish(mut self) -> Result<(), DecodeError> {
        match self.slots.next() {
            None => Ok(()),
            Some(_) => Err(too_many(self.taken)),
        }
    }
}

fn too_many(taken: usize) -> DecodeError {
    DecodeError::custom(format_args!("expected {taken} elements, found more"))
}

impl<'t, I: Iterator<Item = Slot>> SeqAccess<'t> for &mut Elements<'t, '_, I> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'t>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        let Some(slot) = self.slots.next() else {
            return Ok(None);
        };
        let index = self.taken;
        self.taken += 1;
        seed.deserialize(Reader::new(self.cursor.child(slot, &self.frame)))
            .map(Some)
            .map_err(|error| error.under_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        let (least, most) = self.slots.size_hint();
        most.filter(|most| *most == least)
    }
}

/// The slots of a sparse array, holes included. Gives no hint of its length, which is a claim.
#[derive(Debug)]
pub(super) struct SparseSlots<'t> {
    next: u64,
    length: u64,
    islands: &'t [(u64, Slot)],
}

impl<'t> SparseSlots<'t> {
    pub(super) fn new(length: u64, islands: &'t [(u64, Slot)]) -> Self {
        Self {
            next: 0,
            length,
            islands,
        }
    }
}

impl Iterator for SparseSlots<'_> {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        if self.next == self.length {
            return None;
        }
        let at = self.next;
        self.next += 1;
        match self.islands.split_first() {
            Some(((index, slot), rest)) if *index == at => {
                self.islands = rest;
                Some(*slot)
            }
            _ => Some(Slot::Hole),
        }
    }
}

/// The elements of a typed array.
#[derive(Debug)]
pub(super) struct TypedElements<'b> {
    element: Element,
    bytes: &'b [u8],
    taken: usize,
}

impl<'b> TypedElements<'b> {
    pub(super) fn new(element: Element, bytes: &'b [u8]) -> Self {
        Self {
            element,
            bytes,
            taken: 0,
        }
    }

    /// Refuses elements that the target left behind.
    pub(super) fn finish(self) -> Result<(), DecodeError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(too_many(self.taken))
        }
    }
}

impl<'de> SeqAccess<'de> for &mut TypedElements<'_> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let index = self.taken;
        let value = self
            .element
            .read(self.bytes, seed)
            .map_err(|error| error.under_index(index))?;
        self.bytes = self.bytes.get(self.element.width()..).unwrap_or_default();
        self.taken += 1;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.bytes.len() / self.element.width())
    }
}

/// The entries of an object.
#[derive(Debug)]
pub(super) struct EntryAccess<'t, 'f> {
    cursor: Cursor<'t, 'f>,
    frame: Frame<'f>,
    entries: std::slice::Iter<'t, Entry<'t>>,
    current: Option<&'t Entry<'t>>,
}

impl<'t, 'f> EntryAccess<'t, 'f> {
    pub(super) fn new(cursor: Cursor<'t, 'f>, frame: Frame<'f>, entries: &'t [Entry<'t>]) -> Self {
        Self {
            cursor,
            frame,
            entries: entries.iter(),
            current: None,
        }
    }
}

impl<'t> MapAccess<'t> for EntryAccess<'t, '_> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'t>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        self.current = self.entries.next();
        let Some(entry) = self.current else {
            return Ok(None);
        };
        let key = self.cursor.key(entry)?;
        seed.deserialize(KeyReader(key))
            .map(Some)
            .map_err(|error| error.under_key(key))
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, DecodeError> {
        let entry = self.current.take().ok_or_else(value_before_key)?;
        seed.deserialize(Reader::new(self.cursor.child(entry.value, &self.frame)))
            .map_err(|error| error.under_key(&entry.key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

fn value_before_key() -> DecodeError {
    DecodeError::custom("the target asked for a value before its key")
}

/// The pairs of a `Map`.
#[derive(Debug)]
pub(super) struct PairAccess<'t, 'f> {
    cursor: Cursor<'t, 'f>,
    frame: Frame<'f>,
    pairs: std::slice::Iter<'t, Slot>,
    taken: usize,
    current: Option<(Slot, Slot)>,
}

impl<'t, 'f> PairAccess<'t, 'f> {
    pub(super) fn new(cursor: Cursor<'t, 'f>, frame: Frame<'f>, pairs: &'t [Slot]) -> Self {
        Self {
            cursor,
            frame,
            pairs: pairs.iter(),
            taken: 0,
            current: None,
        }
    }

    fn under_entry(&self, error: DecodeError, key: Slot) -> DecodeError {
        match self.cursor.peek_text(key) {
            Some(key) => error.under_key(key),
            None => error.under_index(self.taken - 1),
        }
    }
}

impl<'t> MapAccess<'t> for PairAccess<'t, '_> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'t>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        let Some(pair) = self.pairs.next() else {
            return Ok(None);
        };
        let (key, value) = self.cursor.pair(*pair)?;
        self.current = Some((key, value));
        self.taken += 1;
        seed.deserialize(Reader::new(self.cursor.child(key, &self.frame)))
            .map(Some)
            .map_err(|error| self.under_entry(error, key))
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, DecodeError> {
        let (key, value) = self.current.take().ok_or_else(value_before_key)?;
        seed.deserialize(Reader::new(self.cursor.child(value, &self.frame)))
            .map_err(|error| self.under_entry(error, key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.pairs.len())
    }
}
