//! Every option, provided values, and attributes of the user's.

use rewake::prelude::*;

pub mod shop {
    pub use rewake;
}

#[derive(Clone)]
struct Mailer;

/// Asks somebody.
#[workflow(name = "shop::review", aliases = ["shop::check"], crate = crate::shop::rewake)]
async fn review(doc: String) -> anyhow::Result<String> {
    Ok(doc)
}

#[step(name = "ask", max_retries = 5, timeout = "1m 30s", backoff = "2s", crate = shop::rewake)]
#[must_use]
async fn ask(doc: String, #[provided] _mailer: Mailer) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    drop(doc);
    Ok(())
}

fn main() {
    drop(review("a".into()));
    drop(ask("a".into()));

    #[workflow]
    async fn inside_a_function() -> anyhow::Result<()> {
        Ok(())
    }
    drop(inside_a_function());
}
