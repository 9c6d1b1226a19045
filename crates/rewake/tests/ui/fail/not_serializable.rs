//! Arguments and results are `Serialize + DeserializeOwned`.

use rewake::prelude::*;

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
