//! Orders that are fulfilled, or taken back: type what happens, and kill the program at any moment.
//!
//! The person at the terminal plays the customer, the bank and the courier. Everything is in
//! `orders.db`: started again, the program takes up each order where it was, in the middle of taking it
//! back too.

mod desk;
mod screen;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use orders::{World, fulfil};
use rewake::{Rewake, minutes, seconds};

use desk::Desk;

/// What the command line says.
struct Options {
    db: PathBuf,
    pay_within: Duration,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = options(std::env::args().skip(1))?;
    let rewake = Rewake::builder()
        .store(format!("sqlite:{}", options.db.display()))
        .provide(World::beside(&options.db))
        .workflow(fulfil)
        .build()
        .await?;
    screen::opened(&options.db);
    let mut desk = Desk::new(rewake.clone(), options.pay_within);
    if desk.take_up().await? == 0 {
        desk.place("bicycle", "gold").await?;
    }
    desk.serve().await?;
    screen::stopping();
    rewake.shutdown(seconds(5)).await?;
    Ok(())
}

fn options(mut args: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        db: "orders.db".into(),
        pay_within: minutes(30),
    };
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("`{arg}` wants a value"))?;
        match arg.as_str() {
            "--db" => options.db = value.into(),
            "--pay-within" => {
                let given = value
                    .parse()
                    .context("`--pay-within` wants a number of seconds")?;
                options.pay_within = seconds(given);
            }
            _ => anyhow::bail!(
                "unknown option `{arg}`; there are --db FILE and --pay-within SECONDS"
            ),
        }
    }
    Ok(options)
}
