//! A provided value is `Clone + Send + Sync + 'static`.

use rewake::prelude::*;

struct Mailer;

#[step]
async fn publish(#[provided] mailer: Mailer) -> anyhow::Result<()> {
    drop(mailer);
    Ok(())
}

fn main() {}
