//! How far that has come which was committed: whoever has seen a commit does not answer before it is on
//! stable storage.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// How far that has come which was committed.
#[derive(Debug, Default)]
pub(crate) struct Stable {
    /// The number of the last commit that has begun: whoever looks may see it.
    begun: AtomicU64,
    /// The number of the last one that is on stable storage.
    reached: AtomicU64,
    /// Why nobody knows what is on stable storage.
    failure: OnceLock<String>,
    lock: Mutex<()>,
    moved: Condvar,
}

impl Stable {
    /// A commit begins: from here on others may see it. Not where it would build on one of which
    /// nobody knows.
    pub(crate) fn begin(&self) -> Result<(), String> {
        self.check()?;
        self.begun.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// The commit that has begun last came to nothing.
    pub(crate) fn undo(&self) {
        self.begun.fetch_sub(1, Ordering::AcqRel);
        self.tell();
    }

    /// What has begun up to this number is on stable storage.
    pub(crate) fn reach(&self, number: u64) {
        // Those that wrote nothing may be told of a number that is long behind.
        self.reached.fetch_max(number, Ordering::AcqRel);
        self.tell();
    }

    /// Nobody will know what is on stable storage. The first reason stands.
    pub(crate) fn fail(&self, reason: &str) {
        let _earlier = self.failure.set(reason.to_owned());
        self.tell();
    }

    /// Why nobody will know, if so.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.failure.get().cloned().map_or(Ok(()), Err)
    }

    /// Waits until all that has begun by now is on stable storage; an error where nobody will know.
    pub(crate) fn wait(&self) -> Result<(), String> {
        let seen = self.begun();
        let mut lock = self.lock();
        // What came to nothing need not be waited for.
        while self.is_short_of(seen.min(self.begun())) {
            lock = (self.moved.wait(lock)).unwrap_or_else(PoisonError::into_inner);
        }
        self.check()
    }

    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    pub(crate) fn reached(&self) -> u64 {
        self.reached.load(Ordering::Acquire)
    }

    fn is_short_of(&self, number: u64) -> bool {
        self.reached() < number && self.failure.get().is_none()
    }

    /// Wakes those that wait. With the lock: one that is about to wait would not hear.
    fn tell(&self) {
        drop(self.lock());
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reached_stays_so() {
        let stable = Stable::default();
        stable.begin().unwrap();
        stable.begin().unwrap();
        stable.reach(2);
        stable.reach(1);
        assert_eq!(stable.reached(), 2);
    }

    #[test]
    fn what_came_to_nothing_is_not_waited_for() {
        let stable = Stable::default();
        stable.begin().unwrap();
        stable.undo();
        assert_eq!(stable.wait(), Ok(()));
    }

    #[test]
    fn nothing_begins_after_a_failure() {
        let stable = Stable::default();
        stable.begin().unwrap();
        stable.fail("the disk is gone");
        stable.fail("another reason");
        assert_eq!(stable.wait(), Err("the disk is gone".to_owned()));
        assert_eq!(stable.begin(), Err("the disk is gone".to_owned()));
    }
}
