//! An ordered map that mostly holds one entry.
//!
//! A run that waits mostly waits for one thing: one hook, one sleep, one step. The standard library's map
//! takes a node with room for eleven entries for it, from the heap and back to it; this one keeps a
//! single entry within itself and takes to such a map when a second comes. To whoever uses it there is
//! no difference.

use std::collections::BTreeMap;
use std::fmt;

use crate::heap;

/// An ordered map for what is mostly none or one.
#[derive(Clone)]
pub struct Few<K, V>(Held<K, V>);

#[derive(Clone)]
enum Held<K, V> {
    Nothing,
    One(K, V),
    /// From the second entry on, until the last has gone.
    Many(BTreeMap<K, V>),
}

impl<K, V> Few<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self(Held::Nothing)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Held::Nothing => 0,
            Held::One(..) => 1,
            Held::Many(map) => map.len(),
        }
    }

    /// True where there is no entry.
    pub const fn is_empty(&self) -> bool {
        matches!(self.0, Held::Nothing)
    }

    /// The entries, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (one, many) = match &self.0 {
            Held::Nothing => (None, None),
            Held::One(key, value) => (Some((key, value)), None),
            Held::Many(map) => (None, Some(map.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Drops the entries that are not to be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool)
    where
        K: Ord,
    {
        let left = match &mut self.0 {
            Held::Nothing => return,
            Held::One(key, value) => keep(key, value),
            Held::Many(map) => {
                map.retain(keep);
                !map.is_empty()
            }
        };
        if !left {
            self.0 = Held::Nothing;
        }
    }

    /// Drops every entry.
    pub fn clear(&mut self) {
        self.0 = Held::Nothing;
    }

    /// Roughly what it takes from the heap, in bytes, apart from what its entries hold there.
    pub fn weight(&self) -> usize {
        match &self.0 {
            Held::Nothing | Held::One(..) => 0,
            Held::Many(map) => heap::map(map),
        }
    }
}

impl<K: Ord, V> Few<K, V> {
    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        match &self.0 {
            Held::One(known, value) if known == key => Some(value),
            Held::Nothing | Held::One(..) => None,
            Held::Many(map) => map.get(key),
        }
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match &mut self.0 {
            Held::One(known, value) if known == key => Some(value),
            Held::Nothing | Held::One(..) => None,
            Held::Many(map) => map.get_mut(key),
        }
    }

    /// True where the key has an entry.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Puts a value in; the one that it replaces comes back.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match &mut self.0 {
            Held::Nothing => {
                self.0 = Held::One(key, value);
                None
            }
            Held::One(known, old) if *known == key => Some(std::mem::replace(old, value)),
            Held::One(..) => {
                if let Held::One(known, old) = std::mem::replace(&mut self.0, Held::Nothing) {
                    self.0 = Held::Many(BTreeMap::from([(known, old), (key, value)]));
                }
                None
            }
            Held::Many(map) => map.insert(key, value),
        }
    }

    /// Takes an entry out. With the last of them goes what it took from the heap.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let removed = match &mut self.0 {
            Held::One(known, _) if known == key => {
                match std::mem::replace(&mut self.0, Held::Nothing) {
                    Held::One(_, value) => return Some(value),
                    Held::Nothing | Held::Many(_) => return None,
                }
            }
            Held::Nothing | Held::One(..) => return None,
            Held::Many(map) => (map.remove(key), map.is_empty()),
        };
        let (value, was_last) = removed;
        if was_last {
            self.0 = Held::Nothing;
        }
        value
    }
}

/// A set that mostly holds one.
impl<K: Ord> Few<K, ()> {
    /// Puts one in; true where it was not in.
    pub fn add(&mut self, key: K) -> bool {
        self.insert(key, ()).is_none()
    }

    /// Takes one out; true where it was in.
    pub fn take(&mut self, key: &K) -> bool {
        self.remove(key).is_some()
    }
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Few<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Few<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Few<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries(few: &Few<u8, u8>) -> Vec<(u8, u8)> {
        few.iter().map(|(key, value)| (*key, *value)).collect()
    }

    proptest! {
        #[test]
        fn it_is_what_a_map_is(steps in prop::collection::vec((0..8_u8, 0..4_u8, 0..3_u8), 0..40)) {
            let (mut few, mut map) = (Few::new(), BTreeMap::new());
            for (what, key, value) in steps {
                match what {
                    0..4 => prop_assert_eq!(few.insert(key, value), map.insert(key, value)),
                    4..7 => prop_assert_eq!(few.remove(&key), map.remove(&key)),
                    _ => {
                        few.retain(|_, kept| *kept == value);
                        map.retain(|_, kept| *kept == value);
                    }
                }
                prop_assert_eq!(few.get(&key), map.get(&key));
                prop_assert_eq!(few.get_mut(&key), map.get_mut(&key));
                prop_assert_eq!(few.len(), map.len());
                prop_assert_eq!(few.is_empty(), map.is_empty());
                prop_assert_eq!(entries(&few), Vec::from_iter(map.clone()));
            }
        }
    }

    #[test]
    fn what_was_many_equals_what_never_was() {
        let (mut one, mut other) = (Few::new(), Few::new());
        one.insert(1, 1);
        other.insert(2, 2);
        other.insert(1, 1);
        other.remove(&2);
        assert_eq!(one, other);
    }

    #[test]
    fn one_takes_nothing_from_the_heap_and_many_give_it_back() {
        let mut few = Few::new();
        few.insert(1_u8, 1_u8);
        assert_eq!(few.weight(), 0);
        few.insert(2, 2);
        assert!(few.weight() > 0);
        few.remove(&1);
        few.remove(&2);
        assert_eq!(few.weight(), 0);
    }
}
