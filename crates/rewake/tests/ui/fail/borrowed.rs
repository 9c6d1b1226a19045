//! Arguments and results are owned.

use rewake::prelude::*;

#[workflow]
async fn review(doc: &str, pages: Vec<&[u8]>) -> anyhow::Result<usize> {
    Ok(doc.len() + pages.len())
}

#[step]
async fn publish(doc: String) -> anyhow::Result<&'static str> {
    drop(doc);
    Ok("published")
}

fn main() {}
