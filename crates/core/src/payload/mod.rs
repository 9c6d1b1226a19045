//! Payloads: values of any Rust type as opaque bytes, and back. Knows the format and serde; must
//! not know what a payload is for, who wrote it, or where it is kept.
//!
#![doc = include_str!("../docs/payload.md")]

mod access;
mod compound;
mod cursor;
mod custom;
mod date;
mod deserializer;
mod envelope;
mod error;
mod graph;
mod key;
mod limits;
mod number;
mod parse;
mod path;
mod serializer;
mod show;
mod slot;
mod step;
mod table;
mod text;
mod typed;
mod variant;

#[cfg(test)]
mod tests;

pub use cursor::is_null;
pub use custom::{CUSTOM_PREFIX, Undefined};
pub use date::{Date, ParseDateError};
pub use deserializer::decode;
pub use envelope::{Codec, Payload};
pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
pub use limits::MAX_DEPTH;
pub use serializer::encode;
pub use step::{Arguments, step_args, step_input};
