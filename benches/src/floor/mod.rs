//! The floor: what the same rows cost on the same disk, written by a program without an engine.
//!
//! It has a file of its own with the store's schema and the store's settings, and writes for each
//! operation as many rows of as many bytes as the engine was seen to write. This module must not use
//! the engine.

mod ground;
mod halves;
mod lone;
mod measure;

pub(crate) use halves::Halves;
pub(crate) use measure::{Also, Floor, Measure};
