//! Virtual time: it stands still while anything can happen, and then skips to the next thing due.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::future::{BoxFuture, FutureExt};
use rewake_core::time::Timestamp;
use rewake_runtime::Clock;

use crate::prng::{Prng, Stream};
use crate::scheduler::ProcessId;
use crate::world::World;

/// When simulated time begins, in milliseconds.
const BEGINNING: u64 = 1_000_000_000_000;
/// What lies beyond this is never.
const NEVER: u64 = u64::MAX / 2;

/// The time of the simulated world.
#[derive(Clone, Debug)]
pub(crate) struct VirtualClock {
    timers: Arc<Mutex<Timers>>,
}

#[derive(Debug)]
struct Timers {
    now: u64,
    next: u64,
    waiting: BTreeMap<(u64, u64), Waker>,
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl VirtualClock {
    pub(crate) fn new() -> Self {
        let timers = Timers {
            now: BEGINNING,
            next: 0,
            waiting: BTreeMap::new(),
        };
        Self {
            timers: Arc::new(Mutex::new(timers)),
        }
    }

    /// Milliseconds, as true as it gets.
    pub(crate) fn now(&self) -> u64 {
        self.lock().now
    }

    /// Resolves at `until`.
    pub(crate) fn sleep_until(&self, until: u64) -> Nap {
        Nap {
            clock: self.clone(),
            until,
            key: None,
        }
    }

    /// Resolves `ms` milliseconds from now.
    pub(crate) fn sleep(&self, ms: u64) -> Nap {
        self.sleep_until(self.now().saturating_add(ms))
    }

    /// Skips to the next timer. Nothing where there is none.
    pub(crate) fn advance(&self) -> Option<u64> {
        let mut timers = self.lock();
        let at = timers.waiting.first_key_value().map(|((at, _), _)| *at)?;
        timers.now = timers.now.max(at);
        let later = timers.waiting.split_off(&(at + 1, 0));
        let due = std::mem::replace(&mut timers.waiting, later);
        drop(timers);
        due.into_values().for_each(Waker::wake);
        Some(at)
    }

    /// When the first timer fires that is later than `at`.
    pub(crate) fn first_after(&self, at: u64) -> Option<u64> {
        let timers = self.lock();
        let mut later = timers.waiting.range((at + 1, 0)..);
        later.next().map(|((at, _), _)| *at)
    }

    /// Begins at another time, if that is later.
    pub(crate) fn turn_to(&self, now: u64) {
        let mut timers = self.lock();
        timers.now = timers.now.max(now);
    }

    fn lock(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait for a point in virtual time.
#[derive(Debug)]
pub(crate) struct Nap {
    clock: VirtualClock,
    until: u64,
    key: Option<(u64, u64)>,
}

impl Future for Nap {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut timers = clock.lock();
        if timers.now >= self.until {
            return Poll::Ready(());
        }
        if self.until < NEVER {
            let key = self.key.unwrap_or_else(|| {
                timers.next += 1;
                (self.until, timers.next)
            });
            self.key = Some(key);
            timers.waiting.insert(key, cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Nap {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.lock().waiting.remove(&key);
        }
    }
}

/// The clock of one process: it may be off, and its timers late.
#[derive(Debug)]
pub(crate) struct ProcessClock {
    pub(crate) world: Arc<World>,
    pub(crate) process: ProcessId,
    /// How far it is off, in milliseconds; it may jump.
    pub(crate) offset: Arc<AtomicI64>,
    pub(crate) sleeps: AtomicU64,
}

impl ProcessClock {
    /// How late the next timer fires.
    fn lateness(&self) -> u64 {
        let late = self.world.settings.late;
        if late == 0 || !self.world.turmoil.load(Ordering::Relaxed) {
            return 0;
        }
        let nth = self.sleeps.fetch_add(1, Ordering::Relaxed);
        let place = (u64::from(self.process), nth);
        Prng::at(self.world.seed, Stream::Lateness, place).below(late + 1)
    }
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        self.world.note_look_at_clock(self.process);
        let offset = self.offset.load(Ordering::Relaxed);
        Timestamp::from_millis(self.world.clock.now().saturating_add_signed(offset))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let offset = self.offset.load(Ordering::Relaxed);
        let until = at
            .as_millis()
            .saturating_add_signed(offset.saturating_neg());
        let until = until.saturating_add(self.lateness());
        self.world.clock.sleep_until(until).boxed()
    }
}
