//! What can go wrong when a value becomes a payload or a payload becomes a value. Knows the words,
//! not the format.

use std::fmt;

use serde::{de, ser};
use thiserror::Error;

use super::envelope::Codec;
use super::limits::MAX_DEPTH;
use super::path::Path;

/// A value cannot be written as a payload.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot encode the value at {path}: {kind}")]
pub struct EncodeError {
    path: Path,
    kind: EncodeErrorKind,
}

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// The value nests deeper than [`MAX_DEPTH`].
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// The value has more parts than an index can count.
    #[error("it has more than {} parts", u32::MAX)]
    TooLarge,
    /// A newtype asks to be written as a custom type of this name, which the format needs itself.
    #[error("`{name}` cannot name a custom type")]
    ReservedName {
        /// The name, without its prefix.
        name: &'static str,
    },
    /// The value's own `Serialize` refused.
    #[error("{0}")]
    Message(String),
}

impl EncodeError {
    /// Why the value cannot be written.
    pub fn kind(&self) -> &EncodeErrorKind {
        &self.kind
    }

    /// Where in the value it failed, as in `.args[0].price`; empty at the root. An entry of a map
    /// with keys that are not strings is named by its position.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self.kind {
            EncodeErrorKind::TooDeep => "PAYLOAD_ENCODE_TOO_DEEP",
            EncodeErrorKind::TooLarge => "PAYLOAD_ENCODE_TOO_LARGE",
            EncodeErrorKind::ReservedName { .. } => "PAYLOAD_ENCODE_RESERVED_NAME",
            EncodeErrorKind::Message(_) => "PAYLOAD_ENCODE_REFUSED",
        }
    }

    pub(super) fn under_index(self, index: usize) -> Self {
        Self {
            path: self.path.under_index(index),
            ..self
        }
    }

    pub(super) fn under_key(self, key: &str) -> Self {
        Self {
            path: self.path.under_key(key),
            ..self
        }
    }
}

impl From<EncodeErrorKind> for EncodeError {
    fn from(kind: EncodeErrorKind) -> Self {
        Self {
            path: Path::default(),
            kind,
        }
    }
}

impl ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        EncodeErrorKind::Message(message.to_string()).into()
    }
}

/// A payload cannot be read as the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot decode the value at {path}: {kind}")]
pub struct DecodeError {
    path: Path,
    kind: DecodeErrorKind,
}

/// Why a payload cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The payload is shorter than a codec tag.
    #[error("the payload has no codec tag")]
    NoCodec,
    /// The tag is of a codec that exists, but that this build does not read.
    #[error("this build cannot read payloads of codec `{codec}`")]
    UnsupportedCodec {
        /// The tag.
        codec: Codec,
    },
    /// The tag is of no codec we know.
    #[error("codec `{codec}` is unknown")]
    UnknownCodec {
        /// The tag.
        codec: Codec,
    },
    /// The text after the tag is not what the codec writes.
    #[error("the text is malformed: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The value holds itself.
    #[error("it holds itself")]
    Cyclic,
    /// The value nests deeper than [`MAX_DEPTH`].
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Reading the value would take far more than its text: a short text whose parts are shared so
    /// often that they unfold to something huge.
    #[error("it unfolds to far more than its text")]
    TooLarge,
    /// The target wants a certain custom type and the payload holds something else.
    #[error("expected `{expected}`, found {found}")]
    WrongType {
        /// The name of the wanted type.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The target type does not accept what the payload holds.
    #[error("{0}")]
    Message(String),
}

impl DecodeError {
    /// Why the payload cannot be read.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.kind
    }

    /// Where in the value it failed, as in `.args[0].price`; empty at the root.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self.kind {
            DecodeErrorKind::NoCodec => "PAYLOAD_DECODE_NO_CODEC",
            DecodeErrorKind::UnsupportedCodec { .. } => "PAYLOAD_DECODE_UNSUPPORTED_CODEC",
            DecodeErrorKind::UnknownCodec { .. } => "PAYLOAD_DECODE_UNKNOWN_CODEC",
            DecodeErrorKind::Malformed { .. } => "PAYLOAD_DECODE_MALFORMED",
            DecodeErrorKind::Cyclic => "PAYLOAD_DECODE_CYCLIC",
            DecodeErrorKind::TooDeep => "PAYLOAD_DECODE_TOO_DEEP",
            DecodeErrorKind::TooLarge => "PAYLOAD_DECODE_TOO_LARGE",
            DecodeErrorKind::WrongType { .. } => "PAYLOAD_DECODE_WRONG_TYPE",
            DecodeErrorKind::Message(_) => "PAYLOAD_DECODE_MISMATCH",
        }
    }

    pub(super) fn under_index(self, index: usize) -> Self {
        Self {
            path: self.path.under_index(index),
            ..self
        }
    }

    pub(super) fn under_key(self, key: &str) -> Self {
        Self {
            path: self.path.under_key(key),
            ..self
        }
    }
}

impl DecodeErrorKind {
    pub(super) fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed {
            reason: reason.into(),
        }
    }
}

impl From<DecodeErrorKind> for DecodeError {
    fn from(kind: DecodeErrorKind) -> Self {
        Self {
            path: Path::default(),
            kind,
        }
    }
}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        DecodeErrorKind::Message(message.to_string()).into()
    }
}
