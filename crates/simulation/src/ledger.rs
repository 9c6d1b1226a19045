//! The ledger: what those inside and outside were told and did, written down beside the store.
//!
//! It survives every crash, and is compared with the logs at the end. What workflows see is compared
//! at once: every replay of a run must see the same, as far as it goes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rewake_core::id::{HookId, RunId, StepId};

use crate::clock::{Nap, VirtualClock};
use crate::program::Program;
use crate::tally::Tally;
use crate::workload::Seen;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Ledger>>> = const { RefCell::new(None) };
}

/// What an outsider was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told<T> {
    /// It is done.
    Done(T),
    /// Nothing was done, and nothing is wrong with that.
    Nothing,
    /// It was refused, and nothing was done.
    Refused(String),
    /// It may have been done.
    Unknown,
}

impl<T> Told<T> {
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// A call of a webhook that its workflow answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallAsked {
    pub(crate) payload: u64,
    pub(crate) run: RunId,
}

/// A start that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct StartAsked {
    /// What the start carries, so that its run is found.
    pub(crate) serial: u64,
    pub(crate) program: Program,
    pub(crate) told: Vec<Told<RunId>>,
}

/// A delivery that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct ResumeAsked {
    /// Unique.
    pub(crate) payload: u64,
    pub(crate) token: String,
    /// Whether it was sent to a hook under the key `resume-N`.
    pub(crate) key: bool,
    pub(crate) told: Vec<Told<(RunId, HookId)>>,
}

/// One request to cancel.
#[derive(Clone, Debug)]
pub(crate) struct CancelAsked {
    pub(crate) run: RunId,
    /// Unique.
    pub(crate) reason: String,
    pub(crate) told: Told<()>,
}

/// One execution of a step's body.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    pub(crate) run: RunId,
    pub(crate) step: StepId,
    pub(crate) attempt: u32,
    /// It came to its end and gave its number.
    pub(crate) ended: bool,
}

/// Everything that is written down.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub(crate) starts: Vec<StartAsked>,
    pub(crate) resumes: Vec<ResumeAsked>,
    pub(crate) cancels: Vec<CancelAsked>,
    pub(crate) calls: Vec<CallAsked>,
    /// The value a step returns is its execution's place here.
    pub(crate) executions: Vec<Execution>,
    /// What the workflow of a run saw, in the replay that went furthest.
    pub(crate) seen: BTreeMap<RunId, Vec<Seen>>,
    /// When each of these was seen for the first time.
    seen_at: BTreeMap<RunId, Vec<u64>>,
    /// The first place where two replays of a run saw different things.
    pub(crate) difference: Option<String>,
}

impl Entries {
    /// What the workflow of a run saw, and when it saw it for the first time.
    pub(crate) fn seen_by(&self, run: RunId) -> impl Iterator<Item = (&Seen, u64)> {
        let seen = self.seen.get(&run).into_iter().flatten();
        let at = self.seen_at.get(&run).into_iter().flatten();
        seen.zip(at.copied())
    }
}

/// The ledger.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Mutex<Entries>,
    clock: VirtualClock,
    pub(crate) tally: Tally,
}

impl Ledger {
    /// An empty one, in which things have their times.
    pub(crate) fn timed(clock: VirtualClock) -> Self {
        Self {
            clock,
            ..Self::default()
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Workflows on this thread write here until the guard goes.
    pub(crate) fn open(self: &Arc<Self>) -> Opened {
        Opened(CURRENT.replace(Some(Arc::clone(self))))
    }
}

/// Counts something in the ledger that is open on this thread.
pub(crate) fn count(name: &'static str) {
    CURRENT.with_borrow(|ledger| {
        if let Some(ledger) = ledger {
            ledger.tally.count(name);
        }
    });
}

/// While this is held, the ledger is the one that workflows write to.
#[derive(Debug)]
pub(crate) struct Opened(Option<Arc<Ledger>>);

impl Drop for Opened {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// What one replay of a run sees.
#[derive(Debug)]
pub(crate) struct Recording {
    ledger: Option<Arc<Ledger>>,
    run: RunId,
    next: Mutex<usize>,
}

impl Recording {
    /// Begins with the workflow.
    pub(crate) fn begin(run: RunId) -> Self {
        Self {
            ledger: CURRENT.with_borrow(Clone::clone),
            run,
            next: Mutex::new(0),
        }
    }

    pub(crate) fn note(&self, seen: &Seen) {
        let Some(ledger) = &self.ledger else { return };
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = ledger.lock();
        let known = entries.seen.entry(self.run).or_default();
        let other = known.get(*next).filter(|known| *known != seen).cloned();
        if *next == known.len() {
            known.push(seen.clone());
            let at = ledger.clock.now();
            entries.seen_at.entry(self.run).or_default().push(at);
        }
        if let Some(other) = other {
            let text = format!(
                "run {} saw {seen:?} as thing {next} in one replay and {other:?} in another",
                self.run
            );
            entries.difference.get_or_insert(text);
        }
        *next += 1;
    }
}

/// What a step knows of the world.
#[derive(Clone, Debug)]
pub(crate) struct StepWorld {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) clock: VirtualClock,
}

impl StepWorld {
    /// Writes down that an attempt runs.
    pub(crate) fn begin(&self, run: RunId, step: StepId, attempt: u32) -> Running {
        let mut entries = self.ledger.lock();
        entries.executions.push(Execution {
            run,
            step,
            attempt,
            ended: false,
        });
        Running {
            ledger: Arc::clone(&self.ledger),
            place: entries.executions.len() - 1,
        }
    }

    pub(crate) fn pause(&self, ms: u64) -> Nap {
        self.clock.sleep(ms)
    }
}

/// An attempt that runs.
#[derive(Debug)]
pub(crate) struct Running {
    ledger: Arc<Ledger>,
    place: usize,
}

impl Running {
    /// Writes down that it came to its end; its value.
    pub(crate) fn end(self) -> u64 {
        self.ledger.lock().executions[self.place].ended = true;
        self.place as u64
    }
}
