//! Recovery: what a new process does with the runs that an earlier one left.
//!
//! Only runs with a wake-up in the past are looked at, oldest first, so a million waiting runs cost
//! nothing. After an unclean end those found ready are counted in one commit before they are
//! replayed. From the second unclean start in a row on they are replayed one by one, so that only the
//! culprit is counted; at three it is parked instead of replayed.

use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_store::{
    Append, AppendRefusal, Condition, Failed, Mark, Parked, RunRow, StoreError, StoreFuture, WakeUp,
};

use super::residents::Message;
use crate::engine::Inner;

const PAGE: usize = 256;
/// How long to wait before a store that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// A run found ready after so many unclean ends in a row is not replayed again.
const MAX_CRASHES: u32 = 3;

/// Takes up every run that an earlier process left with something to do. How many there were.
pub(crate) async fn recover(
    engine: &Arc<Inner>,
    unclean_starts: u32,
    until: Timestamp,
) -> Result<usize, StoreError> {
    let found = take_up(engine, unclean_starts, until).await;
    // Whatever became of that: without it, no sleeper would be woken.
    engine.schedule.begin_after(WakeUp {
        at: until,
        run: RunId::from_bytes([u8::MAX; 16]),
    });
    Ok(found? + retry_parked(engine).await?)
}

async fn take_up(
    engine: &Arc<Inner>,
    unclean_starts: u32,
    until: Timestamp,
) -> Result<usize, StoreError> {
    let mut after = None;
    let mut found = 0;
    loop {
        let page = read(engine, || {
            engine.store.due(engine.scope, after, until, PAGE)
        })
        .await?;
        let Some(last) = page.last().copied() else {
            return Ok(found);
        };
        after = Some(last);
        found += page.len();
        let runs: Vec<RunId> = page.into_iter().map(|wake_up| wake_up.run).collect();
        match unclean_starts {
            0 => call_all(engine, &runs, false),
            1 => {
                count(engine, &runs).await?;
                call_all(engine, &runs, true);
            }
            _ => one_by_one(engine, &runs).await?,
        }
    }
}

/// Reads, again and again while the store does not answer: what is not found here, nobody finds.
async fn read<T>(engine: &Inner, ask: impl Fn() -> StoreFuture<T>) -> Result<T, StoreError> {
    loop {
        match ask().await {
            Err(error) if !error.is_passing() || engine.is_stopping() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "what was left cannot be read at present");
                let later = engine.host.clock.now().after(PAUSE);
                engine.host.clock.sleep_until(later).await;
            }
            answer => return answer,
        }
    }
}

fn call_all(engine: &Arc<Inner>, runs: &[RunId], unclean: bool) {
    for run in runs {
        engine.tell(
            *run,
            Message::Recover {
                unclean,
                rested: None,
            },
        );
    }
}

/// Counts those that are ready; the counts in the order of `runs`, zero for the others.
async fn count(engine: &Inner, runs: &[RunId]) -> Result<Vec<(RunId, u32)>, StoreError> {
    let mut ready = Vec::new();
    for run in runs {
        let row = match read(engine, || engine.store.run(engine.scope, *run)).await {
            // What is stored about one run must not keep all others.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%run, %error, "a run cannot be taken up");
                continue;
            }
            row => row?,
        };
        // What this build does not know is not replayed here, and is not what ended the process.
        let is_known = |row: &RunRow| engine.registry.workflow(&row.workflow).is_some();
        if row.is_some_and(|row| row.is_ready() && is_known(&row)) {
            ready.push(*run);
        }
    }
    let counted = engine
        .store
        .count_crashes(engine.scope, ready.clone())
        .await;
    match counted {
        Ok(counts) => Ok(ready.into_iter().zip(counts).collect()),
        // Better not counted this time than never taken up.
        Err(error @ StoreError::Closed { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "the runs found ready could not be counted");
            Ok(Vec::new())
        }
    }
}

async fn one_by_one(engine: &Arc<Inner>, runs: &[RunId]) -> Result<(), StoreError> {
    for run in runs {
        let counted = count(engine, &[*run]).await?;
        let crashes = counted.first().map_or(0, |(_, count)| *count);
        if crashes >= MAX_CRASHES {
            park(engine, *run, crashes).await?;
            continue;
        }
        let (rested, rest) = oneshot::channel();
        engine.tell(
            *run,
            Message::Recover {
                unclean: true,
                rested: Some(rested),
            },
        );
        // Its driver may also go without having rested; that is as good.
        let _rested_or_gone = rest.await;
    }
    Ok(())
}

async fn park(engine: &Inner, run: RunId, crashes: u32) -> Result<(), StoreError> {
    let Some(row) = read(engine, || engine.store.run(engine.scope, run)).await? else {
        return Ok(());
    };
    let reason = format!(
        "the process ended uncleanly {crashes} times in a row while this run was being replayed; look \
         for what aborts the process, then let the run go on with a build that is mended"
    );
    tracing::error!(%run, crashes, "parked: the process keeps ending while this run is replayed");
    let parked = Parked {
        build: engine.build.clone(),
        code: "CRASHED_REPEATEDLY".to_owned(),
        reason,
        at: engine.host.clock.now(),
    };
    let append = Append {
        scope: engine.scope,
        run,
        id: engine.event_id(),
        conditions: vec![Condition::WorkerPosition(row.worker)],
        events: Vec::new(),
        release: Vec::new(),
        mark: Some(Mark {
            reacted: row.reacted,
            taken: row.taken,
            parked: Some(parked),
            ..Mark::default()
        }),
        since: None,
        repeat: false,
    };
    match engine.store.append(append).await {
        Ok(_) | Err(Failed::Refused(AppendRefusal::RunEnded { .. })) => Ok(()),
        Err(Failed::Refused(refusal)) => {
            tracing::warn!(%run, %refusal, "could not be parked");
            Ok(())
        }
        Err(Failed::Store(error)) => {
            tracing::warn!(%run, %error, "could not be parked");
            Ok(())
        }
    }
}

/// Runs that another build could not follow may fit this one.
async fn retry_parked(engine: &Arc<Inner>) -> Result<usize, StoreError> {
    let mut after = None;
    let mut found = 0;
    loop {
        let page = read(engine, || engine.store.parked(engine.scope, after, PAGE)).await?;
        let Some((last, _)) = page.last() else {
            return Ok(found);
        };
        after = Some(*last);
        for (run, parked) in &page {
            if parked.build != engine.build {
                found += 1;
                engine.tell(
                    *run,
                    Message::Recover {
                        unclean: false,
                        rested: None,
                    },
                );
            }
        }
    }
}
