//! When a line of a workflow or a step was reached, by a number that it gives.
//!
//! A benchmark's workflows write this beside what is durable: an atomic store, which costs nothing
//! and which no replay depends on.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::clock;

/// So many notes there is room for; more begin again at the first.
pub(crate) const ROOM: usize = 1 << 21;

/// From here on stand the notes that a run waits; before it those of next lines.
pub(crate) const WAITS: u64 = 1 << 20;

static NOTES: [AtomicU64; ROOM] = [const { AtomicU64::new(0) }; ROOM];

fn place(n: u64) -> &'static AtomicU64 {
    &NOTES[usize::try_from(n).unwrap_or_default() % ROOM]
}

/// Notes that the line `n` is reached now.
pub(crate) fn note(n: u64) {
    // In one order with what `until` does: either this sees who waits, or that one sees the note.
    place(n).store(clock::nanos(), Ordering::SeqCst);
    if WANTED.load(Ordering::SeqCst) == n {
        THERE.notify_one();
    }
}

/// The note that is waited for: whoever waits is woken by no other, which would cost a measurement
/// of many a wake-up each.
static WANTED: AtomicU64 = AtomicU64::new(u64::MAX);
static THERE: Notify = Notify::const_new();

/// Waits for a note. One at a time may wait.
pub(crate) async fn until(n: u64) {
    WANTED.store(n, Ordering::SeqCst);
    while place(n).load(Ordering::SeqCst) == 0 {
        THERE.notified().await;
    }
}

/// Waits for all notes of a range, of which the last is likely to come last.
pub(crate) async fn until_all(range: Range<u64>) {
    for n in range.rev() {
        until(n).await;
    }
}

/// When the line was reached, in nanoseconds of [`clock::nanos`]; zero where it was not.
pub(crate) fn at(n: u64) -> u64 {
    place(n).load(Ordering::Acquire)
}

/// Forgets the first `n` notes of both kinds.
pub(crate) fn forget(n: u64) {
    for n in 0..n {
        place(n).store(0, Ordering::Release);
        place(WAITS + n).store(0, Ordering::Release);
    }
}
