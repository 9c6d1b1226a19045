//! The workflow and its steps.

use std::time::Duration;

use anyhow::{Context, ensure};
use rewake::prelude::*;

use crate::world::World;

/// What a customer has ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub number: u32,
    /// What is to be sent.
    pub item: String,
    /// The card that pays.
    pub card: String,
    /// How long the bank has to confirm the payment.
    pub pay_within: Duration,
}

/// What the bank says of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Whether the money is there.
    pub confirmed: bool,
}

/// The token under which the bank reports the payment of an order.
pub fn payment_of(number: u32) -> String {
    format!("payment:{number}")
}

/// The token under which the courier reports who has collected the parcel of an order.
pub fn collection_of(number: u32) -> String {
    format!("collection:{number}")
}

/// Fulfils an order. If that fails, takes too long or is cancelled, all that was done is taken back,
/// the newest first.
#[workflow]
pub async fn fulfil(order: Order) -> anyhow::Result<String> {
    // Each `undo` comes first: a step may have done its work although its answer was never heard.
    undo(release_stock(order.clone()));
    reserve_stock(order.clone()).await?;

    undo(refund_card(order.clone()));
    pay(&order).await?;

    undo(call_courier_off(order.clone()));
    let driver = ship(&order).await?;
    Ok(format!("{driver} is on the way with the {}", order.item))
}

/// Has the card charged, and waits for the bank to say that it has the money.
async fn pay(order: &Order) -> anyhow::Result<()> {
    let mut payments = create_hook::<Payment>()
        .token(payment_of(order.number))
        .await?;
    charge_card(order.clone()).await?;
    let payment = timeout(order.pay_within, payments.recv()).await;
    let payment = payment.context("the bank did not confirm the payment in time")??;
    ensure!(payment.confirmed, "the bank refused the payment");
    Ok(())
}

/// Has a courier come, and waits for the parcel to be collected.
async fn ship(order: &Order) -> anyhow::Result<String> {
    let mut collections = create_hook::<String>()
        .token(collection_of(order.number))
        .await?;
    arrange_shipping(order.clone()).await?;
    let driver = timeout(days(3), collections.recv()).await;
    Ok(driver.context("the courier did not come within three days")??)
}

/// Sets the item aside.
#[step]
pub async fn reserve_stock(order: Order, #[provided] world: World) -> anyhow::Result<()> {
    if order.item == "unicorn" {
        return Err(FatalError::new("unicorns are out of stock").into());
    }
    world.once("reserve", order.number, "the warehouse sets the item aside")
}

/// Puts the item back.
#[step]
pub async fn release_stock(order: Order, #[provided] world: World) -> anyhow::Result<()> {
    world.take_back(
        "reserve",
        "release",
        order.number,
        "the warehouse puts the item back",
    )
}

/// Asks the bank for the money; it confirms later.
#[step]
pub async fn charge_card(order: Order, #[provided] world: World) -> anyhow::Result<()> {
    if order.card == "stolen" {
        return Err(FatalError::new("the card is stolen").into());
    }
    world.once(
        "charge",
        order.number,
        "the bank is asked for the money, and has yet to confirm",
    )
}

/// Gives the money back.
#[step]
pub async fn refund_card(order: Order, #[provided] world: World) -> anyhow::Result<()> {
    world.take_back(
        "charge",
        "refund",
        order.number,
        "the bank gives the money back",
    )
}

/// Has a courier come. Couriers are slow to answer, so each attempt has a limit of its own.
#[step(timeout = "1s", max_retries = 4, backoff = "500ms")]
pub async fn arrange_shipping(order: Order, #[provided] world: World) -> anyhow::Result<()> {
    if order.item == "piano" {
        return Err(FatalError::new("no courier carries a piano").into());
    }
    world.call_the_courier(order.number).await;
    world.once(
        "ship",
        order.number,
        "the courier promises to come for the parcel",
    )
}

/// Tells the courier not to come.
#[step]
pub async fn call_courier_off(order: Order, #[provided] world: World) -> anyhow::Result<()> {
    world.take_back(
        "ship",
        "call off",
        order.number,
        "the courier is called off",
    )
}
