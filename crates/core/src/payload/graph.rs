//! The flat table while it is being written: nodes, what they link to, and the text of primitives.
//! Knows the layout of the text, not serde and not how deep it is.
//!
//! Indices are given out in the order of first visits. Only a map that turns out to need a `Map`
//! breaks that order, because its pairs get their nodes when it ends; the table is then numbered
//! anew before it is written out.

use std::collections::BTreeMap;
use std::ops::Range;

use super::envelope::{Codec, Payload};
use super::error::EncodeErrorKind;
use super::limits;
use super::slot::Slot;
use super::text;

/// The key no JavaScript object can be given by assignment, and that devalue refuses.
const PROTO: &[u8] = b"\"__proto__\"";

/// A table under construction.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// What finished composites hold.
    parts: Vec<Part>,
    /// What open composites hold so far; a stack, the innermost last.
    pending: Vec<Part>,
    /// Primitives and object keys, as they will stand in the payload.
    text: Vec<u8>,
    shared: BTreeMap<u64, u32>,
    shared_bigints: BTreeMap<(bool, u128), u32>,
    /// How many bytes of long strings were not repeated because they are shared.
    saved: usize,
    reordered: bool,
}

#[derive(Debug)]
enum Node {
    /// Has its index but not yet its content.
    Open,
    Primitive(Range<usize>),
    Array(Range<usize>),
    Object(Range<usize>),
    Custom {
        name: &'static str,
        inner: Slot,
    },
}

/// One thing a composite holds.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Value(Slot),
    /// A string that can be the key of an object.
    Key(Range<usize>),
}

/// A composite that has been begun. It must be closed after all that was begun later.
#[derive(Debug)]
pub(super) struct Open {
    index: u32,
    base: usize,
}

impl Graph {
    pub(super) fn open(&mut self) -> Result<Open, EncodeErrorKind> {
        Ok(Open {
            index: self.add(Node::Open)?,
            base: self.pending.len(),
        })
    }

    /// Adds to the innermost open composite.
    pub(super) fn push(&mut self, part: Part) {
        self.pending.push(part);
    }

    pub(super) fn key(&mut self, key: &str) -> Part {
        let start = self.text.len();
        text::push_string(&mut self.text, key);
        Part::Key(start..self.text.len())
    }

    /// The key of an entry as a path names it; its position if it is no string.
    pub(super) fn key_name(&self, part: &Part) -> Option<String> {
        match part {
            Part::Value(_) => None,
            Part::Key(span) => serde_json::from_slice(&self.text[span.clone()]).ok(),
        }
    }

    pub(super) fn close_array(&mut self, open: &Open) -> Slot {
        let held = self.settle(open);
        self.fill(open, Node::Array(held))
    }

    pub(super) fn close_custom(&mut self, open: &Open, name: &'static str, inner: Slot) -> Slot {
        self.fill(open, Node::Custom { name, inner })
    }

    /// Closes a composite that holds keys and values by turns: an object if it can be one, else a
    /// `Map`.
    pub(super) fn close_map(&mut self, open: &Open) -> Result<Slot, EncodeErrorKind> {
        let fits_object = self.pending[open.base..]
            .iter()
            .step_by(2)
            .all(|key| match key {
                Part::Key(span) => self.text[span.clone()] != *PROTO,
                Part::Value(_) => false,
            });
        if fits_object {
            let held = self.settle(open);
            return Ok(self.fill(open, Node::Object(held)));
        }
        self.reordered = true;
        let held = self.pending.split_off(open.base);
        let list = self.open()?;
        for entry in held.chunks_exact(2) {
            let pair = self.open()?;
            for part in entry {
                let slot = self.slot_of(part)?;
                self.push(Part::Value(slot));
            }
            let pair = self.close_array(&pair);
            self.push(Part::Value(pair));
        }
        let list = self.close_array(&list);
        Ok(self.fill(
            open,
            Node::Custom {
                name: "Map",
                inner: list,
            },
        ))
    }

    /// The slot of a part that stands where a value must.
    pub(super) fn slot_of(&mut self, part: &Part) -> Result<Slot, EncodeErrorKind> {
        match part {
            Part::Value(slot) => Ok(*slot),
            Part::Key(span) => self.intern(span.clone()).map(|(slot, _)| slot),
        }
    }

