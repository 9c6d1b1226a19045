//! Rows of one kind, as far as they are known, and which of them have changed.

use std::collections::{BTreeMap, BTreeSet};

use rewake_store::StoreError;

/// What was found: a row, none, or one that is not what was written.
pub(crate) type Found<V> = Result<Option<V>, StoreError>;

/// Rows by key.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    known: BTreeMap<K, Found<V>>,
    changed: BTreeSet<K>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }
}

impl<K: Clone + Ord, V: Clone> Table<K, V> {
    /// Notes what was looked up. What is known already stands: it was read under its lock, or it is
    /// what was written since.
    pub(crate) fn see(&mut self, key: K, found: Found<V>) {
        self.known.entry(key).or_insert(found);
    }

    /// Of all that was looked up, what was not seen is not there.
    pub(crate) fn see_no_others(&mut self, keys: Vec<K>) {
        for key in keys {
            self.see(key, Ok(None));
        }
    }

    /// What is known; nothing where it was not looked up.
    pub(crate) fn look(&self, key: &K) -> Option<Found<V>> {
        self.known.get(key).cloned()
    }

    /// Puts a row, or takes it away.
    pub(crate) fn put(&mut self, key: K, row: Option<V>) {
        self.changed.insert(key.clone());
        self.known.insert(key, Ok(row));
    }

    /// True where the row was put or taken away since the changes were asked last.
    pub(crate) fn has_changed(&self, key: &K) -> bool {
        self.changed.contains(key)
    }

    /// Takes away, as known and unchanged, what `is_gone` says of the keys.
    pub(crate) fn clear(&mut self, is_gone: impl Fn(&K) -> bool) {
        self.changed.retain(|key| !is_gone(key));
        for (key, found) in &mut self.known {
            if is_gone(key) {
                *found = Ok(None);
            }
        }
    }

    /// The rows that were put and not asked for since.
    pub(crate) fn into_put(mut self) -> impl Iterator<Item = (K, V)> {
        let changed = self.changed;
        changed.into_iter().filter_map(move |key| {
            let row = self.known.remove(&key)?.ok()??;
            Some((key, row))
        })
    }

    /// What has changed since this was asked last: rows that are there, and keys of those that are
    /// not.
    pub(crate) fn changes(&mut self) -> (Vec<(K, V)>, Vec<K>) {
        let (mut put, mut gone) = (Vec::new(), Vec::new());
        for key in std::mem::take(&mut self.changed) {
            match self.known.get(&key) {
                Some(Ok(Some(row))) => put.push((key, row.clone())),
                Some(Ok(None) | Err(_)) | None => gone.push(key),
            }
        }
        (put, gone)
    }
}
