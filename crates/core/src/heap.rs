//! What ordered maps take from the heap.
//!
//! A run that waits may wait for weeks, with a million others beside it, so what it holds in memory is
//! counted, and what it holds for nothing is let go of. The standard library keeps a map's entries in
//! nodes with room for eleven: a map of one entry takes a whole node, and so does one whose last entry
//! was removed.

use std::collections::{BTreeMap, BTreeSet};

/// A node's room, and its own fields.
const NODE: usize = 11;
const FIELDS: usize = 16;

/// Roughly what a map of so many entries takes, in bytes, where an empty one was let go of.
const fn nodes<T>(len: usize) -> usize {
    match len {
        0 => 0,
        1..=NODE => NODE * size_of::<T>() + FIELDS,
        // Nodes are half full at least, and two thirds full as a rule.
        _ => len * (size_of::<T>() + FIELDS) * 3 / 2,
    }
}

/// Roughly what a map takes, in bytes, apart from what its entries hold elsewhere. One that is empty counts
/// as one that was let go of.
pub fn map<K, V>(map: &BTreeMap<K, V>) -> usize {
    nodes::<(K, V)>(map.len())
}

/// Roughly what a set takes, in bytes, as [`map`].
pub fn set<T>(set: &BTreeSet<T>) -> usize {
    nodes::<T>(set.len())
}

/// Lets go of the node that an empty map keeps.
pub fn shrink_map<K, V>(map: &mut BTreeMap<K, V>) {
    if map.is_empty() {
        *map = BTreeMap::new();
    }
}

/// Lets go of the node that an empty set keeps.
pub fn shrink_set<T>(set: &mut BTreeSet<T>) {
    if set.is_empty() {
        *set = BTreeSet::new();
    }
}
