//! New users and the letters that they get over eleven days: kill the program at any moment.
//!
//! Everything is in `drip.db`, and so is the time at which each wait ends. `--fast` plays it all in
//! eleven seconds: a day lasts one, which each run has among its arguments.

mod desk;
mod screen;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use drip::{Postbox, onboard};
use rewake::{Rewake, days, seconds};
use tokio::sync::mpsc::unbounded_channel;

use desk::Desk;

/// What the command line says.
struct Options {
    db: PathBuf,
    day: Duration,
    fast: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = options(std::env::args().skip(1))?;
    let (hears, posted) = unbounded_channel();
    let rewake = Rewake::builder()
        .store(format!("sqlite:{}", options.db.display()))
        .provide(Postbox::beside(&options.db, hears))
        .workflow(onboard)
        .build()
        .await?;
    screen::opened(&options.db, options.fast);
    let mut desk = Desk::new(rewake.clone(), options.day, options.fast);
    if desk.take_up().await? == 0 {
        let users: &[&str] = if options.fast {
            &["ada", "ben", "eve"]
        } else {
            &["ada"]
        };
        for user in users {
            desk.sign_up(user).await?;
        }
    }
    desk.serve(posted).await?;
    screen::stopping();
    rewake.shutdown(seconds(5)).await?;
    Ok(())
}

fn options(mut args: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let (mut db, mut day, mut fast) = (None, None, false);
    while let Some(arg) = args.next() {
        let mut value = || {
            args.next()
                .with_context(|| format!("`{arg}` wants a value"))
        };
        match arg.as_str() {
            "--fast" => fast = true,
            "--db" => db = Some(value()?.into()),
            "--day" => {
                let seconds = value()?
                    .parse()
                    .context("`--day` wants a number of seconds")?;
                day = Some(Duration::try_from_secs_f64(seconds)?);
            }
            _ => anyhow::bail!(
                "unknown option `{arg}`; there are --fast, --day SECONDS and --db FILE"
            ),
        }
    }
    let (usual_db, usual_day) = if fast {
        ("drip-fast.db", seconds(1))
    } else {
        ("drip.db", days(1))
    };
    Ok(Options {
        db: db.unwrap_or_else(|| usual_db.into()),
        day: day.unwrap_or(usual_day),
        fast,
    })
}
