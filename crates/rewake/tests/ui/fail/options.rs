//! Wrong options are reported together.

use rewake::prelude::*;

#[workflow(timeout = "30s", name = review, aliases = "old")]
async fn review() -> anyhow::Result<()> {
    Ok(())
}

#[step(retries = 5, max_retries = "5", timeout = "0s", backoff = "30 parsecs", name)]
async fn publish() -> anyhow::Result<()> {
    Ok(())
}

#[step(max_retries = 5, max_retries = 6)]
async fn publish_again() -> anyhow::Result<()> {
    Ok(())
}

fn main() {
    drop(review());
    drop(publish());
}
