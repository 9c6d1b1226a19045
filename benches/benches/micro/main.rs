//! The small parts of the engine, each alone: `cargo xtask bench micro`, or
//! `cargo bench -p rewake-bench`.
//!
//! Tests of every run do each once, which shows that it still works and measures nothing. What a part
//! costs is decided by the machine, so nothing here has a bound: the figures are for whoever changes
//! the part, before and after.

mod event;
mod judge;
mod log;
mod payload;
mod replay;
mod store;

fn main() {
    divan::main();
}
