//! A workflow is `async`; a step may be a plain function, which may block.

use rewake::prelude::*;

#[workflow]
fn review(doc: String) -> anyhow::Result<String> {
    Ok(doc)
}

#[step]
fn publish(doc: String) -> anyhow::Result<String> {
    Ok(doc)
}

fn main() {
    drop(publish("doc".into()));
}
