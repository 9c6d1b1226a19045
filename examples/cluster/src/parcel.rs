//! The workflow: a parcel travels, and somebody signs for it.

use std::time::Duration;

use rewake::prelude::*;

use crate::say;

/// How many stations a parcel passes.
pub(crate) const STATIONS: u32 = 8;

/// The worker of this process, as it is called.
#[derive(Clone)]
pub(crate) struct Carrier(pub(crate) String);

/// What happens at a station. It may happen twice where a worker is killed in the middle of it; its
/// result is recorded once.
#[step]
async fn pass(parcel: String, station: u32, #[provided] carrier: Carrier) -> anyhow::Result<()> {
    say::passed(&carrier.0, &parcel, station);
    Ok(())
}

/// Carries a parcel to its last station, and waits for a signature.
#[workflow]
pub(crate) async fn travel(parcel: String) -> anyhow::Result<String> {
    for station in 1..=STATIONS {
        pass(parcel.clone(), station).await?;
        sleep(Duration::from_millis(500)).await;
    }
    let mut signatures = create_hook::<String>().token(token(&parcel)).await?;
    let name = signatures.recv().await?;
    Ok(format!("{parcel} was signed for by {name}"))
}

/// Under which a parcel is signed for.
pub(crate) fn token(parcel: &str) -> String {
    format!("parcel:{parcel}")
}
