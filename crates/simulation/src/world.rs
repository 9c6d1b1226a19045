//! The world: one thread, virtual time, processes that come and go, and one store.
//!
//! It moves one step at a time: a task is polled, or a request to the store is carried out; which,
//! the seed decides. Only when there is neither does time go on. This module must not know what is
//! simulated.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rewake_core::time::Timestamp;
use rewake_store::memory::MemoryStore;

use crate::clock::VirtualClock;
use crate::ledger::Ledger;
use crate::prng::Prng;
use crate::process::Processes;
use crate::scheduler::{ProcessId, Tasks};
use crate::settings::Settings;
use crate::shadow::Shadow;
use crate::store::{Fate, Request};

/// The world.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) seed: u64,
    pub(crate) clock: VirtualClock,
    pub(crate) memory: MemoryStore,
    pub(crate) tasks: Tasks,
    pub(crate) processes: Mutex<Processes>,
    pub(crate) ledger: Arc<Ledger>,
    /// True while things go wrong.
    pub(crate) turmoil: AtomicBool,
    /// How far the store's clock is off, in milliseconds.
    pub(crate) skew: Arc<AtomicI64>,
    pub(crate) steps: AtomicU64,
    rng: Mutex<Prng>,
    requests: Mutex<Vec<Request>>,
    shadow: Mutex<Shadow>,
    failure: Mutex<Option<String>>,
    trace: Option<Mutex<Vec<String>>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl World {
    /// An empty world.
    pub(crate) fn new(seed: u64, settings: Settings, traced: bool) -> Arc<Self> {
        let clock = VirtualClock::new();
        let skew = Arc::new(AtomicI64::new(0));
        let now = {
            let (clock, skew) = (clock.clone(), Arc::clone(&skew));
            move || {
                let off = skew.load(Ordering::Relaxed);
                Timestamp::from_millis(clock.now().saturating_add_signed(off))
            }
        };
        Arc::new(Self {
            settings,
            seed,
            clock,
            memory: MemoryStore::new(Arc::new(now)),
            tasks: Tasks::default(),
            processes: Mutex::default(),
            ledger: Arc::default(),
            turmoil: AtomicBool::new(false),
            skew,
            steps: AtomicU64::new(0),
            rng: Mutex::new(Prng::new(seed, 2)),
            requests: Mutex::default(),
            shadow: Mutex::default(),
            failure: Mutex::default(),
            trace: traced.then(Mutex::default),
        })
    }

    /// Moves one step. False where everything is at rest, for ever.
    pub(crate) fn step(self: &Arc<Self>) -> bool {
        self.steps.fetch_add(1, Ordering::Relaxed);
        let (ready, requests) = (self.tasks.ready(), lock(&self.requests).len());
        if ready + requests == 0 {
            let at = self.clock.advance();
            self.trace(|| format!("time {at:?}"));
            return at.is_some();
        }
        let choice = if self.settings.in_order {
            0
        } else {
            self.rng().index(ready + requests)
        };
        if let Some(request) = choice.checked_sub(ready) {
            let request = lock(&self.requests).remove(request);
            self.carry_out(request);
        } else if let Some((process, task)) = self.tasks.poll(choice) {
            self.trace(|| format!("poll p{process} {task}"));
        }
        true
    }

    /// True where nothing happens until time goes on.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.tasks.ready() + lock(&self.requests).len() == 0
    }

    /// Takes a request that is to be carried out some time.
    pub(crate) fn hand_over(&self, request: Request) {
        let (process, name) = (request.process, request.name);
        if !lock(&self.processes).is_alive(process) {
            self.fail(format!(
                "process {process} is gone, and asks the store for `{name}`"
            ));
        }
        self.trace(|| format!("ask  p{process} {name}"));
        lock(&self.requests).push(request);
    }

    fn carry_out(self: &Arc<Self>, mut request: Request) {
        let fate = self.fate(&request);
        let (process, name) = (request.process, request.name);
        let said = (request.carry_out)(self, fate);
        self.trace(|| format!("done p{process} {name} {fate:?}: {said}"));
        if request.orphan || fate == Fate::Late {
            // What it does, no process may have heard of: only a new one will find it.
            lock(&self.processes).unsettle();
        }
        if fate == Fate::Late {
            request.orphan = true;
            lock(&self.requests).push(request);
        }
        if matches!(fate, Fate::CrashBefore | Fate::CrashAfter) {
            self.crash(process);
        }
    }

    fn fate(&self, request: &Request) -> Fate {
        if request.orphan || !self.turmoil.load(Ordering::Relaxed) {
            return Fate::Plain;
        }
        let settings = &self.settings;
        let mut rng = self.rng();
        if !request.writes {
            let refused = rng.chance(settings.refused / 4);
            return if refused { Fate::Refused } else { Fate::Plain };
        }
        if rng.chance(settings.crash) {
            return rng.pick(&[Fate::CrashBefore, Fate::CrashAfter]);
        }
        if rng.chance(settings.unknown) {
            return rng.pick(&[
                Fate::AnswerLost,
                Fate::AnswerLost,
                Fate::RequestLost,
                Fate::Late,
            ]);
        }
        if rng.chance(settings.refused) {
            return rng.pick(&[Fate::Overloaded, Fate::DiskFull, Fate::Refused]);
        }
        Fate::Plain
    }

    /// No clock is ahead of this.
    pub(crate) fn latest(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().saturating_add(self.settings.skew))
    }

    /// What a process that is gone has left on its way: some of it arrives all the same.
    pub(crate) fn forget_requests(&self, process: ProcessId) {
        let mut rng = self.rng();
        let turmoil = self.turmoil.load(Ordering::Relaxed);
        let mut gone = Vec::new();
        let mut requests = lock(&self.requests);
        for mut request in std::mem::take(&mut *requests) {
            if request.process != process || request.orphan {
                requests.push(request);
            } else if turmoil && request.writes && rng.chance(1_000) {
                request.orphan = true;
                requests.push(request);
            } else {
                gone.push(request);
            }
        }
        drop((rng, requests));
        drop(gone);
    }

    /// Drops everything that holds on to this world.
    pub(crate) fn end(&self) {
        let processes = lock(&self.processes).alive();
        for process in processes {
            self.crash(process);
        }
        self.tasks.kill(crate::scheduler::OUTSIDE);
        let left = std::mem::take(&mut *lock(&self.requests));
        drop(left);
    }

    /// Reports what must not be; the first report stands.
    pub(crate) fn fail(&self, problem: String) {
        self.trace(|| format!("FAIL {problem}"));
        lock(&self.failure).get_or_insert(problem);
    }

    /// What must not be, if it was seen.
    pub(crate) fn failure(&self) -> Option<String> {
        let difference = self.ledger.lock().difference.clone();
        lock(&self.failure).clone().or(difference)
    }

    /// Writes down what happens, where somebody wants to know.
    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            lock(trace).push(format!("{:>13} {}", self.clock.now(), line()));
        }
    }

    /// What happened.
    pub(crate) fn take_trace(&self) -> Vec<String> {
        self.trace
            .as_ref()
            .map(|trace| std::mem::take(&mut *lock(trace)))
            .unwrap_or_default()
    }

    /// The scheduler's randomness. Not to be held while anything is polled.
    pub(crate) fn rng(&self) -> MutexGuard<'_, Prng> {
        lock(&self.rng)
    }

    /// The logs, as they were followed.
    pub(crate) fn shadow(&self) -> MutexGuard<'_, Shadow> {
        lock(&self.shadow)
    }
}

/// A panic must not hide what was seen before it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
