//! The client: sends the parcels, has a worker killed, signs, and tells what becomes of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rewake::{Rewake, Run, seconds};

use crate::crew::Crew;
use crate::parcel::{STATIONS, token, travel};
use crate::say;

const PARCELS: [&str; 6] = ["ash", "birch", "cedar", "elm", "fir", "hazel"];
/// Each parcel has come so far when a worker is killed.
const KILLED_AFTER: u32 = 2;

/// Sends the parcels, and waits until each is signed for. With a crew, one of them is killed.
pub(crate) async fn deliver(store: &str, crew: Option<Crew>) -> anyhow::Result<()> {
    let rewake = Rewake::builder().store(store).client_only().build().await?;
    let mut runs = BTreeMap::new();
    for parcel in PARCELS {
        runs.insert(parcel, rewake.start(travel(parcel.into())).await?);
    }
    say::sent(&PARCELS);
    let mut moved = 0;
    let crew = match crew {
        Some(mut crew) => {
            moved = kill_one(&mut crew).await?;
            Some(crew)
        }
        None => None,
    };
    for (parcel, run) in runs {
        sign(&rewake, parcel, &run).await?;
    }
    say::all_there(PARCELS.len(), moved);
    rewake.shutdown(seconds(1)).await?;
    if let Some(crew) = crew {
        crew.end().await?;
    }
    Ok(())
}

/// Waits until every parcel is under way, kills the worker that carries most, and waits until its
/// parcels are carried by others. Returns how many that were.
async fn kill_one(crew: &mut Crew) -> anyhow::Result<usize> {
    let mut carried: BTreeMap<String, (String, u32)> = BTreeMap::new();
    while carried.len() < PARCELS.len() || carried.values().any(|(_, at)| *at < KILLED_AFTER) {
        let passed = crew.passed().await?;
        carried.insert(passed.parcel, (passed.worker, passed.station));
    }
    let busiest = busiest(&carried);
    crew.kill(&busiest).await?;
    let since = now();
    let mut waiting: Vec<String> = carried
        .into_iter()
        .filter(|(_, (worker, at))| *worker == busiest && *at < STATIONS)
        .map(|(parcel, _)| parcel)
        .collect();
    say::killed(&busiest, &waiting);
    let moved = waiting.len();
    while !waiting.is_empty() {
        let passed = crew.passed().await?;
        // What it said before it died may be heard later.
        let place = waiting.iter().position(|parcel| *parcel == passed.parcel);
        if let Some(place) = place.filter(|_| passed.worker != busiest) {
            let parcel = waiting.remove(place);
            say::moved(&parcel, &busiest, &passed.worker, since.elapsed());
        }
    }
    Ok(moved)
}

fn busiest(carried: &BTreeMap<String, (String, u32)>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (worker, _) in carried.values() {
        *counts.entry(worker).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(worker, _)| worker.to_owned())
        .unwrap_or_default()
}

/// Signs for a parcel as soon as it has come, and waits for the end of its run.
async fn sign(rewake: &Rewake, parcel: &str, run: &Run<String>) -> anyhow::Result<()> {
    let name = "Dora";
    // The hook is made at the last station; until then there is nobody to take the signature.
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    while rewake.resume_hook(token(parcel), name).await?.is_none() {
        pause.tick().await;
    }
    say::signed(parcel, name);
    say::finished(&run.result().await?);
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a move took is shown to a person, and decides nothing"
)]
fn now() -> Instant {
    Instant::now()
}
