//! The secrets that requests are signed with: in memory alone. Must not know what signs with them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Secrets by name: several values under one name while senders change from one to the other.
///
/// Printed it shows the names and how many values each has, never a value.
///
/// # Examples
///
/// ```
/// use rewake_runtime::webhook::Secrets;
///
/// let mut secrets = Secrets::default();
/// secrets.add("stripe", "whsec_old");
/// secrets.add("stripe", "whsec_new");
/// assert_eq!(secrets.values("stripe").count(), 2);
/// assert_eq!(secrets.values("github").count(), 0);
/// assert_eq!(format!("{secrets:?}"), r#"{"stripe": 2}"#);
/// ```
#[derive(Clone, Default)]
pub struct Secrets {
    values: BTreeMap<String, Vec<Arc<[u8]>>>,
}

impl Secrets {
    /// Adds a value to those under a name.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        let values = self.values.entry(name.into()).or_default();
        values.push(value.into().into());
    }

    /// The values under a name, oldest first.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.values
            .get(name)
            .into_iter()
            .flatten()
            .map(|value| &**value)
    }

    /// A name with an empty value, which everybody could sign with.
    pub(crate) fn empty(&self) -> Option<&str> {
        let empty = |values: &[Arc<[u8]>]| values.iter().any(|value| value.is_empty());
        let mut all = self.values.iter();
        all.find(|(_, values)| empty(values))
            .map(|(name, _)| name.as_str())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self
            .values
            .iter()
            .map(|(name, values)| (name, values.len()));
        f.debug_map().entries(counts).finish()
    }
}
