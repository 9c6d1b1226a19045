//! All problems of one function are reported together.

use rewake::prelude::*;

#[workflow(retries = 1)]
unsafe fn review<T>(doc: &str, #[provided] all: T) -> String {
    doc.to_owned()
}

fn main() {}
