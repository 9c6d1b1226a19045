//! Processes: each an engine of its own on the one store, which may end at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake::Rewake;
use rewake_runtime::webhook::Secrets;
use rewake_runtime::{Builder, Engine, Entropy, Host, Registry, Spawner};
use serde::{Deserialize, Serialize};

use crate::clock::ProcessClock;
use crate::delivery::SECRET;
use crate::disk::Ending;
use crate::ledger::StepWorld;
use crate::prng::{Prng, Stream};
use crate::scheduler::ProcessId;
use crate::store::FaultyStore;
use crate::workload;
use crate::world::{World, lock};

/// What the build of a process is called whose code was changed.
pub(crate) const CHANGED_BUILD: &str = "changed";

/// The processes there are.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    last: ProcessId,
    alive: BTreeMap<ProcessId, Process>,
    /// Those, alive or gone, whose code is not the one that all others have.
    changed: BTreeSet<ProcessId>,
    /// How many ended without saying so.
    pub(crate) crashes: u32,
    /// How many times a process took up work beside or after another.
    pub(crate) boots: u32,
    /// How many times a process was made to look at a run on which another may have been at work.
    pub(crate) thefts: u32,
}

#[derive(Debug)]
struct Process {
    state: State,
    /// Nobody else works, or has worked, on the store since it began.
    alone: bool,
    evicts: bool,
    /// How far its clock is off.
    offset: Arc<AtomicI64>,
}

#[derive(Debug)]
enum State {
    Booting,
    Up(Engine),
    Stopping,
    /// It has come to its end, and can be cleared away.
    Over,
}

/// How a process is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// What its build is called.
    pub(crate) build: String,
    /// How far its clock is off, in milliseconds.
    pub(crate) offset: i64,
    /// What resting runs may hold in memory.
    pub(crate) memory: usize,
    /// Whether each rest is checked by a second replay.
    pub(crate) verify: bool,
    /// Whether its code differs from what all others have.
    pub(crate) changed: bool,
}

impl Setup {
    /// Evicts at every rest, and checks every rest.
    pub(crate) fn strict(build: &str) -> Self {
        Self {
            build: build.to_owned(),
            offset: 0,
            memory: 0,
            verify: true,
            changed: false,
        }
    }
}

impl Processes {
    pub(crate) fn is_alive(&self, process: ProcessId) -> bool {
        self.alive.contains_key(&process)
    }

    pub(crate) fn alive(&self) -> Vec<ProcessId> {
        self.alive.keys().copied().collect()
    }

    /// True where the code of a process is not the one that all others have.
    pub(crate) fn is_changed(&self, process: ProcessId) -> bool {
        self.changed.contains(&process)
    }

    /// Turns the clock of a process to so far off.
    pub(crate) fn turn_clock(&self, process: ProcessId, offset: i64) {
        if let Some(process) = self.alive.get(&process) {
            process.offset.store(offset, Ordering::Relaxed);
        }
    }

    /// Something was written that no process may have heard of.
    pub(crate) fn unsettle(&mut self) {
        for process in self.alive.values_mut() {
            process.alone = false;
        }
    }

    /// The engines that take calls.
    pub(crate) fn engines(&self) -> Vec<(ProcessId, Engine)> {
        let up = self.alive.iter().filter_map(|(id, process)| {
            if let State::Up(engine) = &process.state {
                return Some((*id, engine.clone()));
            }
            None
        });
        up.collect()
    }

    /// Those that have come to their end by themselves.
    pub(crate) fn over(&self) -> Vec<ProcessId> {
        let over = |process: &&Process| matches!(process.state, State::Over);
        let alive = self.alive.iter();
        alive
            .filter(|(_, process)| over(process))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The one process there is, where it has always been the only one, and is up.
    pub(crate) fn sole(&self) -> Option<(&Engine, bool)> {
        let mut alive = self.alive.values();
        match (alive.next(), alive.next()) {
            (Some(process), None) if process.alone => match &process.state {
                State::Up(engine) => Some((engine, process.evicts)),
                State::Booting | State::Stopping | State::Over => None,
            },
            _ => None,
        }
    }

    fn set(&mut self, id: ProcessId, state: State) {
        if let Some(process) = self.alive.get_mut(&id) {
            process.state = state;
        }
    }
}

impl World {
    /// Starts a process.
    pub(crate) fn boot(self: &Arc<Self>, setup: Setup) -> ProcessId {
        let id = {
            let mut processes = lock(&self.processes);
            processes.last += 1;
            processes.boots += 1;
            processes.unsettle();
            let id = processes.last;
            let process = Process {
                state: State::Booting,
                alone: processes.alive.is_empty(),
                evicts: setup.memory == 0,
                offset: Arc::new(AtomicI64::new(setup.offset)),
            };
            processes.alive.insert(id, process);
            if setup.changed {
                processes.changed.insert(id);
            }
            id
        };
        self.trace(|| format!("boot p{id} {setup:?}"));
        let world = Arc::clone(self);
        let open = async move {
            match world.builder(id, &setup).open().await {
                Ok(engine) => lock(&world.processes).set(id, State::Up(engine)),
                Err(error) => {
                    world.trace(|| format!("boot p{id} failed: {error}"));
                    lock(&world.processes).set(id, State::Over);
                }
            }
        };
        self.tasks.spawn(id, "boot", open.boxed());
        id
    }

