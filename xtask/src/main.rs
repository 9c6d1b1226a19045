//! Checks, tests and builds of this repository.

fn main() {}
