//! One process in the world of a test: it can end at any moment, as if it had been killed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Wake;

use async_channel::{Receiver, Sender};
use futures_util::future::BoxFuture;
use rewake_runtime::{Host, Spawner};
use tokio::runtime::Handle;

use super::fuse::Fuse;
use super::task::{Signal, Task, Waits};
use super::world::{World, WorldClock, WorldEntropy};
use crate::threads::Threads;

/// Whether a process still is, and what it is doing.
#[derive(Debug)]
pub(super) struct Process {
    dead: Arc<AtomicBool>,
    tasks: Mutex<Vec<Weak<Signal>>>,
    fuse: Option<Arc<Fuse>>,
    /// Closed when it is killed.
    alive: (Sender<()>, Receiver<()>),
}

impl Process {
    pub(super) fn new(fuse: Option<Arc<Fuse>>) -> Arc<Self> {
        Arc::new(Self {
            dead: Arc::default(),
            tasks: Mutex::default(),
            fuse,
            alive: async_channel::bounded(1),
        })
    }

    /// What kills it at a certain write, if anything does.
    pub(super) fn fuse(&self) -> Option<&Fuse> {
        self.fuse.as_deref()
    }

    /// Resolves when it is dead.
    pub(super) async fn death(&self) {
        let _closed = self.alive.1.recv().await;
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// Ends it: its tasks are dropped where they stand, and what it asks of the store is refused.
    pub(super) fn kill(&self) {
        self.dead.store(true, Ordering::Release);
        self.alive.1.close();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks.iter().filter_map(Weak::upgrade) {
            task.wake();
        }
    }

    /// What an engine of this process needs of the world. One thread polls its workflows, so that
    /// they take their turns in the same order in every test.
    pub(super) fn host(self: &Arc<Self>, world: &Arc<World>, tokio: &Handle) -> Host {
        let spawner = ProcessSpawner {
            world: Arc::clone(world),
            process: Arc::clone(self),
            threads: Threads::start(tokio.clone(), 1),
        };
        Host {
            clock: Arc::new(WorldClock(Arc::clone(world))),
            spawner: Arc::new(spawner),
            entropy: Arc::new(WorldEntropy(Arc::clone(world))),
        }
    }

    fn watch(&self, task: &Task) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Now and then, so that those that are over do not add up.
        if tasks.len() == tasks.capacity() {
            tasks.retain(|task| task.strong_count() > 0);
        }
        tasks.push(Arc::downgrade(&task.signal()));
    }
}

struct ProcessSpawner {
    world: Arc<World>,
    process: Arc<Process>,
    threads: Threads,
}

impl ProcessSpawner {
    fn task(&self, waits: Waits, future: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
        let task = Task::new(&self.world, &self.process.dead, waits, future);
        self.process.watch(&task);
        Box::pin(task)
    }
}

impl Spawner for ProcessSpawner {
    fn spawn_driver(&self, future: BoxFuture<'static, ()>) {
        self.threads.spawn_driver(self.task(Waits::Here, future));
    }

    fn spawn_step(&self, future: BoxFuture<'static, ()>) {
        self.threads.spawn_step(self.task(Waits::Elsewhere, future));
    }
}

impl fmt::Debug for ProcessSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessSpawner").finish_non_exhaustive()
    }
}
