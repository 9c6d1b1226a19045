//! Types are fixed: no generic parameters, no `impl Trait`.

use rewake::prelude::*;

#[workflow]
async fn review<T: Send, const N: usize>(doc: T) -> anyhow::Result<()> {
    drop(doc);
    Ok(())
}

#[step]
async fn publish(doc: impl Into<String> + Send) -> anyhow::Result<String> {
    Ok(doc.into())
}

fn main() {}
