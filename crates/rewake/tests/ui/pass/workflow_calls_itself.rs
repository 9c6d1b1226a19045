//! In its own body, a workflow's name means the function that returns a call.

use std::convert::Infallible;

use rewake::prelude::*;

#[workflow]
async fn countdown(from: u32) -> anyhow::Result<u32> {
    if from == 0 {
        return Ok(0);
    }
    Ok(countdown(from - 1).await?)
}

#[workflow]
async fn cannot_fail() -> Result<(), Infallible> {
    Ok(())
}

fn main() {
    drop(countdown(3));
    drop(cannot_fail());
}
