//! The scheduler: tasks that are polled one at a time, in an order that the seed decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use futures_util::future::BoxFuture;

/// A process of the simulated world.
pub(crate) type ProcessId = u32;

/// Where those are at home who only call: no process, and so never crashing.
pub(crate) const OUTSIDE: ProcessId = 0;

type Ready = Arc<Mutex<BTreeSet<u64>>>;

/// All tasks.
#[derive(Default)]
pub(crate) struct Tasks {
    state: Mutex<State>,
    ready: Ready,
}

#[derive(Default)]
struct State {
    next: u64,
    tasks: BTreeMap<u64, Task>,
}

struct Task {
    process: ProcessId,
    name: &'static str,
    /// Gone while it is polled.
    future: Option<BoxFuture<'static, ()>>,
}

impl Tasks {
    /// Adds a task, which may be polled from now on.
    pub(crate) fn spawn(
        &self,
        process: ProcessId,
        name: &'static str,
        future: BoxFuture<'static, ()>,
    ) {
        let mut state = self.lock();
        state.next += 1;
        let id = state.next;
        let task = Task {
            process,
            name,
            future: Some(future),
        };
        state.tasks.insert(id, task);
        drop(state);
        ready(&self.ready).insert(id);
    }

    /// How many could be polled.
    pub(crate) fn ready(&self) -> usize {
        ready(&self.ready).len()
    }

    /// Polls the `n`th of those that are ready; whose it is and what it does.
    pub(crate) fn poll(&self, n: usize) -> Option<(ProcessId, &'static str)> {
        let id = {
            let mut ready = ready(&self.ready);
            let id = ready.iter().nth(n).copied()?;
            ready.remove(&id);
            id
        };
        let (mut future, about) = {
            let mut state = self.lock();
            let task = state.tasks.get_mut(&id)?;
            (task.future.take()?, (task.process, task.name))
        };
        let waker = Waker::from(Arc::new(TaskWaker {
            id,
            ready: Arc::clone(&self.ready),
        }));
        let done = future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        let mut state = self.lock();
        if done {
            state.tasks.remove(&id);
        } else if let Some(task) = state.tasks.get_mut(&id) {
            task.future = Some(future);
            return Some(about);
        }
        drop(state);
        drop(future);
        Some(about)
    }

    /// Drops every task of a process where it stands.
    pub(crate) fn kill(&self, process: ProcessId) {
        let mut killed = Vec::new();
        let mut state = self.lock();
        state.tasks.retain(|id, task| {
            let stays = task.process != process;
            if !stays {
                killed.push((*id, task.future.take()));
            }
            stays
        });
        drop(state);
        for (id, future) in killed {
            ready(&self.ready).remove(&id);
            drop(future);
        }
    }

    /// What the tasks of a process are that have not ended.
    pub(crate) fn of(&self, process: ProcessId) -> Vec<&'static str> {
        let state = self.lock();
        let tasks = state.tasks.values();
        tasks
            .filter(|task| task.process == process)
            .map(|task| task.name)
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ready(ready: &Ready) -> MutexGuard<'_, BTreeSet<u64>> {
    ready.lock().unwrap_or_else(PoisonError::into_inner)
}

struct TaskWaker {
    id: u64,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        ready(&self.ready).insert(self.id);
    }
}