    fn builder(self: &Arc<Self>, id: ProcessId, setup: &Setup) -> Builder {
        let host = Host {
            clock: Arc::new(ProcessClock {
                world: Arc::clone(self),
                process: id,
                offset: self.offset_of(id),
                sleeps: AtomicU64::new(0),
            }),
            spawner: Arc::new(ProcessSpawner {
                world: Arc::clone(self),
                process: id,
            }),
            entropy: Arc::new(ProcessEntropy {
                prng: Mutex::new(Prng::at(self.seed, Stream::Entropy, (u64::from(id), 0))),
            }),
        };
        let store = FaultyStore {
            world: Arc::clone(self),
            process: id,
            asked: Mutex::default(),
        };
        let registry = Rewake::builder()
            .provide(StepWorld {
                ledger: Arc::clone(&self.ledger),
                clock: self.clock.clone(),
            })
            .registry()
            .expect("the workload's names are told apart");
        let registry = if setup.changed {
            changed(registry)
        } else {
            registry
        };
        Builder::new(host, Arc::new(store), registry)
            .build_id(setup.build.clone())
            .memory_budget(setup.memory)
            .verify(setup.verify)
            .public_url("http://simulated")
            .secrets(secrets())
    }

    fn offset_of(&self, id: ProcessId) -> Arc<AtomicI64> {
        let processes = lock(&self.processes);
        let process = processes.alive.get(&id);
        process.map_or_else(Arc::default, |process| Arc::clone(&process.offset))
    }

    /// Ends a process where it stands: whatever it holds is dropped, and it gets to say nothing.
    pub(crate) fn crash(&self, id: ProcessId) {
        let (process, ending) = {
            let mut processes = lock(&self.processes);
            let process = processes.alive.remove(&id);
            let over = matches!(
                process,
                Some(Process {
                    state: State::Over,
                    ..
                })
            );
            processes.crashes += u32::from(!over);
            let mut prng = Prng::at(self.seed, Stream::Ending, (u64::from(id), 0));
            let ending = if over {
                Ending::Closed
            } else {
                prng.pick(&[Ending::Killed, Ending::Dropped])
            };
            (process, ending)
        };
        self.trace(|| format!("end  p{id}"));
        self.tasks.kill(id);
        drop(process);
        self.forget_requests(id);
        self.open_again(ending);
    }

    /// Lets a process end in good order.
    pub(crate) fn shut_down(self: &Arc<Self>, id: ProcessId, grace: Duration) {
        let engine = {
            let mut processes = lock(&self.processes);
            let Some(process) = processes.alive.get_mut(&id) else {
                return;
            };
            let State::Up(engine) = &process.state else {
                return;
            };
            let engine = engine.clone();
            process.state = State::Stopping;
            engine
        };
        self.trace(|| format!("stop p{id}"));
        let world = Arc::clone(self);
        let stop = async move {
            let ended = engine.shutdown(grace).await;
            world.trace(|| format!("stopped p{id}: {ended:?}"));
            lock(&world.processes).set(id, State::Over);
        };
        self.tasks.spawn(id, "shutdown", stop.boxed());
    }
}

/// What those sign their requests with who call webhooks.
fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    let (name, value) = SECRET;
    secrets.add(name, value);
    secrets
}

/// The program whose workflow was changed: under the same name stands other code.
fn changed(mut registry: Registry) -> Registry {
    let known = registry.workflow(workload::WORKFLOW).cloned();
    let other = registry.workflow(workload::CHANGED).cloned();
    let (known, other) = known.zip(other).expect("both are linked into this program");
    let replaced = rewake_runtime::Workflow {
        run: other.run,
        ..known
    };
    registry
        .add_workflow(replaced)
        .expect("it stands in the place of the other");
    registry
}

struct ProcessSpawner {
    world: Arc<World>,
    process: ProcessId,
}

impl ProcessSpawner {
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        // What a call starts when its process is taken from under it never runs: in the real world
        // nothing gets to drop it.
        if !lock(&self.world.processes).is_alive(self.process) {
            return;
        }
        self.world.tasks.spawn(self.process, name, task);
    }
}

impl Spawner for ProcessSpawner {
    fn spawn_driver(&self, task: BoxFuture<'static, ()>) {
        self.spawn("driver", task);
    }

    fn spawn_step(&self, task: BoxFuture<'static, ()>) {
        self.spawn("step", task);
    }
}

struct ProcessEntropy {
    prng: Mutex<Prng>,
}

impl Entropy for ProcessEntropy {
    fn draw(&self) -> u128 {
        let mut prng = lock(&self.prng);
        (u128::from(prng.next()) << 64) | u128::from(prng.next())
    }
}
