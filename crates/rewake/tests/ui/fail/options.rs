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

#[step(max_retries = 4294967296, timeout = "1.5s", backoff = "99999999999999999999d", name = "two words")]
async fn publish_in_vain() -> anyhow::Result<()> {
    Ok(())
}

#[step(timeout = "-5s", backoff = "", max_retries = -1)]
async fn publish_before() -> anyhow::Result<()> {
    Ok(())
}

#[workflow(name = "review", aliases = ["check", "review"])]
async fn review_again() -> anyhow::Result<()> {
    Ok(())
}

fn main() {
    drop(review());
    drop(publish());
}
