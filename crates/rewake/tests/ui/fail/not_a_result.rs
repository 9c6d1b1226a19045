//! A workflow and a step say whether they failed.

use rewake::prelude::*;

#[workflow]
async fn review(doc: String) -> String {
    doc
}

#[step]
async fn publish() {}

fn main() {}
