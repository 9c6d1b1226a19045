//! A payload shown to people: `Serialize` into whatever format, best JSON. Never fails for what the
//! payload holds; what cannot be shown is named in its place.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::access::SparseSlots;
use super::cursor::{Cursor, View};
use super::envelope::Payload;
use super::error::DecodeErrorKind;
use super::slot::Slot;
use super::table::{Entry, Table};
use super::typed::EMPTY;

/// Shows the value the payload holds.
///
/// As the mapping table of the [module](super) reads it, with these turned into what JSON has: bytes
/// into their base64, a `BigInt` into its digits, a `Map` with any key that is no string into a list
/// of pairs, `NaN` and the infinities into their names, `undefined` into `null`. A payload of another
/// codec, a malformed one, and a part that holds itself or is too large are shown as a string that
/// says so.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Table::read(self) {
            Ok(table) => Shown(Cursor::root(&table)).serialize(serializer),
            Err(kind) => refusal(&kind, serializer),
        }
    }
}

fn refusal<S: Serializer>(kind: &DecodeErrorKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("[cannot be shown: {kind}]"))
}

#[derive(Debug)]
struct Shown<'t, 'f>(Cursor<'t, 'f>);

impl Serialize for Shown<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = match self.0.view() {
            Ok(view) => view,
            Err(kind) => return refusal(&kind, serializer),
        };
        match view {
            View::Nothing => serializer.serialize_unit(),
            View::Bool(value) => serializer.serialize_bool(value),
            View::Number(value) => show_number(value, serializer),
            View::BigInt(text) | View::Text(text) => serializer.serialize_str(text),
            View::Bytes(_, EMPTY) => serializer.serialize_str(""),
            View::Bytes(_, base64) => serializer.serialize_str(base64),
            View::Array(slots) => self.list(slots.iter().copied(), serializer),
            View::Sparse(length, islands) => {
                self.list(SparseSlots::new(length, islands), serializer)
            }
            View::Object(entries) => self.entries(entries, serializer),
            View::Map(pairs) => self.pairs(pairs, serializer),
            View::Custom(inner) => match self.0.frame() {
                Ok(frame) => Shown(self.0.child(inner, &frame)).serialize(serializer),
                Err(kind) => refusal(&kind, serializer),
            },
        }
    }
}

impl<'t> Shown<'t, '_> {
    fn list<S: Serializer>(
        &self,
        slots: impl Iterator<Item = Slot>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let frame = match self.0.frame() {
            Ok(frame) => frame,
            Err(kind) => return refusal(&kind, serializer),
        };
        let mut list = serializer.serialize_seq(None)?;
        for slot in slots {
            list.serialize_element(&Shown(self.0.child(slot, &frame)))?;
        }
        list.end()
    }

    fn entries<S: Serializer>(
        &self,
        entries: &'t [Entry<'t>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let frame = match self.0.frame() {
            Ok(frame) => frame,
            Err(kind) => return refusal(&kind, serializer),
        };
        let keys = entries.iter().map(|entry| self.0.key(entry));
        let keys = match keys.collect::<Result<Vec<_>, _>>() {
            Ok(keys) => keys,
            Err(kind) => return refusal(&kind, serializer),
        };
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (key, entry) in keys.iter().zip(entries) {
            map.serialize_entry(key, &Shown(self.0.child(entry.value, &frame)))?;
        }
        map.end()
    }

    fn pairs<S: Serializer>(&self, pairs: &[Slot], serializer: S) -> Result<S::Ok, S::Error> {
        let read = pairs.iter().map(|pair| {
            let (key, value) = self.0.pair(*pair)?;
            Ok(self.0.text(key)?.map(|key| (key, value)))
        });
        let keyed = match read.collect::<Result<Option<Vec<_>>, DecodeErrorKind>>() {
            Ok(Some(keyed)) => keyed,
            Ok(None) => return self.list(pairs.iter().copied(), serializer),
            Err(kind) => return refusal(&kind, serializer),
        };
        let frame = match self.0.frame() {
            Ok(frame) => frame,
            Err(kind) => return refusal(&kind, serializer),
        };
        let mut map = serializer.serialize_map(Some(keyed.len()))?;
        for (key, value) in keyed {
            map.serialize_entry(key, &Shown(self.0.child(value, &frame)))?;
        }
        map.end()
    }
}

fn show_number<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    match Slot::of_special(value) {
        Some(Slot::Nan) => serializer.serialize_str("NaN"),
        Some(Slot::Infinity) => serializer.serialize_str("Infinity"),
        Some(Slot::NegativeInfinity) => serializer.serialize_str("-Infinity"),
        Some(Slot::NegativeZero | Slot::Undefined | Slot::Hole | Slot::Node(_)) | None => {
            super::number::serialize_number(value, serializer)
        }
    }
}
