//! The bound on the write-ahead log.
//!
//! A thread with a connection of its own moves the log's pages into the file while writing goes on.
//! What has come in meanwhile the writer moves itself, which is little; then the next commit begins
//! the log again at its start, in place, without the file growing. Where a reader holds on to an old
//! state the log grows on; before it reaches the bound, writing pauses and waits for that reader.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::{io, mem};

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, Error, ErrorCode, MAIN_DB};

use crate::connect::{PAGE_BYTES, PATIENCE};
use crate::counts::{Counters, count};
use crate::fault::Fault;
use crate::lock::note_failure;

/// What a page takes in the write-ahead log.
const FRAME_BYTES: u64 = PAGE_BYTES as u64 + 24;

/// The writer's side of the bound.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    /// How many pages the log holds after the last commit, as the database's hook says.
    frames: Arc<AtomicU32>,
    last: u32,
    marks: Marks,
    next_finish: u32,
    next_pause: u32,
    progress: Arc<Progress>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<Counters>,
}

/// At how many pages something is done.
#[derive(Clone, Copy, Debug)]
struct Marks {
    /// The thread begins.
    soft: u32,
    /// So little that the writer may move it.
    little: u32,
    /// Writing pauses.
    hard: u32,
}

/// What the thread and the writer know of each other.
#[derive(Debug, Default)]
struct Progress {
    state: Mutex<State>,
    rests: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: bool,
    /// How many of the log's pages have been moved.
    moved: u32,
    failure: Option<String>,
}

impl Checkpoints {
    /// Watches the log through `writer` and begins the thread on `own`.
    pub(crate) fn begin(
        writer: &mut Connection,
        own: Connection,
        path: &Path,
        wal_bytes: u64,
        counters: Arc<Counters>,
    ) -> Result<Self, io::Error> {
        let marks = Marks::new(wal_bytes);
        let progress = Arc::<Progress>::default();
        let (wake, woken) = sync_channel(1);
        let thread = {
            let (progress, counters) = (Arc::clone(&progress), Arc::clone(&counters));
            let path = path.to_owned();
            Builder::new()
                .name("rewake-checkpoint".to_owned())
                .spawn(move || run(&own, &path, &woken, &progress, &counters))?
        };
        let frames = Arc::<AtomicU32>::default();
        let seen = Arc::clone(&frames);
        let hook = move |_: &mut _, pages| {
            seen.store(u32::try_from(pages).unwrap_or(u32::MAX), Ordering::Release);
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(io::Error::other)?;
        Ok(Self {
            frames,
            last: 0,
            marks,
            next_finish: marks.soft,
            next_pause: marks.hard,
            progress,
            wake,
            thread: Some(thread),
            counters,
        })
    }

    /// Looks after the log once a commit is answered. An error is one of the operating system's.
    pub(crate) fn after_commit(&mut self, writer: &Connection) -> Result<(), String> {
        let (running, moved) = self.progress.look()?;
        let frames = self.frames.load(Ordering::Acquire);
        if frames < mem::replace(&mut self.last, frames) {
            self.begin_anew();
        }
        if frames >= self.next_pause {
            return self.pause(writer, frames);
        }
        if frames < self.next_finish || running {
            return Ok(());
        }
        let left = frames.saturating_sub(moved);
        if left <= self.marks.little {
            self.next_finish = frames + self.marks.little;
            if let Some(moved) = checkpoint(writer, CheckpointMode::PASSIVE, &self.counters)? {
                self.progress.state().moved = moved;
            }
        } else {
            self.progress.state().running = true;
            // Full only where the thread has been woken and not yet looked.
            let _ = self.wake.try_send(());
        }
        Ok(())
    }

    fn begin_anew(&mut self) {
        self.next_finish = self.marks.soft;
        self.next_pause = self.marks.hard;
        self.progress.state().moved = 0;
    }

    fn pause(&mut self, writer: &Connection, frames: u32) -> Result<(), String> {
        count(&self.counters.pauses, 1);
        self.wait_for_thread();
        if checkpoint(writer, CheckpointMode::TRUNCATE, &self.counters)?.is_some() {
            // The hook tells of the log's new length only with the next commit.
            self.begin_anew();
            self.last = 0;
        } else {
            // Waited in vain. To stop for good would let any reader stop the service.
            count(&self.counters.overruns, 1);
            self.next_pause = frames + self.marks.soft;
        }
        Ok(())
    }

    /// A checkpoint does not wait for another one, whatever patience the connection has. The thread
    /// waits for nobody, so however slow the disk is, it comes to rest.
    fn wait_for_thread(&self) {
        let has_ended = || self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        while self.progress.wait_for_rest() && !has_ended() {}
    }

    /// Ends the thread and waits for it. An error is what it met after the last commit.
    pub(crate) fn end(mut self) -> Result<(), String> {
        drop(self.wake);
        if let Some(thread) = self.thread.take() {
            // It reports its failures; a panic of it has nothing to add.
            drop(thread.join());
        }
        self.progress.look().map(drop)
    }
}

impl Marks {
    fn new(wal_bytes: u64) -> Self {
        let frames = |bytes: u64| {
            u32::try_from(bytes / FRAME_BYTES)
                .unwrap_or(u32::MAX)
                .max(8)
        };
        let soft = (wal_bytes / 8).min(8 << 20);
        Self {
            soft: frames(soft),
            little: frames(soft / 4),
            hard: frames(wal_bytes - wal_bytes / 4),
        }
    }
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the thread is at work, and how far it has come.
    fn look(&self) -> Result<(bool, u32), String> {
        let mut state = self.state();
        match state.failure.take() {
            Some(failure) => Err(failure),
            None => Ok((state.running, state.moved)),
        }
    }

    /// Waits until the thread rests, or for a while; true where it is still at work.
    fn wait_for_rest(&self) -> bool {
        let running = |state: &mut State| state.running;
        let waited = self
            .rests
            .wait_timeout_while(self.state(), PATIENCE, running);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.running
    }
}

fn run(
    own: &Connection,
    path: &Path,
    woken: &Receiver<()>,
    progress: &Progress,
    counters: &Counters,
) {
    while let Ok(()) = woken.recv() {
        let done = checkpoint(own, CheckpointMode::PASSIVE, counters);
        let mut state = progress.state();
        match done {
            Ok(Some(moved)) => state.moved = moved,
            Ok(None) => {}
            Err(failure) => {
                // The writer hears of it with its next commit only.
                note_failure(path);
                state.failure = Some(failure);
            }
        }
        state.running = false;
        drop(state);
        progress.rests.notify_all();
    }
}

/// Moves pages, and answers how many of those in the log have been moved; nothing where it cannot be
/// done now, because of a reader or for want of room.
pub(crate) fn checkpoint(
    connection: &Connection,
    mode: CheckpointMode,
    counters: &Counters,
) -> Result<Option<u32>, String> {
    count(&counters.checkpoints, 1);
    match connection.wal_checkpoint_v2(Some(MAIN_DB), mode) {
        Ok((_, moved)) => Ok(Some(u32::try_from(moved).unwrap_or(0))),
        Err(error) if is_passing(&error) => Ok(None),
        Err(error) => Err(format!("moving the write-ahead log failed: {error}")),
    }
}

fn is_passing(error: &Error) -> bool {
    Fault::of(error) == Fault::Full
        || matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
}
