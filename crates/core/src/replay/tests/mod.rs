//! Replay tests, one file per capability.
//!
//! `log` builds what a store would hand out, `driver` feeds it to a machine and stands in for the
//! workflow one call at a time, `program` is a whole deterministic workflow without futures, and
//! `world` runs such a program against a simulated log.

mod driver;
mod log;
mod program;
mod world;

mod adoption;
mod attributes;
mod cancel;
mod children;
mod clean_up;
mod conflicts;
mod disposal;
mod divergence;
mod due;
mod entropy;
mod finish;
mod hooks;
mod illegal;
mod properties;
mod roles;
mod scale;
mod steps;
mod taken;
mod waits;
