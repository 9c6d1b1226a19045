//! Only a step takes provided values.

use rewake::prelude::*;

#[derive(Clone)]
struct Mailer;

#[workflow]
async fn review(doc: String, #[provided] mailer: Mailer) -> anyhow::Result<String> {
    drop(mailer);
    Ok(doc)
}

fn main() {}
