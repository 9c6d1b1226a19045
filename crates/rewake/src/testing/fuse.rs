//! What kills a process of a test at a certain write.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// On which side of a write the process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The write never happens.
    Before,
    /// It has happened, and nobody has heard.
    After,
}

/// Counts the writes of all processes of one test, and burns at one of them.
#[derive(Debug)]
pub(super) struct Fuse {
    at: Option<(usize, Side)>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    writes: usize,
    burnt: Option<String>,
}

impl Fuse {
    /// One that burns at the write of that number, from 1; or never.
    pub(super) fn new(at: Option<(usize, Side)>) -> Self {
        Self {
            at,
            state: Mutex::default(),
        }
    }

    /// Whether it burns before what is to be written now.
    pub(super) fn burns_before(&self, what: &dyn fmt::Display) -> bool {
        let mut state = self.lock();
        let next = state.writes + 1;
        let burns = state.burnt.is_none() && self.at == Some((next, Side::Before));
        if burns {
            state.burnt = Some(format!("before write {next}: {what}"));
        }
        burns
    }

    /// Whether it burns after what was written now.
    pub(super) fn burns_after(&self, what: &dyn fmt::Display) -> bool {
        let mut state = self.lock();
        state.writes += 1;
        let now = state.writes;
        let burns = state.burnt.is_none() && self.at == Some((now, Side::After));
        if burns {
            state.burnt = Some(format!("after write {now}: {what}"));
        }
        burns
    }

    /// How many writes there were.
    pub(super) fn writes(&self) -> usize {
        self.lock().writes
    }

    /// Where it has burnt.
    pub(super) fn burnt(&self) -> Option<String> {
        self.lock().burnt.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
