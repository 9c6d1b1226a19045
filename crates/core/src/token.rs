//! Hook tokens: the address under which a hook takes payloads.
//!
//! A token is a credential where it is random, so its `Debug` never shows more than its beginning.
//! This module must not know which tokens are in use.

use std::fmt;
use std::sync::Arc;

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize, Serializer};

/// The address of a hook.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(Arc<str>);

/// The text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// The text is empty. Choose a token of at least one byte.
    #[error("a token has at least one byte")]
    Empty,
    /// The text is longer than allowed. Shorten it, or use a digest of it.
    #[error(
        "the token has {len} bytes, more than the {limit} allowed; shorten it or use a digest of it"
    )]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The text holds a control character.
    #[error("a token has no control characters")]
    ControlCharacter,
}

impl InvalidToken {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        "INVALID_TOKEN"
    }
}

impl Token {
    /// How many bytes a token may have unless the application sets another limit.
    pub const MAX_LEN: usize = 512;

    /// Checks a text and makes it a token.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] where the text is empty, longer than `limit` bytes, or has control
    /// characters; nothing was changed anywhere.
    pub fn parse(text: &str, limit: usize) -> Result<Self, InvalidToken> {
        if text.is_empty() {
            return Err(InvalidToken::Empty);
        }
        if text.len() > limit {
            return Err(InvalidToken::TooLong {
                len: text.len(),
                limit,
            });
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidToken::ControlCharacter);
        }
        Ok(Self(text.into()))
    }

    /// A token that cannot be guessed, from 128 bits of the operating system's entropy.
    ///
    /// Written as 26 letters and digits, so that it stands in a URL as it is.
    pub fn random(entropy: u128) -> Self {
        let mut buffer = [0; ulid::ULID_LEN];
        Self((&*ulid::Ulid(entropy).array_to_str(&mut buffer)).into())
    }

    /// The token as text. Take care where it goes: who knows it can resume.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning of the token, enough to tell a few apart and too little to resume with: for
    /// lists and messages, where it was drawn at random.
    pub fn shortened(&self) -> String {
        let shown: String = self.0.chars().take(4).collect();
        format!("{shown}…")
    }
}

impl TryFrom<String> for Token {
    type Error = InvalidToken;

    fn try_from(text: String) -> Result<Self, InvalidToken> {
        Self::parse(&text, usize::MAX)
    }
}

impl AsRef<str> for Token {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.shortened())
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<C> Encode<C> for Token {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Token {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Ok(Self(d.str()?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_at_their_edge() {
        assert_eq!(Token::parse("", 512), Err(InvalidToken::Empty));
        let longest = "a".repeat(512);
        assert_eq!(Token::parse(&longest, 512).unwrap().as_str(), longest);
        assert_eq!(
            Token::parse(&"a".repeat(513), 512),
            Err(InvalidToken::TooLong {
                len: 513,
                limit: 512
            })
        );
        assert_eq!(
            Token::parse("a\nb", 512),
            Err(InvalidToken::ControlCharacter)
        );
    }

    #[test]
    fn debug_hides_the_token() {
        let token = Token::random(u128::MAX / 3);
        assert!(!format!("{token:?}").contains(token.as_str()));
        assert_eq!(token.as_str().len(), 26);
    }
}
