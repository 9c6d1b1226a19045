//! What the attributes write passes in a crate that is strict about lints.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    let_underscore_drop,
    unused_results
)]

extern crate rewake;
extern crate std;

use rewake::{step, workflow};
use std::convert::Infallible;
use std::result::Result::{self, Ok};

/// Nobody calls this one but the engine, by its name.
#[workflow]
async fn started_by_name() -> Result<(), Infallible> {
    Ok(())
}

/// Publishes.
#[step]
async fn publish(copies: u32) -> Result<u32, Infallible> {
    Ok(copies)
}

fn main() {
    std::mem::drop(publish(1));
}
