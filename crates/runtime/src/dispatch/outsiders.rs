//! Who calls from outside and waits: a driver gives way to them on its processor, too.
//!
//! A store serves a few outsiders before the workers that came earlier. But between a caller and the
//! disk are several threads, and where drivers work off a backlog each of them waits for a processor for
//! as long as the kernel lets a driver's thread run on, which may be milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::yield_now;

/// So many are few. A crowd keeps the processors busy itself, and its own drivers would give way to it:
/// all would be served later for it.
const FEW: usize = 4;

/// How many calls from outside are waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outsiders {
    waiting: Arc<AtomicUsize>,
}

/// A call from outside that is waited for, until this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting {
    outsiders: Outsiders,
}

impl Outsiders {
    /// One more is waited for.
    pub(crate) fn wait(&self) -> Waiting {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let outsiders = self.clone();
        Waiting { outsiders }
    }

    /// Lets others have the processor first, where a few wait. To give way takes some tenths of a
    /// microsecond where nobody wants it.
    pub(crate) fn give_way(&self) {
        if self.are_few() {
            yield_now();
        }
    }

    /// True where a few wait, and no crowd.
    pub(crate) fn are_few(&self) -> bool {
        (1..=FEW).contains(&self.waiting.load(Ordering::Relaxed))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.outsiders.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_few_but_none_and_a_crowd_are_not() {
        let outsiders = Outsiders::default();
        assert!(!outsiders.are_few());
        let mut waiting = vec![outsiders.wait()];
        assert!(outsiders.are_few());
        waiting.extend((0..FEW).map(|_| outsiders.wait()));
        assert!(!outsiders.are_few());
        drop(waiting.pop());
        assert!(outsiders.are_few());
        drop(waiting);
        assert!(!outsiders.are_few());
    }
}
