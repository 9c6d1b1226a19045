//! Those who wait for something of a run: its end, or an answer to a webhook's request.
//!
//! A call is only a hint: whoever is called looks at the store.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use rewake_core::id::RunId;

#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: Mutex<BTreeMap<RunId, Vec<oneshot::Sender<()>>>>,
}

impl Waiters {
    /// Resolves when something worth looking at has happened to the run.
    pub(crate) fn wait(&self, run: RunId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        let all = waiting.entry(run).or_default();
        // Whoever gave up waiting must not be kept for as long as the run lives.
        all.retain(|sender| !sender.is_canceled());
        all.push(sender);
        receiver
    }

    /// Calls those who wait for the run.
    pub(crate) fn call(&self, run: RunId) {
        let waiting = self.lock().remove(&run).unwrap_or_default();
        for sender in waiting {
            let _gave_up = sender.send(());
        }
    }

    /// Calls everybody.
    pub(crate) fn call_all(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        for sender in waiting.into_values().flatten() {
            let _gave_up = sender.send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunId, Vec<oneshot::Sender<()>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
