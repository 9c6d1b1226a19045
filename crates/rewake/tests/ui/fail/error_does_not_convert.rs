//! An error converts into `Box<dyn Error + Send + Sync>`.

use rewake::prelude::*;

struct NoError;

#[step]
async fn publish() -> Result<(), NoError> {
    Err(NoError)
}

fn main() {}
