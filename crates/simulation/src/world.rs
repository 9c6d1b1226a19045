//! The world: one thread, virtual time, processes that come and go, and one store.
//!
//! It moves one step at a time: a task is polled, or a request to the store is carried out; which,
//! the seed decides. Only when there is neither does time go on. This module must not know what is
//! simulated.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_store::memory::MemoryStore;
use rewake_store::{NodeId, Nodes, ScopeId, Store, WakeUp, WakeUps};

use crate::clock::VirtualClock;
use crate::disk::{Embedded, Ending};
use crate::fault::{Fate, Faults, Site};
use crate::ledger::Ledger;
use crate::nodes::is_of_nodes;
use crate::process::Processes;
use crate::scenario::{Disk, Sabotage, Scenario};
use crate::scheduler::{OUTSIDE, Pace, ProcessId, Tasks};
use crate::settings::Settings;
use crate::shadow::Shadow;
use crate::statement::{Problem, Statement};
use crate::store::Request;

/// No task looks at the clock so often while it is polled once.
const MOST_LOOKS: u64 = 100_000;
/// What a node does all the time is never longer apart than this, in milliseconds.
const REGULAR: u64 = 6_000;

/// The world.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) seed: u64,
    /// What a test breaks on purpose.
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) clock: VirtualClock,
    pub(crate) memory: MemoryStore,
    /// The embedded store, where that is what the processes share.
    embedded: Mutex<Option<Embedded>>,
    /// Whether the logs are followed and checked at each write.
    pub(crate) follows: bool,
    /// Whether the processes are nodes that share the store.
    pub(crate) shared: bool,
    /// Which process each node is.
    pub(crate) nodes: Mutex<BTreeMap<NodeId, ProcessId>>,
    /// When something was last written that is more than a sign of life.
    last_write: AtomicU64,
    /// Since when nothing is waited for but what is always to come.
    regular_since: AtomicU64,
    pub(crate) tasks: Tasks,
    pub(crate) processes: Mutex<Processes>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) ledger: Arc<Ledger>,
    /// True while things go wrong.
    pub(crate) turmoil: AtomicBool,
    /// How far the store's clock is off, in milliseconds.
    pub(crate) skew: Arc<AtomicI64>,
    pub(crate) steps: AtomicU64,
    /// How often a clock was looked at in this step.
    looks: AtomicU64,
    /// How many requests were handed over.
    asked: AtomicU64,
    asked_by: Mutex<BTreeMap<ProcessId, u64>>,
    /// Requests on their way, by when they are carried out.
    requests: Mutex<BTreeMap<(u64, u64), Request>>,
    shadow: Mutex<Shadow>,
    failure: Mutex<Option<Problem>>,
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
    /// An empty world, as a scenario wants it.
    pub(crate) fn new(scenario: &Scenario, traced: bool) -> Arc<Self> {
        let clock = VirtualClock::new();
        let skew = Arc::new(AtomicI64::new(0));
        let now = {
            let (clock, skew) = (clock.clone(), Arc::clone(&skew));
            move || {
                let off = skew.load(Ordering::Relaxed);
                Timestamp::from_millis(clock.now().saturating_add_signed(off))
            }
        };
        let now: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(now);
        let embedded = match scenario.disk {
            Disk::Followed | Disk::Memory | Disk::Shared => None,
            Disk::Sqlite => Some(Embedded::in_memory(Arc::clone(&now))),
            Disk::File => Some(Embedded::in_file(Arc::clone(&now))),
        };
        let settings = scenario.settings.clone();
        let pace = Pace {
            seed: scenario.seed,
            spread: settings.spread,
        };
        let shared = scenario.disk == Disk::Shared;
        Arc::new(Self {
            settings,
            seed: scenario.seed,
            sabotage: scenario.sabotage,
            ledger: Arc::new(Ledger::timed(clock.clone())),
            clock,
            memory: if shared {
                MemoryStore::shared(now)
            } else {
                MemoryStore::new(now)
            },
            embedded: Mutex::new(embedded),
            follows: scenario.disk == Disk::Followed || shared,
            shared,
            nodes: Mutex::default(),
            last_write: AtomicU64::new(0),
            regular_since: AtomicU64::new(u64::MAX),
            tasks: Tasks::new(pace),
            processes: Mutex::default(),
            faults: Mutex::new(Faults::new(scenario.seed, &scenario.plan)),
            turmoil: AtomicBool::new(false),
            skew,
            steps: AtomicU64::new(0),
            looks: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            asked_by: Mutex::default(),
            requests: Mutex::default(),
            shadow: Mutex::default(),
            failure: Mutex::default(),
            trace: traced.then(Mutex::default),
        })
    }

    /// The store that the processes share.
    pub(crate) fn store(&self) -> Box<dyn Store> {
        match &*lock(&self.embedded) {
            Some(embedded) => Box::new(embedded.store()),
            None => Box::new(self.memory.clone()),
        }
    }

    /// A store in a file ends with the process that had it, and is opened again for the next one.
    pub(crate) fn open_again(&self, after: Ending) {
        let opened = match &mut *lock(&self.embedded) {
            Some(Embedded::File(file)) => file.open_again(after),
            Some(Embedded::Memory(_)) | None => return,
        };
        self.trace(|| format!("open {after:?}"));
        self.count(after.name());
        if let Err(error) = opened {
            let text = format!("{after:?}, the file does not open again: {error}");
            self.fail(Statement::Durable.broken(text));
        }
    }

    /// Moves one step. False where everything is at rest, for ever.
    pub(crate) fn step(self: &Arc<Self>) -> bool {
        let now = self.steps.fetch_add(1, Ordering::Relaxed);
        self.looks.store(0, Ordering::Relaxed);
        let request = lock(&self.requests).keys().next().copied();
        match (self.tasks.first_due(), request) {
            (None, None) => {
                let at = self.clock.advance();
                self.trace(|| format!("time {at:?}"));
                return at.is_some();
            }
            (task, Some(place)) if task.is_none_or(|task| task > place.0) => {
                let request = lock(&self.requests).remove(&place);
                if let Some(request) = request {
                    self.carry_out(request);
                }
            }
            (_, _) => {
                if let Some((process, task)) = self.tasks.poll_first(now) {
                    self.trace(|| format!("poll p{process} {task}"));
                }
            }
        }
        true
    }

    /// Time stands still while a task is polled: one that waits for it to pass never ends.
    pub(crate) fn note_look_at_clock(&self, process: ProcessId) {
        if self.looks.fetch_add(1, Ordering::Relaxed) == MOST_LOOKS {
            let text = format!("process {process} is in a busy loop, waiting for time to pass");
            self.fail(Statement::Order.broken(text));
        }
        // Whatever waits like this is ended, so that the world goes on and can tell.
        assert!(
            self.looks.load(Ordering::Relaxed) <= MOST_LOOKS,
            "a busy loop"
        );
    }

    /// True where nothing happens until time goes on.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.tasks.first_due().is_none() && lock(&self.requests).is_empty()
    }

    /// Nodes say that they live for as long as they do, and look once a second. So it is at rest where
    /// nothing was written for this long, in milliseconds, and time goes on at once to what is due much
    /// later. False where nothing is.
    pub(crate) fn skip_the_beats(&self, quiet: u64) -> bool {
        let now = self.clock.now();
        if !self.is_at_rest() || now < self.last_write.load(Ordering::Relaxed) + quiet {
            return true;
        }
        let last_write = self.last_write.load(Ordering::Relaxed);
        let timer = self.clock.first_after(now + REGULAR);
        let Some(next) = timer.into_iter().chain(self.next_wake_up()).min() else {
            // What is due sooner may be more than regular: it gets its time.
            let since = self.regular_since.load(Ordering::Relaxed);
            let since = if since < last_write {
                now
            } else {
                since.min(now)
            };
            self.regular_since.store(since, Ordering::Relaxed);
            return now <= since + REGULAR;
        };
        self.regular_since.store(u64::MAX, Ordering::Relaxed);
        if next > now + REGULAR {
            self.trace(|| format!("skip to {next}"));
            self.clock.turn_to(next - 3_000);
            self.keep_alive();
            self.last_write.store(next, Ordering::Relaxed);
        }
        true
    }

    /// Time that nobody saw pass is nobody's silence: what lives goes on living, or every node would look
    /// at all that it has, and find what no news told it.
    fn keep_alive(&self) {
        let alive = |process: &ProcessId| {
            lock(&self.processes).is_alive(*process) && !self.tasks.is_frozen(*process)
        };
        for (node, process) in &*lock(&self.nodes) {
            if alive(process) {
                let _beat = self.memory.beat(*node).now_or_never();
            }
        }
    }

    /// When the next run falls due, which may be nobody's so far: no timer waits for it then.
    fn next_wake_up(&self) -> Option<u64> {
        let off = self.skew.load(Ordering::Relaxed);
        let now = Timestamp::from_millis(self.clock.now().saturating_add_signed(off));
        let after = WakeUp {
            at: now,
            run: RunId::from_bytes([u8::MAX; 16]),
        };
        let due = self.memory.due(ScopeId(0), Some(after), Timestamp::MAX, 1);
        let due = due.now_or_never()?.ok()?;
        let at = due.first()?.at.as_millis();
        Some(at.saturating_add_signed(-off))
    }

    /// Takes a request that is to be carried out some time.
    pub(crate) fn hand_over(&self, request: Request) {
        let Site { process, name, .. } = &request.site;
        let process = *process;
        if !lock(&self.processes).is_alive(process) {
            self.fail(Statement::Order.broken(format!(
                "process {process} is gone, and asks the store for `{name}`"
            )));
        }
        self.trace(|| format!("ask  p{process} {name}"));
        self.enqueue(request);
    }

    fn enqueue(&self, request: Request) {
        let pace = Pace {
            seed: self.seed,
            spread: self.settings.spread,
        };
        // Requests and tasks of a process have paces of their own.
        let process = request.site.process;
        let nth = self.asked_by(process);
        let place = (1 << 63) | (u64::from(process) << 32) | nth;
        let now = self.steps.load(Ordering::Relaxed);
        let due = pace.due(now, (place, u64::from(request.orphan)));
        let order = self.asked.fetch_add(1, Ordering::Relaxed);
        lock(&self.requests).insert((due, order), request);
    }

    /// How many requests a process made before this one.
    fn asked_by(&self, process: ProcessId) -> u64 {
        let mut asked_by = lock(&self.asked_by);
        let asked = asked_by.entry(process).or_default();
        *asked += 1;
        *asked
    }

    fn carry_out(self: &Arc<Self>, mut request: Request) {
        let fate = self.fate(&request);
        let Site { process, name, .. } = request.site.clone();
        if request.writes && !is_of_nodes(&name) {
            self.last_write.store(self.clock.now(), Ordering::Relaxed);
        }
        let said = (request.carry_out)(self, fate);
        self.trace(|| format!("done p{process} {name} {fate:?}: {said}"));
        if fate != Fate::Plain {
            self.count(fate.name());
        }
        if request.orphan || fate == Fate::Late {
            // What it does, no process may have heard of: only a new one will find it.
            lock(&self.processes).unsettle();
        }
        if matches!(fate, Fate::Late | Fate::CrashDuring) {
            request.orphan = true;
            self.enqueue(request);
        }
        if fate.is_crash() {
            self.crash(process);
        }
    }

    fn fate(&self, request: &Request) -> Fate {
        if request.orphan || !self.turmoil.load(Ordering::Relaxed) {
            return Fate::Plain;
        }
        lock(&self.faults).fate(&self.settings, &request.site, request.writes)
    }

    /// No clock is ahead of this.
    pub(crate) fn latest(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().saturating_add(self.settings.skew))
    }

    /// What a process that is gone has left on its way: some of it arrives all the same.
    pub(crate) fn forget_requests(&self, process: ProcessId) {
        let turmoil = self.turmoil.load(Ordering::Relaxed);
        let mut gone = Vec::new();
        let mut requests = lock(&self.requests);
        for (place, mut request) in std::mem::take(&mut *requests) {
            if request.site.process != process || request.orphan {
                requests.insert(place, request);
            } else if turmoil && request.writes && lock(&self.faults).survives(&request.site) {
                self.count(Fate::Survives.name());
                request.orphan = true;
                requests.insert(place, request);
            } else {
                gone.push(request);
            }
        }
        drop(requests);
        drop(gone);
    }

    /// Drops everything that holds on to this world.
    pub(crate) fn end(&self) {
        // Nobody opens it again.
        drop(lock(&self.embedded).take());
        let processes = lock(&self.processes).alive();
        for process in processes {
            self.crash(process);
        }
        self.tasks.kill(OUTSIDE);
        let left = std::mem::take(&mut *lock(&self.requests));
        drop(left);
    }

    /// Reports what must not be; the first report stands.
    pub(crate) fn fail(&self, problem: Problem) {
        self.trace(|| format!("FAIL {}: {}", problem.statement, problem.text));
        lock(&self.failure).get_or_insert(problem);
    }

    /// What must not be, if it was seen.
    pub(crate) fn failure(&self) -> Option<Problem> {
        let difference = self.ledger.lock().difference.clone();
        let difference = difference.map(|text| Statement::Replay.broken(text));
        lock(&self.failure).clone().or(difference)
    }

    /// Counts something that happened.
    pub(crate) fn count(&self, name: &'static str) {
        self.ledger.tally.count(name);
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

    /// True while things go wrong.
    pub(crate) fn is_in_turmoil(&self) -> bool {
        self.turmoil.load(Ordering::Relaxed)
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
