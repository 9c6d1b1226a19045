//! Recovery: what a new process does with the runs that an earlier one left.
//!
//! Only runs with a wake-up in the past are looked at, oldest first, and those to which a child run
//! has left its end, so a million waiting runs cost nothing. Several are read together, ahead of their
//! drivers. After an unclean end they are counted in one commit before that. From the
//! second unclean start in a row on they are replayed one by one, each counted when its turn comes, so
//! that only the culprit is; at three its driver parks it instead. Whoever takes a run up because
//! somebody outside has told it something, before recovery has come to it, counts it as well.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use async_lock::{Mutex, Semaphore, SemaphoreGuardArc};
use futures_channel::oneshot;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_store::{StoreError, StoreFuture, WakeUp};

use super::ahead::{Ahead, TOGETHER, read_ahead};
use super::residents::{Message, TakenUp};
use crate::engine::Inner;
use crate::executor::Stuck;

const PAGE: usize = 256;
/// The most that is found and counted in one commit, and about the most that is under way at once.
const MOST: usize = 2_048;
/// With so many runs that were left under way, others are taken up: that is enough to share commits. The
/// rest stays in the store, where it takes no memory.
const LEAST: usize = 128;
/// So many runs of other nodes are taken over at the same time, and so many questions asked.
pub(super) const AT_ONCE: usize = 64;
/// How long to wait before a store that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// So many unclean ends in a row while one run was being replayed are enough.
const MAX_CRASHES: u32 = 3;

/// What a process knows of those before it that ended uncleanly, while it goes through what they left.
///
/// Until it is through, no run is replayed that was not counted before: it may be what ended them.
#[derive(Debug)]
pub(crate) struct Recovery {
    unclean_starts: AtomicU32,
    /// The runs that were counted in this process, once that is on stable storage: nobody may take a run
    /// for counted that could still end the process uncounted.
    counted: std::sync::Mutex<BTreeSet<RunId>>,
    /// Held while some are counted: nobody counts them twice.
    counting: Mutex<()>,
    /// Orphans that are counted when their turn comes, whoever asks for them before.
    suspects: std::sync::Mutex<BTreeSet<RunId>>,
    /// Held while a run is replayed that may be the culprit, where the others must not be counted too.
    turn: Arc<Semaphore>,
}

impl Recovery {
    pub(crate) fn new() -> Self {
        Self {
            unclean_starts: AtomicU32::new(0),
            counted: std::sync::Mutex::default(),
            counting: Mutex::default(),
            suspects: std::sync::Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    pub(crate) fn begin(&self, unclean_starts: u32) {
        self.unclean_starts.store(unclean_starts, Ordering::Release);
    }

    pub(crate) fn end(&self) {
        self.unclean_starts.store(0, Ordering::Release);
        lock(&self.counted).clear();
    }

    /// True where a run that is taken up may be what ended the last process.
    pub(crate) fn is_under_way(&self) -> bool {
        self.unclean_starts.load(Ordering::Acquire) > 0
    }

    /// Waits for a run's turn, where they are replayed one by one. Others wait until the turn is let
    /// go of.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        if self.unclean_starts.load(Ordering::Acquire) < 2 {
            return None;
        }
        Some(self.turn.acquire_arc().await)
    }

    /// Waits for a run's turn that was counted before, on a store that several nodes share.
    pub(crate) async fn turn_of_suspect(&self) -> Turn {
        self.turn.acquire_arc().await
    }

    /// The run was a dead node's, which may have died of it, and not for the first time.
    pub(crate) fn suspect(&self, run: RunId) {
        lock(&self.suspects).insert(run);
    }

    pub(crate) fn is_suspect(&self, run: RunId) -> bool {
        lock(&self.suspects).contains(&run)
    }

    /// True where the run was counted in this process and has not rested since.
    pub(crate) fn is_counted(&self, run: RunId) -> bool {
        lock(&self.counted).contains(&run)
    }

    /// The run has rested, or is somebody else's: it may have to be counted anew.
    pub(crate) fn forget(&self, run: RunId) {
        lock(&self.counted).remove(&run);
        lock(&self.suspects).remove(&run);
    }

    /// Counts those of the runs that were not counted in this process, in one commit, and gives the
    /// new counts in their order. Once this returns, all of them are on record.
    pub(crate) async fn count(
        &self,
        engine: &Inner,
        mut runs: Vec<RunId>,
    ) -> Result<Vec<u32>, StoreError> {
        let _counting = self.counting.lock().await;
        runs.retain(|run| !self.is_counted(*run));
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let counted = engine.store.count_crashes(engine.scope, runs.clone()).await;
        lock(&self.counted).extend(runs);
        match counted {
            Err(error @ StoreError::Closed { .. }) => Err(error),
            // Better not counted this time than never taken up.
            Err(error) => {
                tracing::warn!(%error, "runs that are taken up could not be counted");
                Ok(Vec::new())
            }
            counts => counts,
        }
    }
}

fn lock(runs: &std::sync::Mutex<BTreeSet<RunId>>) -> MutexGuard<'_, BTreeSet<RunId>> {
    runs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run's turn to be replayed.
pub(crate) type Turn = SemaphoreGuardArc;

/// True where a run that was counted so often must not be replayed by this build. The count goes on
/// where another build tries its luck with a run that it has parked, and begins anew at a rest.
pub(crate) const fn is_culprit(crashes: u32) -> bool {
    crashes > 0 && crashes.is_multiple_of(MAX_CRASHES)
}

/// Takes up every run that an earlier process left with something to do. How many there were.
pub(crate) async fn recover(
    engine: &Arc<Inner>,
    unclean_starts: u32,
    until: Timestamp,
) -> Result<usize, StoreError> {
    let found = take_up(engine, unclean_starts, until).await?;
    Ok(found + retry_parked(engine).await? + tell_owed(engine).await?)
}

