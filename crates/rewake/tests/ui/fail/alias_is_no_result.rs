//! What only the compiler can tell to be no `Result`.

use rewake::prelude::*;

type Reply = u8;

#[step]
async fn publish() -> Reply {
    1
}

fn main() {}
