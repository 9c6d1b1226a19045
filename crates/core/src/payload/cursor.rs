//! A place in a table while it is being followed from the root: what stands here, and whether we
//! have been here before. Refuses cycles, depth and expansion; knows what the custom types mean,
//! not what they are read into.

use super::envelope::Payload;
use super::error::DecodeErrorKind;
use super::limits::{MAX_DEPTH, VISIT_COST};
use super::slot::Slot;
use super::table::{Entry, Node, Table};
use super::typed::{EMPTY, Element};

/// Whether the payload is `null` or `undefined`.
///
/// Looks no further than the root: a payload that cannot be decoded at all is not null.
///
/// # Examples
///
/// ```
/// use rewake_core::payload;
///
/// assert!(payload::is_null(&payload::encode(&None::<u8>)?));
/// assert!(!payload::is_null(&payload::encode(&0)?));
/// # Ok::<(), payload::EncodeError>(())
/// ```
pub fn is_null(payload: &Payload) -> bool {
    Table::read(payload).is_ok_and(|table| Cursor::root(&table).is_nullish())
}

/// A composite that we are inside of, linked to those around it.
#[derive(Debug)]
pub(super) struct Frame<'f> {
    node: u32,
    depth: usize,
    outer: Option<&'f Self>,
}

/// A place in a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'t, 'f> {
    table: &'t Table<'t>,
    slot: Slot,
    inside: Option<&'f Frame<'f>>,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'t> {
    Nothing,
    Bool(bool),
    Number(f64),
    BigInt(&'t str),
    Text(&'t str),
    Bytes(Element, &'t str),
    Array(&'t [Slot]),
    Sparse(u64, &'t [(u64, Slot)]),
    Object(&'t [Entry<'t>]),
    /// The pairs of a `Map`.
    Map(&'t [Slot]),
    /// A custom type that is read as what it holds.
    Custom(Slot),
}

impl View<'_> {
    /// What stands here, in the words of an error.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            View::Nothing => "null",
            View::Bool(_) => "a boolean",
            View::Number(_) | View::BigInt(_) => "a number",
            View::Text(_) => "a string",
            View::Bytes(..) => "bytes",
            View::Array(_) | View::Sparse(..) => "an array",
            View::Object(_) => "an object",
            View::Map(_) => "a map",
            View::Custom(_) => "a custom type",
        }
    }
}

impl<'t, 'f> Cursor<'t, 'f> {
    pub(super) fn root(table: &'t Table<'t>) -> Self {
        Self {
            table,
            slot: table.root,
            inside: None,
        }
    }

    /// The place that `slot` leads to from within `frame`.
    pub(super) fn child<'g>(self, slot: Slot, frame: &'g Frame<'g>) -> Cursor<'t, 'g> {
        Cursor {
            table: self.table,
            slot,
            inside: Some(frame),
        }
    }

    /// Pays for a visit that looks at nothing.
    pub(super) fn pass(self) -> Result<(), DecodeErrorKind> {
        self.table.spend(VISIT_COST)
    }

    /// Whether `null`, `undefined` or a hole stands here.
    pub(super) fn is_nullish(self) -> bool {
        match self.slot {
            Slot::Undefined | Slot::Hole => true,
            Slot::Node(index) => matches!(self.table.node(index), Some(Node::Null)),
            Slot::Nan | Slot::Infinity | Slot::NegativeInfinity | Slot::NegativeZero => false,
        }
    }

    /// The custom type that stands here and the slot of what it holds.
    pub(super) fn custom(self) -> Option<(&'t str, Slot)> {
        match self.slot {
            Slot::Node(index) => match self.table.node(index)? {
                Node::Custom { name, inner } => Some((name, *inner)),
                Node::Null
                | Node::Bool(_)
                | Node::Number(_)
                | Node::Text(_)
                | Node::Array(_)
                | Node::Sparse { .. }
                | Node::Object(_) => None,
            },
            Slot::Undefined
            | Slot::Hole
            | Slot::Nan
            | Slot::Infinity
            | Slot::NegativeInfinity
            | Slot::NegativeZero => None,
        }
    }

    /// The frame for what this place holds.
    pub(super) fn frame(self) -> Result<Frame<'f>, DecodeErrorKind> {
        let Slot::Node(node) = self.slot else {
            return Err(DecodeErrorKind::malformed("a constant holds nothing"));
        };
        let mut outer = self.inside;
        while let Some(frame) = outer {
            if frame.node == node {
                return Err(DecodeErrorKind::Cyclic);
            }
            outer = frame.outer;
        }
        let depth = self.inside.map_or(1, |frame| frame.depth + 1);
        if depth > MAX_DEPTH {
            return Err(DecodeErrorKind::TooDeep);
        }
        Ok(Frame {
            node,
            depth,
            outer: self.inside,
        })
    }

    /// What stands here. Pays for the visit.
    pub(super) fn view(self) -> Result<View<'t>, DecodeErrorKind> {
        let view = match self.slot {
            Slot::Undefined | Slot::Hole => View::Nothing,
            Slot::Nan => View::Number(f64::NAN),
            Slot::Infinity => View::Number(f64::INFINITY),
            Slot::NegativeInfinity => View::Number(f64::NEG_INFINITY),
            Slot::NegativeZero => View::Number(-0.0),
            Slot::Node(index) => self.view_node(index)?,
        };
        self.table.spend(match view {
            View::Text(text) | View::Bytes(_, text) | View::BigInt(text) => {
                VISIT_COST.max(text.len())
            }
            View::Nothing
            | View::Bool(_)
            | View::Number(_)
            | View::Array(_)
            | View::Sparse(..)
            | View::Object(_)
            | View::Map(_)
            | View::Custom(_) => VISIT_COST,
        })?;
        Ok(view)
    }

    fn view_node(self, index: u32) -> Result<View<'t>, DecodeErrorKind> {
        let table = self.table;
        let Some(node) = table.node(index) else {
            return Err(DecodeErrorKind::malformed(format!(
                "there is no value {index}"
            )));
        };
        Ok(match node {
            Node::Null => View::Nothing,
            Node::Bool(value) => View::Bool(*value),
            Node::Number(value) => View::Number(*value),
            Node::Text(text) => View::Text(text),
            Node::Array(slots) => View::Array(&table.slots[slots.clone()]),
            Node::Object(entries) => View::Object(&table.entries[entries.clone()]),
            Node::Sparse { length, islands } => {
                // Holes take no text, so the claimed length pays in advance.
                let claimed = usize::try_from(*length).unwrap_or(usize::MAX);
                table.spend(claimed.saturating_mul(VISIT_COST))?;
                View::Sparse(*length, &table.islands[islands.clone()])
            }
            Node::Custom { name, inner } => match name.as_ref() {
                "BigInt" => View::BigInt(self.text_at(*inner, name)?),
                "Map" => View::Map(self.array_at(*inner)?),
                "URLSearchParams" if self.text_at(*inner, name) == Ok(EMPTY) => View::Text(""),
                name => match Element::of(name) {
                    Some(element) => View::Bytes(element, self.text_at(*inner, name)?),
                    None => View::Custom(*inner),
                },
            },
        })
    }

    fn text_at(self, slot: Slot, name: &str) -> Result<&'t str, DecodeErrorKind> {
        if let Slot::Node(index) = slot
            && let Some(Node::Text(text)) = self.table.node(index)
        {
            return Ok(text);
        }
        Err(DecodeErrorKind::malformed(format!(
            "`{name}` holds no string"
        )))
    }

    fn array_at(self, slot: Slot) -> Result<&'t [Slot], DecodeErrorKind> {
        if let Slot::Node(index) = slot
            && let Some(Node::Array(slots)) = self.table.node(index)
        {
            return Ok(&self.table.slots[slots.clone()]);
        }
        Err(DecodeErrorKind::malformed(
            "a `Map` holds something else than pairs",
        ))
    }

    /// The key and the value of one pair of a `Map`. Pays for the visit.
    pub(super) fn pair(self, slot: Slot) -> Result<(Slot, Slot), DecodeErrorKind> {
        self.table.spend(VISIT_COST)?;
        match self.array_at(slot)? {
            [key, value] => Ok((*key, *value)),
            _ => Err(DecodeErrorKind::malformed(
                "a `Map` holds something else than pairs",
            )),
        }
    }

    /// The key of an entry. Pays for what is long.
    pub(super) fn key(self, entry: &'t Entry<'t>) -> Result<&'t str, DecodeErrorKind> {
        self.table.spend(entry.key.len())?;
        Ok(&entry.key)
    }

    /// The text that stands at `slot`, if one does. Pays for what is long.
    pub(super) fn text(self, slot: Slot) -> Result<Option<&'t str>, DecodeErrorKind> {
        let text = self.peek_text(slot);
        self.table.spend(text.map_or(0, str::len))?;
        Ok(text)
    }

    /// The text that stands at `slot`, if one does, for the path of an error.
    pub(super) fn peek_text(self, slot: Slot) -> Option<&'t str> {
        self.text_at(slot, "").ok()
    }
}
