//! Who wants something written from outside, and waits: a driver gives way to them on its processor.
//!
//! A store serves a few outsiders before the workers that came earlier. But between a caller and
//! the disk are several threads, and where drivers work off a backlog each of them waits for a
//! processor for as long as the kernel lets a driver's thread run on, which may be milliseconds.
//!
//! Questions, and waiting for a result, are not counted: drivers may have to work for these, and for
//! long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many are few. A crowd keeps the processors busy itself, and its own drivers would give way to
/// it: all would be served later for it.
const FEW: usize = 4;

/// How many requests from outside are waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outsiders {
    count: Arc<AtomicUsize>,
}

impl Outsiders {
    /// One more is waited for, until it leaves.
    pub(crate) fn enter(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// One of those that entered is answered, or nobody waits for it any more.
    pub(crate) fn leave(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    /// True where a few wait, and no crowd: a driver gives way to them. That takes some tenths of a
    /// microsecond where nobody wants the processor.
    pub(crate) fn are_few(&self) -> bool {
        (1..=FEW).contains(&self.count.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_few_but_none_and_a_crowd_are_not() {
        let outsiders = Outsiders::default();
        assert!(!outsiders.are_few());
        for _ in 0..FEW {
            outsiders.enter();
            assert!(outsiders.are_few());
        }
        outsiders.enter();
        assert!(!outsiders.are_few());
        outsiders.leave();
        assert!(outsiders.are_few());
    }
}