    /// Adds a primitive that `write` spells, or finds the equal one that stands there already.
    pub(super) fn primitive(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Slot, EncodeErrorKind> {
        let start = self.text.len();
        write(&mut self.text);
        let (slot, is_new) = self.intern(start..self.text.len())?;
        if !is_new {
            self.text.truncate(start);
        }
        Ok(slot)
    }

    /// Adds an integer that is no JSON number.
    pub(super) fn bigint(
        &mut self,
        is_negative: bool,
        magnitude: u128,
    ) -> Result<Slot, EncodeErrorKind> {
        if let Some(&index) = self.shared_bigints.get(&(is_negative, magnitude)) {
            return Ok(Slot::Node(index));
        }
        let index = self.add(Node::Open)?;
        self.shared_bigints.insert((is_negative, magnitude), index);
        let sign = if is_negative { "-" } else { "" };
        let inner =
            self.primitive(|out| text::push_display(out, format_args!("\"{sign}{magnitude}\"")))?;
        Ok(self.fill_index(
            index,
            Node::Custom {
                name: "BigInt",
                inner,
            },
        ))
    }

    fn add(&mut self, node: Node) -> Result<u32, EncodeErrorKind> {
        let index = u32::try_from(self.nodes.len()).map_err(|_| EncodeErrorKind::TooLarge)?;
        self.nodes.push(node);
        Ok(index)
    }

    fn fill(&mut self, open: &Open, node: Node) -> Slot {
        self.fill_index(open.index, node)
    }

    fn fill_index(&mut self, index: u32, node: Node) -> Slot {
        self.nodes[position(index)] = node;
        Slot::Node(index)
    }

    /// Moves what `open` holds to where finished composites keep it.
    fn settle(&mut self, open: &Open) -> Range<usize> {
        let start = self.parts.len();
        self.parts.extend(self.pending.drain(open.base..));
        start..self.parts.len()
    }

    /// The node of the primitive spelled at `span`, and whether it is a new one.
    ///
    /// Looked up by hash alone: when two texts share one, the second is simply not shared, which
    /// costs bytes and no meaning. So no input can make this slow.
    fn intern(&mut self, span: Range<usize>) -> Result<(Slot, bool), EncodeErrorKind> {
        let hash = fnv1a(&self.text[span.clone()]);
        if let Some(&index) = self.shared.get(&hash)
            && let Node::Primitive(other) = &self.nodes[position(index)]
            && self.text[other.clone()] == self.text[span.clone()]
            && self.may_share(span.len())
        {
            return Ok((Slot::Node(index), false));
        }
        let index = self.add(Node::Primitive(span))?;
        self.shared.entry(hash).or_insert(index);
        Ok((Slot::Node(index), true))
    }

    /// Whether one more reference to a text of this length leaves the payload readable.
    fn may_share(&mut self, length: usize) -> bool {
        if length <= limits::FREE_STRING {
            return true;
        }
        let saved = self.saved.saturating_add(length);
        if saved > limits::BUDGET_FLOOR {
            return false;
        }
        self.saved = saved;
        true
    }

    /// The payload whose root is `root`.
    pub(super) fn finish(self, root: Slot) -> Payload {
        let mut out = Vec::with_capacity(self.text.len() + 4 * self.parts.len() + 16);
        out.extend_from_slice(Codec::DEVALUE.as_bytes());
        let Slot::Node(first) = root else {
            text::push_display(&mut out, root.code());
            return Payload::from_bytes(out);
        };
        if self.reordered {
            let order = self.first_visits(first);
            let mut numbers = vec![0; self.nodes.len()];
            for (number, &index) in (0..).zip(&order) {
                numbers[position(index)] = number;
            }
            let nodes = order.iter().map(|&index| &self.nodes[position(index)]);
            self.write_nodes(&mut out, nodes, |index| numbers[position(index)]);
        } else {
            self.write_nodes(&mut out, self.nodes.iter(), |index| index);
        }
        Payload::from_bytes(out)
    }

    /// The nodes in the order in which a walk from `root` first meets them.
    fn first_visits(&self, root: u32) -> Vec<u32> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut seen = vec![false; self.nodes.len()];
        let mut ahead = vec![root];
        while let Some(index) = ahead.pop() {
            if std::mem::replace(&mut seen[position(index)], true) {
                continue;
            }
            order.push(index);
            match &self.nodes[position(index)] {
                Node::Open | Node::Primitive(_) => {}
                Node::Custom { inner, .. } => ahead.extend(node_of(*inner)),
                Node::Array(held) | Node::Object(held) => {
                    let links = self.parts[held.clone()].iter().rev();
                    ahead.extend(links.filter_map(|part| match part {
                        Part::Value(slot) => node_of(*slot),
                        Part::Key(_) => None,
                    }));
                }
            }
        }
        order
    }

    fn write_nodes<'n>(
        &self,
        out: &mut Vec<u8>,
        nodes: impl Iterator<Item = &'n Node>,
        number: impl Fn(u32) -> u32,
    ) {
        let link = |out: &mut Vec<u8>, slot: Slot| match slot {
            Slot::Node(index) => text::push_display(out, number(index)),
            constant => text::push_display(out, constant.code()),
        };
        out.push(b'[');
        for (at, node) in nodes.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            match node {
                Node::Open => unreachable!("every composite that is begun is closed or fails"),
                Node::Primitive(span) => out.extend_from_slice(&self.text[span.clone()]),
                Node::Custom { name, inner } => {
                    out.push(b'[');
                    text::push_string(out, name);
                    out.push(b',');
                    link(out, *inner);
                    out.push(b']');
                }
                Node::Array(held) => self.write_parts(out, held, *b"[]", &link),
                Node::Object(held) => self.write_parts(out, held, *b"{}", &link),
            }
        }
        out.push(b']');
    }

    fn write_parts(
        &self,
        out: &mut Vec<u8>,
        held: &Range<usize>,
        brackets: [u8; 2],
        link: &impl Fn(&mut Vec<u8>, Slot),
    ) {
        out.push(brackets[0]);
        let mut separator = None;
        for part in &self.parts[held.clone()] {
            out.extend(separator);
            match part {
                Part::Value(slot) => {
                    link(out, *slot);
                    separator = Some(b',');
                }
                Part::Key(span) => {
                    out.extend_from_slice(&self.text[span.clone()]);
                    separator = Some(b':');
                }
            }
        }
        out.push(brackets[1]);
    }
}

fn node_of(slot: Slot) -> Option<u32> {
    match slot {
        Slot::Node(index) => Some(index),
        Slot::Undefined
        | Slot::Hole
        | Slot::Nan
        | Slot::Infinity
        | Slot::NegativeInfinity
        | Slot::NegativeZero => None,
    }
}

/// An index as a position in a `Vec`.
fn position(index: u32) -> usize {
    usize::try_from(index).expect("there are no more nodes than memory has room for")
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
