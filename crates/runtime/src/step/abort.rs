//! Abort: a no that becomes a yes once, with a reason, and those who wait to hear of it.
//!
//! Two hands hold one. The engine's: each attempt of a step has one, aborted when nobody waits for its
//! result any more. And the workflow's: a controller, whose signal a step is given as an argument. A
//! step finds the second kind by its id among those of its run, which its workflow has made, in every
//! process that takes the run over, before any attempt begins there.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll, Waker};

use rewake_core::event::StepOptions;
use rewake_core::id::AbortId;
use rewake_core::payload;

use crate::registry::{Step, StepFailure};

/// The name of the built-in step that puts on record that a controller was used.
pub(crate) const NAME: &str = "rewake::abort";

/// How the built-in step is tried; it cannot fail.
pub(crate) const OPTIONS: StepOptions = StepOptions {
    max_retries: 3,
    timeout_ms: None,
    backoff_ms: 100,
};

/// What may be aborted. Clones are one and the same.
#[derive(Clone, Default)]
pub struct Abort {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    reason: Option<String>,
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

impl Abort {
    /// One that is aborted from the beginning.
    pub fn aborted_for(reason: impl Into<String>) -> Self {
        let abort = Self::default();
        abort.abort(reason);
        abort
    }

    /// Aborts it, and wakes whoever waits for that. The first reason stands.
    pub fn abort(&self, reason: impl Into<String>) {
        let waiting = {
            let mut state = self.lock();
            if state.reason.is_some() {
                return;
            }
            state.reason = Some(reason.into());
            std::mem::take(&mut state.waiting)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    /// True once it is aborted.
    pub fn is_aborted(&self) -> bool {
        self.lock().reason.is_some()
    }

    /// Why it was aborted; none as long as it is not.
    pub fn reason(&self) -> Option<String> {
        self.lock().reason.clone()
    }

    /// Resolves once it is aborted. Dropped, nothing is left of the wait.
    pub fn aborted(&self) -> Aborted {
        Aborted {
            abort: self.clone(),
            turn: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Abort")
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

/// Waits until something is aborted.
#[derive(Debug)]
#[must_use = "it waits when it is awaited"]
pub struct Aborted {
    abort: Abort,
    turn: Option<u64>,
}

impl Future for Aborted {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut state = this.abort.lock();
        if state.reason.is_some() {
            return Poll::Ready(());
        }
        let turn = *this.turn.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        state.waiting.insert(turn, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Aborted {
    fn drop(&mut self) {
        if let Some(turn) = self.turn {
            self.abort.lock().waiting.remove(&turn);
        }
    }
}

/// The controllers that one run's workflow has made.
#[derive(Debug, Default)]
pub struct Aborts {
    by_id: Mutex<BTreeMap<AbortId, Abort>>,
}

impl Aborts {
    pub(crate) fn add(&self, id: AbortId, abort: Abort) {
        let mut by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        by_id.insert(id, abort);
    }

    /// The one with this id; none where the run has none.
    pub fn find(&self, id: AbortId) -> Option<Abort> {
        let by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        by_id.get(&id).cloned()
    }
}

/// The built-in step. What it is about has happened when the workflow asked for it, and happens again
/// whenever the workflow is replayed; the step is there so that this stands in the log.
pub(crate) fn definition() -> Step {
    Step {
        name: NAME.to_owned(),
        place: "rewake".to_owned(),
        run: Arc::new(|_| {
            let nothing = payload::encode(&()).map_err(|error| {
                StepFailure::Fatal(rewake_core::event::Failure::new(error.to_string()))
            });
            Box::pin(std::future::ready(nothing))
        }),
    }
}