/// What is due no later than `until` is left to recovery; all that falls due after it is not.
pub(crate) fn after(until: Timestamp) -> WakeUp {
    WakeUp {
        at: until,
        run: RunId::from_bytes([u8::MAX; 16]),
    }
}

/// Runs whose children ended, and which had not put that on record: nothing else says so.
async fn tell_owed(engine: &Arc<Inner>) -> Result<usize, StoreError> {
    let mut after = None;
    let mut found = 0;
    loop {
        let page = read(engine, || engine.store.owed_runs(engine.scope, after, PAGE)).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = Some(*last);
        found += page.len();
        for run in &page {
            engine.tell(*run, Message::Owed);
        }
    }
}

async fn take_up(
    engine: &Arc<Inner>,
    unclean_starts: u32,
    until: Timestamp,
) -> Result<usize, StoreError> {
    let mut after = None;
    let mut found = 0;
    let mut not_rested = FuturesUnordered::new();
    loop {
        let many = room(engine, unclean_starts, 0).clamp(PAGE, MOST);
        let page = read(engine, || {
            engine.store.due(engine.scope, after, until, many)
        })
        .await?;
        let Some(last) = page.last().copied() else {
            break;
        };
        after = Some(last);
        found += page.len();
        let runs: Vec<RunId> = page.into_iter().map(|wake_up| wake_up.run).collect();
        // One by one, each counts itself when its turn comes.
        if unclean_starts == 1 {
            count(engine, &runs).await?;
        }
        for runs in runs.chunks(together(unclean_starts)) {
            // A driver may also go without having rested; that is as good.
            while let Some(Some(_rested_or_gone)) = not_rested.next().now_or_never() {}
            while not_rested.len() >= room(engine, unclean_starts, not_rested.len()) {
                let _rested_or_gone = not_rested.next().await;
            }
            // Not before there is room: whoever tells one of them something waits for its driver.
            let ahead = if may_be_read_ahead(engine, unclean_starts) {
                read_ahead(engine, runs).await
            } else {
                runs.iter().copied().map(Ahead::of).collect()
            };
            let unclean = unclean_starts > 0;
            not_rested.extend(ahead.into_iter().map(|one| one.take_up(engine, unclean)));
        }
    }
    while let Some(_rested_or_gone) = not_rested.next().await {}
    Ok(found)
}

/// How many are taken up together. Those that are replayed one by one wait for their turn unread.
const fn together(unclean_starts: u32) -> usize {
    if unclean_starts < 2 { TOGETHER } else { 1 }
}

/// What a run is driven with is read once it is this node's, and has been counted.
fn may_be_read_ahead(engine: &Inner, unclean_starts: u32) -> bool {
    unclean_starts < 2 && engine.node().is_none() && !engine.is_stopping()
}

/// With how many of those that were left under way no others are taken up, where so many are.
///
/// Whoever has work for many runs already stands in line with all of them: to be under way beside that
/// takes nobody's time. Where what was taken up rests or ends, as what slept does, it stays at few.
fn room(engine: &Inner, unclean_starts: u32, under_way: usize) -> usize {
    if unclean_starts < 2 {
        let going_on = engine.busy_runs().saturating_sub(under_way);
        going_on.clamp(LEAST, MOST)
    } else {
        1
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

/// Calls a run's driver; when it has rested.
pub(super) fn call(engine: &Arc<Inner>, run: RunId, unclean: bool) -> oneshot::Receiver<()> {
    let (rested, rest) = oneshot::channel();
    let taken_up = TakenUp {
        unclean,
        rested: Some(rested),
        found: None,
    };
    engine.tell(run, Message::Recover(taken_up));
    rest
}

/// Counts those that are about to be replayed, in one commit.
async fn count(engine: &Inner, runs: &[RunId]) -> Result<(), StoreError> {
    let questions = stream::iter(runs.to_vec()).map(|run| async move {
        let is_replayed = is_replayed(engine, run).await?;
        Ok::<_, StoreError>(is_replayed.then_some(run))
    });
    let suspects: Vec<Option<RunId>> = questions.buffered(AT_ONCE).try_collect().await?;
    let suspects = suspects.into_iter().flatten().collect();
    engine.recovery.count(engine, suspects).await.map(drop)
}

/// False for what this build does not know: it is not replayed here, and is not what ended the process.
async fn is_replayed(engine: &Inner, run: RunId) -> Result<bool, StoreError> {
    let row = match read(engine, || engine.store.run(engine.scope, run)).await {
        // What is stored about one run must not keep all others.
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(%run, %error, "a run cannot be taken up");
            return Ok(false);
        }
        row => row?,
    };
    Ok(row.is_some_and(|row| {
        let is_known = engine.registry.workflow(&row.workflow).is_some();
        is_known && !row.status.is_terminal() && row.parked.is_none()
    }))
}

/// Runs that had too many hooks for an earlier handle: each looks for itself.
pub(crate) async fn retry_crowded(engine: &Arc<Inner>) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = read(engine, || engine.store.parked(engine.scope, after, PAGE)).await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = Some(*last);
        let crowded = page.iter();
        let crowded = crowded.filter(|(_, parked)| parked.code == Stuck::TOO_MANY_HOOKS);
        for (run, _) in crowded {
            drop(call(engine, *run, false));
        }
    }
}

/// Runs that another build could not follow may fit this one; of those that had too many hooks for an
/// earlier handle, each looks for itself.
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
            if !parked.is_by(&engine.build) || parked.code == Stuck::TOO_MANY_HOOKS {
                found += 1;
                engine.tell(*run, Message::Recover(TakenUp::default()));
            }
        }
    }
}
