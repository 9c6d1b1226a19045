//! The flat table of a payload that is being read: every node checked for shape, every index for
//! range, nothing followed yet. Knows the layout of the text, not what custom types mean.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use super::envelope::{Codec, Payload};
use super::error::DecodeErrorKind;
use super::limits;
use super::parse;
use super::slot::Slot;

/// A parsed payload, and what may still be spent on reading it.
#[derive(Debug)]
pub(super) struct Table<'p> {
    pub(super) root: Slot,
    pub(super) nodes: Vec<Node<'p>>,
    /// What arrays hold.
    pub(super) slots: Vec<Slot>,
    /// What objects hold.
    pub(super) entries: Vec<Entry<'p>>,
    /// What sparse arrays hold, by index.
    pub(super) islands: Vec<(u64, Slot)>,
    budget: Cell<usize>,
}

/// One value of the table. Ranges are of the table's own lists.
#[derive(Debug)]
pub(super) enum Node<'p> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'p, str>),
    Array(Range<usize>),
    Sparse { length: u64, islands: Range<usize> },
    Object(Range<usize>),
    Custom { name: Cow<'p, str>, inner: Slot },
}

/// A key of an object and where its value is.
#[derive(Debug)]
pub(super) struct Entry<'p> {
    pub(super) key: Cow<'p, str>,
    pub(super) value: Slot,
}

impl<'p> Table<'p> {
    /// Parses a payload. Takes time and memory in proportion to its length.
    pub(super) fn read(payload: &'p Payload) -> Result<Self, DecodeErrorKind> {
        match payload.codec() {
            None => return Err(DecodeErrorKind::NoCodec),
            Some(Codec::DEVALUE) => {}
            Some(codec @ (Codec::ENCRYPTED | Codec::GZIP | Codec::ZSTD)) => {
                return Err(DecodeErrorKind::UnsupportedCodec { codec });
            }
            Some(codec) => return Err(DecodeErrorKind::UnknownCodec { codec }),
        }
        let text = std::str::from_utf8(payload.text())
            .map_err(|error| DecodeErrorKind::malformed(format!("it is not UTF-8: {error}")))?;
        let mut table = Self {
            root: Slot::Node(0),
            nodes: Vec::new(),
            slots: Vec::new(),
            entries: Vec::new(),
            islands: Vec::new(),
            budget: Cell::new(limits::budget(text.len())),
        };
        parse::parse_into(&mut table, text)
            .map_err(|error| DecodeErrorKind::malformed(error.to_string()))?;
        table.check_indices()?;
        Ok(table)
    }

    fn check_indices(&self) -> Result<(), DecodeErrorKind> {
        let inner = self.nodes.iter().filter_map(|node| match node {
            Node::Custom { inner, .. } => Some(*inner),
            Node::Null
            | Node::Bool(_)
            | Node::Number(_)
            | Node::Text(_)
            | Node::Array(_)
            | Node::Sparse { .. }
            | Node::Object(_) => None,
        });
        let all = std::iter::once(self.root)
            .chain(self.slots.iter().copied())
            .chain(self.entries.iter().map(|entry| entry.value))
            .chain(self.islands.iter().map(|(_, slot)| *slot))
            .chain(inner);
        for slot in all {
            if let Slot::Node(index) = slot
                && self.node(index).is_none()
            {
                let reason = format!("index {index} of {} is out of range", self.nodes.len());
                return Err(DecodeErrorKind::Malformed { reason });
            }
        }
        Ok(())
    }

    /// The node at `index`; there is one for every index the table itself holds.
    pub(super) fn node(&self, index: u32) -> Option<&Node<'p>> {
        self.nodes.get(usize::try_from(index).ok()?)
    }

    /// Pays for reading something.
    pub(super) fn spend(&self, cost: usize) -> Result<(), DecodeErrorKind> {
        let rest = self
            .budget
            .get()
            .checked_sub(cost)
            .ok_or(DecodeErrorKind::TooLarge)?;
        self.budget.set(rest);
        Ok(())
    }
}
