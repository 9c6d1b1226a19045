//! Arguments and results are `Serialize + DeserializeOwned`. Only the first is missing here: what the
//! compiler says of the second hangs on the features of other crates.

use rewake::prelude::*;

#[derive(Deserialize)]
struct Order;

#[step]
async fn publish(copies: u32, order: Order) -> anyhow::Result<u32> {
    drop(order);
    Ok(copies)
}

#[workflow]
async fn review() -> anyhow::Result<Order> {
    Ok(Order)
}

fn main() {}
