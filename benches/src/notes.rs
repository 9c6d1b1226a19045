//! When a line of a workflow or a step was reached, by a number that it gives.
//!
//! A benchmark's workflows write this beside what is durable: an atomic store, which costs nothing
//! and which no replay depends on.

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
    place(n).store(clock::nanos(), Ordering::Release);
    MORE.notify_one();
}

/// Tells whoever waits for a note that there is one more.
static MORE: Notify = Notify::const_new();

/// Waits for a note. One at a time may wait.
pub(crate) async fn until(n: u64) {
    while at(n) == 0 {
        MORE.notified().await;
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
