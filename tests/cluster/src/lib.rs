//! A program that is run several times at once on one database, to be killed while it works.
//!
//! As a worker it runs the workflows below; as a client it sends them letters and insists on an
//! answer. Each process writes what it was told to a journal of its own before it goes on, so that
//! the tests, which stand outside, can compare what was acknowledged with what came of it.

#![forbid(unsafe_code)]

pub mod client;
pub mod crowd;
pub mod handle;
pub mod journal;
pub mod options;
pub mod worker;
pub mod workflows;
