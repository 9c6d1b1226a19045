//! A workflow and a step are `async`.

use rewake::prelude::*;

#[workflow]
fn review(doc: String) -> anyhow::Result<String> {
    Ok(doc)
}

#[step]
fn publish(doc: String) -> anyhow::Result<String> {
    Ok(doc)
}

fn main() {}
