//! A method has a `self` that no log can hold.

use rewake::prelude::*;

struct Shop;

impl Shop {
    #[step]
    async fn publish(&self, doc: String) -> anyhow::Result<String> {
        Ok(doc)
    }
}

fn main() {
    drop(Shop.publish("a".into()));
}
