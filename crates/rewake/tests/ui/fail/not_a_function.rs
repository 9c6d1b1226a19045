//! The attributes go on functions with a body.

use rewake::prelude::*;

#[workflow]
struct Review;

trait Publish {
    #[step]
    async fn publish() -> anyhow::Result<()>;
}

fn main() {}
