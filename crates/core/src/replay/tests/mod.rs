//! Replay tests, one file per capability.
//!
//! `log` builds what a store would hand out, `driver` feeds it to a machine and stands in for the
//! workflow one call at a time, `program` is a whole deterministic workflow without futures, and
//! `world` runs such a program against a simulated log.

mod log;
mod program;
mod world;

mod properties;
