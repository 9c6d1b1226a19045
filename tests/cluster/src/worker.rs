//! A process that runs workflows.

use rewake::seconds;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};

use crate::handle::open;
use crate::journal::{Journal, say};
use crate::options::Options;
use crate::workflows;

/// Runs workflows until its standard input ends, and lets go of them in good order.
///
/// # Errors
///
/// If the journal cannot be opened, or the store cannot be told of the end.
pub async fn work(options: &Options) -> anyhow::Result<()> {
    if options.build == "new" {
        workflows::become_new();
    }
    let journal = Journal::open(&options.journal)?;
    let rewake = open(options, &journal).await;
    say("ready");
    until_the_end(&mut orders()).await;
    rewake.shutdown(seconds(5)).await?;
    say("drained");
    Ok(())
}

/// What the test that started this process tells it, a line at a time.
pub(crate) fn orders() -> Lines<BufReader<Stdin>> {
    BufReader::new(stdin()).lines()
}

/// Waits until nothing more will be told: so a process ends with the test that started it.
pub(crate) async fn until_the_end(orders: &mut Lines<BufReader<Stdin>>) {
    while let Ok(Some(_)) = orders.next_line().await {}
}
