//! The contract of a store.

#![forbid(unsafe_code)]
