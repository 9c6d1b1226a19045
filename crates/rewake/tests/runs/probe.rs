//! What steps write to and wait for, so that a test sees and steers them.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

/// The application's own value of these tests. Clones are the same probe.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    notes: Arc<watch::Sender<Vec<String>>>,
    gate: Arc<Semaphore>,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            notes: Arc::new(watch::Sender::default()),
            gate: Arc::new(Semaphore::new(0)),
        }
    }
}

impl Probe {
    /// Notes that something happened; how often it has, now.
    pub(crate) fn note(&self, what: impl Into<String>) -> usize {
        let what = what.into();
        let mut times = 0;
        self.notes.send_modify(|notes| {
            notes.push(what.clone());
            times = notes.iter().filter(|note| **note == what).count();
        });
        times
    }

    /// Everything that happened.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    /// How often something happened.
    pub(crate) fn times(&self, what: &str) -> usize {
        self.notes().iter().filter(|note| *note == what).count()
    }

    /// Waits until something has happened.
    pub(crate) async fn noted(&self, what: &str) {
        let mut notes = self.notes.subscribe();
        let seen = notes.wait_for(|notes| notes.iter().any(|note| note == what));
        let _notes = seen.await.unwrap();
    }

    /// Waits until the gate is opened; each opening lets one through.
    pub(crate) async fn pass(&self) {
        self.gate.acquire().await.unwrap().forget();
    }

    /// Lets so many through the gate.
    pub(crate) fn open(&self, times: usize) {
        self.gate.add_permits(times);
    }
}
