//! What was asked for last, some thousands of it.
//!
//! One thing is forgotten for each new one, and never many at once: whoever waits for the next commit
//! would wait for that, too.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

/// How much is remembered: more than runs take their turns at full load.
const MOST: usize = 8_192;

/// The clock algorithm: a hand goes round over what is remembered, and what was not asked for since
/// it came by last makes room for the next.
#[derive(Debug)]
pub(crate) struct Recent<K, V, S = RandomState> {
    places: HashMap<K, usize, S>,
    slots: Vec<Slot<K, V>>,
    hand: usize,
}

#[derive(Debug)]
struct Slot<K, V> {
    kept: Option<(K, V)>,
    /// Since the hand came by.
    asked_for: bool,
}

impl<K, V, S: Default> Default for Recent<K, V, S> {
    fn default() -> Self {
        Self {
            places: HashMap::default(),
            slots: Vec::new(),
            hand: 0,
        }
    }
}

impl<K: Clone + Eq + Hash, V, S: BuildHasher> Recent<K, V, S> {
    pub(crate) fn put(&mut self, key: K, value: V) {
        if let Some(kept) = self.get(&key) {
            *kept = value;
            return;
        }
        let at = self.room();
        self.places.insert(key.clone(), at);
        self.slots[at].kept = Some((key, value));
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<&mut V> {
        let slot = &mut self.slots[*self.places.get(key)?];
        slot.asked_for = true;
        slot.kept.as_mut().map(|(_, value)| value)
    }

    pub(crate) fn forget(&mut self, key: &K) {
        if let Some(at) = self.places.remove(key) {
            let slot = &mut self.slots[at];
            (slot.kept, slot.asked_for) = (None, false);
        }
    }

    /// An empty place.
    fn room(&mut self) -> usize {
        if self.slots.len() < MOST {
            self.slots.push(Slot {
                kept: None,
                asked_for: false,
            });
            return self.slots.len() - 1;
        }
        loop {
            let at = self.hand;
            self.hand = (at + 1) % self.slots.len();
            let slot = &mut self.slots[at];
            if !std::mem::take(&mut slot.asked_for) {
                if let Some((key, _)) = slot.kept.take() {
                    self.places.remove(&key);
                }
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> Recent<usize, usize> {
        let mut recent = Recent::default();
        (0..MOST).for_each(|n| recent.put(n, n));
        recent
    }

    fn known(recent: &Recent<usize, usize>) -> usize {
        let kept = recent.slots.iter().filter(|slot| slot.kept.is_some());
        assert_eq!(kept.count(), recent.places.len());
        recent.places.len()
    }

    #[test]
    fn what_was_put_last_is_what_is_known() {
        let mut recent = filled();
        recent.put(7, 70);
        assert_eq!(recent.get(&7).copied(), Some(70));
        assert_eq!(known(&recent), MOST);
    }

    #[test]
    fn what_was_not_asked_for_makes_room() {
        let mut recent = filled();
        assert_eq!(recent.get(&0).copied(), Some(0));
        recent.put(MOST, MOST);
        assert_eq!(recent.get(&0).copied(), Some(0));
        assert_eq!(recent.get(&1), None);
        assert_eq!(recent.get(&2).copied(), Some(2));
        assert_eq!(recent.get(&MOST).copied(), Some(MOST));
        assert_eq!(known(&recent), MOST);
    }

    #[test]
    fn where_all_was_asked_for_there_is_room_still() {
        let mut recent = filled();
        for n in 0..MOST {
            assert!(recent.get(&n).is_some());
        }
        recent.put(MOST, MOST);
        assert_eq!(recent.get(&0), None);
        assert_eq!(known(&recent), MOST);
    }

    #[test]
    fn what_was_forgotten_makes_room_first() {
        let mut recent = filled();
        recent.forget(&0);
        assert_eq!(recent.get(&0), None);
        assert_eq!(known(&recent), MOST - 1);
        recent.put(MOST, MOST);
        assert_eq!(recent.get(&1).copied(), Some(1));
        assert_eq!(known(&recent), MOST);
    }
}
