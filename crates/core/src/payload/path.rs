//! Where in a value something failed, written as JavaScript would reach it: `.args[0].price`. Grows
//! from the inside out while the error travels up, so that success pays nothing.

use std::fmt;

/// A path into a value; empty at the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same place, seen from the sequence that holds it at `index`.
    pub(super) fn under_index(self, index: usize) -> Self {
        Self(format!("[{index}]{}", self.0))
    }

    /// The same place, seen from the map or struct that holds it under `key`.
    pub(super) fn under_key(self, key: &str) -> Self {
        if is_identifier(key) {
            Self(format!(".{key}{}", self.0))
        } else {
            Self(format!("[{key:?}]{}", self.0))
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the root");
        }
        write!(f, "`{}`", self.0)
    }
}

fn is_identifier(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with(|first: char| first.is_ascii_digit())
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))
}
