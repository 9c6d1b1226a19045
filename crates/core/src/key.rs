//! Idempotency keys: what a caller gives a request so that it may be repeated, and what such a text
//! may be.
//!
//! This module must not know which keys are in use.

/// The text cannot be an idempotency key. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// The text is empty: everything would be the same request. Leave the key out, or make one of
    /// what the request is about.
    #[error("an idempotency key has at least one byte; leave it out where there is none")]
    Empty,
    /// The text is longer than allowed. Use a digest of it.
    #[error(
        "the idempotency key has {len} bytes, more than the {MAX_LEN} allowed; use a digest of it"
    )]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The text holds a control character.
    #[error("an idempotency key has no control characters; use a digest of it")]
    ControlCharacter,
}

/// How many bytes an idempotency key may have.
pub const MAX_LEN: usize = 512;

impl InvalidKey {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "INVALID_KEY"
    }
}

/// Checks a text that shall be an idempotency key.
///
/// # Errors
///
/// [`InvalidKey`] where the text is empty, longer than [`MAX_LEN`] bytes, or has control characters.
pub fn check(key: &str) -> Result<(), InvalidKey> {
    if key.is_empty() {
        return Err(InvalidKey::Empty);
    }
    if key.len() > MAX_LEN {
        return Err(InvalidKey::TooLong { len: key.len() });
    }
    if key.chars().any(char::is_control) {
        return Err(InvalidKey::ControlCharacter);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_between_1_and_512_bytes_without_control_characters() {
        assert_eq!(check(""), Err(InvalidKey::Empty));
        assert_eq!(check(" "), Ok(()));
        assert_eq!(check(&"x".repeat(512)), Ok(()));
        let len = 514;
        assert_eq!(check(&"ß".repeat(257)), Err(InvalidKey::TooLong { len }));
        for text in ["a\nb", "\0", "a\u{7f}", "\u{85}"] {
            assert_eq!(check(text), Err(InvalidKey::ControlCharacter), "{text:?}");
        }
        assert_eq!(check("order:7/zahlung ü"), Ok(()));
    }
}
