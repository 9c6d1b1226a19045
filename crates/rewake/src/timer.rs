//! Waiting for a time of day, on a thread of its own.
//!
//! Not tokio's timers: those panic when the application's runtime goes before the handle, want it
//! built with `enable_time`, and follow a clock that a test may stop. This module must not know what
//! is waited for.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use rewake_core::time::Timestamp;

/// The clock may be set, and the machine may have slept: so often it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A thread that wakes whoever waits for a time. It ends with the last handle.
pub(crate) struct Timer {
    shared: Arc<Shared>,
}

struct Shared {
    now: fn() -> Timestamp,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    wakers: BTreeMap<(Timestamp, u64), Waker>,
    turn: u64,
    stopped: bool,
}

impl Timer {
    /// Starts the thread; `now` tells the time.
    pub(crate) fn start(now: fn() -> Timestamp) -> Self {
        let shared = Arc::new(Shared {
            now,
            waiting: Mutex::default(),
            changed: Condvar::new(),
        });
        let works = Arc::clone(&shared);
        thread::Builder::new()
            .name("rewake-timer".to_owned())
            .spawn(move || works.work())
            .expect("the operating system starts threads");
        Self { shared }
    }

    /// Resolves at `at`, or at once if that has passed.
    pub(crate) fn sleep_until(&self, at: Timestamp) -> Sleep {
        Sleep {
            shared: Arc::clone(&self.shared),
            at,
            turn: None,
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_one();
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut waiting = self.lock();
        while !waiting.stopped {
            let now = (self.now)();
            let due = waiting.take_due(now);
            if !due.is_empty() {
                drop(waiting);
                due.into_iter().for_each(Waker::wake);
                waiting = self.lock();
                continue;
            }
            let next = waiting.wakers.first_key_value().map(|((at, _), _)| *at);
            let pause = next.map_or(LOOK_AGAIN, |at| at.since(now).min(LOOK_AGAIN));
            let waited = self.changed.wait_timeout(waiting, pause);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Waiting {
    fn take_due(&mut self, now: Timestamp) -> Vec<Waker> {
        let later = self.wakers.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut self.wakers, later);
        due.into_values().collect()
    }
}

/// Waits for a time. Dropped, nothing is left of it.
pub(crate) struct Sleep {
    shared: Arc<Shared>,
    at: Timestamp,
    turn: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if (this.shared.now)() >= this.at {
            return Poll::Ready(());
        }
        let mut waiting = this.shared.lock();
        let turn = *this.turn.get_or_insert_with(|| {
            waiting.turn += 1;
            waiting.turn
        });
        waiting.wakers.insert((this.at, turn), cx.waker().clone());
        let first = waiting.wakers.first_key_value();
        if first.is_some_and(|((at, first), _)| (*at, *first) == (this.at, turn)) {
            this.shared.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(turn) = self.turn {
            self.shared.lock().wakers.remove(&(self.at, turn));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;
    use crate::host::now;

    fn in_ms(ms: u64) -> Timestamp {
        now().after(Duration::from_millis(ms))
    }

    #[test]
    fn whoever_waits_is_woken_when_the_time_has_come_and_not_before() {
        let timer = Timer::start(now);
        let at = [in_ms(30), in_ms(10), in_ms(20), in_ms(10)];
        block_on(join_all(at.map(|at| {
            timer.sleep_until(at).map(move |()| assert!(now() >= at))
        })));
    }

    #[test]
    fn a_time_that_has_passed_is_no_wait() {
        let timer = Timer::start(now);
        let passed = timer.sleep_until(Timestamp::ZERO).now_or_never();
        assert_eq!(passed, Some(()));
    }

    #[test]
    fn a_wait_that_is_dropped_leaves_nothing() {
        let timer = Timer::start(now);
        let mut wait = timer.sleep_until(in_ms(60_000));
        assert_eq!((&mut wait).now_or_never(), None);
        assert_eq!(timer.shared.lock().wakers.len(), 1);
        drop(wait);
        assert_eq!(timer.shared.lock().wakers.len(), 0);
    }
}
