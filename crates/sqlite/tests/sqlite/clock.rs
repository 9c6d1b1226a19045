//! The clocks of these tests: one that ticks with every look, and one that can hold the writer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use rewake_sqlite::Now;
use rewake_store::core::time::Timestamp;

const BEGIN: u64 = 1_763_280_000_000;

/// A clock that goes on by a millisecond whenever somebody looks.
pub(crate) fn ticking() -> Now {
    let ms = AtomicU64::new(BEGIN);
    Arc::new(move || Timestamp::from_millis(ms.fetch_add(1, Ordering::Relaxed)))
}

/// Holds the writer where it takes the time: in the middle of a transaction.
pub(crate) struct Gate {
    held: Arc<Mutex<Option<Turn>>>,
    time: Now,
}

struct Turn {
    arrived: Sender<()>,
    leave: Receiver<()>,
}

/// The writer waits until this is dropped.
pub(crate) struct Closed {
    arrived: Receiver<()>,
    _leave: Sender<()>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            held: Arc::default(),
            time: ticking(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        let (held, time) = (Arc::clone(&self.held), Arc::clone(&self.time));
        Arc::new(move || {
            let turn = held.lock().unwrap().take();
            if let Some(turn) = turn {
                turn.arrived.send(()).unwrap();
                assert!(
                    turn.leave.recv().is_err(),
                    "the gate opens by being dropped"
                );
            }
            time()
        })
    }

    /// The next request that is judged waits.
    pub(crate) fn close(&self) -> Closed {
        let (arrived, here) = channel();
        let (stay, leave) = channel();
        *self.held.lock().unwrap() = Some(Turn { arrived, leave });
        Closed {
            arrived: here,
            _leave: stay,
        }
    }
}

impl Closed {
    /// Waits until the writer stands at the gate.
    pub(crate) fn wait(&self) {
        self.arrived.recv().unwrap();
    }
}
