//! The future of a workflow or a step is `Send`.

use std::rc::Rc;

use rewake::prelude::*;

#[step]
async fn publish() -> anyhow::Result<()> {
    Ok(())
}

#[workflow]
async fn review() -> anyhow::Result<()> {
    let shared = Rc::new(1);
    publish().await?;
    drop(shared);
    Ok(())
}

fn main() {}
