//! Attributes: searchable key-values on a run, and what they may be.
//!
//! This module must not know which run has which.

use std::collections::BTreeMap;

/// A key, a value or a number of attributes that cannot be. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAttribute {
    /// The key is empty. Choose one of at least one character.
    #[error("the key of an attribute has at least one character")]
    EmptyKey,
    /// The key is too long. Shorten it.
    #[error(
        "the key of an attribute has at most {MAX_KEY_CHARS} characters, and this one has {chars}"
    )]
    KeyTooLong {
        /// Its length in characters.
        chars: usize,
    },
    /// Keys that begin with `$` are Rewake's own. Choose another.
    #[error("`{key}` begins with `$`, and such keys are Rewake's own: choose another")]
    Reserved {
        /// The key.
        key: String,
    },
    /// The value is too long. Attributes are for looking runs up: store the value elsewhere, and its
    /// address or digest here.
    #[error(
        "the value of `{key}` has {len} bytes, more than the {MAX_VALUE_LEN} allowed; store it elsewhere and set where it is"
    )]
    ValueTooLong {
        /// The key.
        key: String,
        /// The value's length in bytes.
        len: usize,
    },
    /// The run would have too many attributes.
    #[error("a run has at most {MAX_PER_RUN} attributes, and this one would have {count}")]
    TooMany {
        /// How many it would have.
        count: usize,
    },
}

impl InvalidAttribute {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "INVALID_ATTRIBUTE"
    }
}

/// How many characters a key may have.
pub const MAX_KEY_CHARS: usize = 256;
/// How many bytes a value may have.
pub const MAX_VALUE_LEN: usize = 256;
/// How many attributes a run may have.
pub const MAX_PER_RUN: usize = 64;

/// Checks each key and value, and how many they are.
///
/// # Errors
///
/// [`InvalidAttribute`] for the first that cannot be, in order of the keys.
pub fn check(attributes: &BTreeMap<String, String>) -> Result<(), InvalidAttribute> {
    for (key, value) in attributes {
        check_one(key, value)?;
    }
    check_count(attributes.len())
}

pub(crate) const fn check_count(count: usize) -> Result<(), InvalidAttribute> {
    if count > MAX_PER_RUN {
        return Err(InvalidAttribute::TooMany { count });
    }
    Ok(())
}

fn check_one(key: &str, value: &str) -> Result<(), InvalidAttribute> {
    let chars = key.chars().count();
    if chars == 0 {
        return Err(InvalidAttribute::EmptyKey);
    }
    if chars > MAX_KEY_CHARS {
        return Err(InvalidAttribute::KeyTooLong { chars });
    }
    if key.starts_with('$') {
        let key = key.to_owned();
        return Err(InvalidAttribute::Reserved { key });
    }
    if value.len() > MAX_VALUE_LEN {
        let (key, len) = (key.to_owned(), value.len());
        return Err(InvalidAttribute::ValueTooLong { key, len });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(key: &str, value: &str) -> Result<(), InvalidAttribute> {
        check(&BTreeMap::from([(key.to_owned(), value.to_owned())]))
    }

    #[test]
    fn keys_and_values_end_where_their_limits_are() {
        let (long, longer) = ("ß".repeat(256), "ß".repeat(257));
        assert_eq!(checked(&long, &"x".repeat(256)), Ok(()));
        assert_eq!(checked("k", ""), Ok(()));
        assert_eq!(checked("a$", "$"), Ok(()));
        assert_eq!(checked("", "v"), Err(InvalidAttribute::EmptyKey));
        let too_long = InvalidAttribute::KeyTooLong { chars: 257 };
        assert_eq!(checked(&longer, "v"), Err(too_long));
        let key = || "k".to_owned();
        let too_long = InvalidAttribute::ValueTooLong {
            key: key(),
            len: 258,
        };
        assert_eq!(checked("k", &"ß".repeat(129)), Err(too_long));
        let key = "$k".to_owned();
        assert_eq!(checked("$k", "v"), Err(InvalidAttribute::Reserved { key }));
    }

    #[test]
    fn a_run_has_so_many_and_no_more() {
        let many = |count: usize| (0..count).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(check(&many(64)), Ok(()));
        assert_eq!(
            check(&many(65)),
            Err(InvalidAttribute::TooMany { count: 65 })
        );
    }
}
