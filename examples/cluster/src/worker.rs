//! A worker: runs whatever there is to run, until it is killed or its input ends.

use rewake::{Rewake, seconds};
use tokio::io::{AsyncReadExt, stdin};

use crate::parcel::{Carrier, travel};

/// Works until the standard input ends.
pub(crate) async fn work(name: &str, store: &str) -> anyhow::Result<()> {
    let rewake = Rewake::builder()
        .store(store)
        .provide(Carrier(name.to_owned()))
        .workflow(travel)
        .build()
        .await?;
    // So that it does not outlive the one who started it.
    stdin().read_to_end(&mut Vec::new()).await?;
    rewake.shutdown(seconds(2)).await?;
    Ok(())
}
