//! The scheduler: tasks that are polled one at a time, in an order that the seed decides.
//!
//! What becomes ready waits for a number of steps that the seed draws for it alone, and what has
//! waited long enough comes first. So wake-ups are delayed, nobody starves, and where something is
//! cut out of a simulation the others keep their pace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use futures_util::future::BoxFuture;

use crate::prng::{Prng, Stream};

/// A process of the simulated world.
pub(crate) type ProcessId = u32;

/// Where those are at home who only call: no process, and so never crashing.
pub(crate) const OUTSIDE: ProcessId = 0;

/// How long what becomes ready must wait for its turn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    pub(crate) seed: u64,
    /// The most steps; none where everything goes in order.
    pub(crate) spread: u64,
}

impl Pace {
    /// The step at which it may be its turn.
    pub(crate) fn due(self, now: u64, (place, nth): (u64, u64)) -> u64 {
        if self.spread == 0 {
            return 0;
        }
        let mut prng = Prng::at(self.seed, Stream::Pace, (place, nth));
        // Most are quick, and some are much slower than all others.
        let spread = prng.pick(&[1, 1, self.spread, 8 * self.spread]);
        now + prng.below(spread)
    }
}

/// All tasks.
#[derive(Default)]
pub(crate) struct Tasks {
    state: Mutex<State>,
    turns: Arc<Mutex<Turns>>,
}

#[derive(Default)]
struct State {
    next: u64,
    tasks: BTreeMap<u64, Task>,
    /// How many tasks each process has begun.
    begun: BTreeMap<ProcessId, u64>,
}

struct Task {
    process: ProcessId,
    name: &'static str,
    /// Gone while it is polled.
    future: Option<BoxFuture<'static, ()>>,
}

/// Whose turn it is when.
#[derive(Default)]
struct Turns {
    pace: Pace,
    now: u64,
    queue: BTreeSet<(u64, u64)>,
    tasks: BTreeMap<u64, Turn>,
    /// Processes whose tasks are not polled, and those whose turn it would be.
    frozen: BTreeMap<ProcessId, BTreeSet<(u64, u64)>>,
}

struct Turn {
    place: u64,
    wakes: u64,
    due: Option<u64>,
}

/// Whose task has this place.
fn process_at(place: u64) -> ProcessId {
    ProcessId::try_from(place >> 32).unwrap_or(OUTSIDE)
}

impl Turns {
    fn wake(&mut self, id: u64) {
        let (pace, now) = (self.pace, self.now);
        let Some(turn) = self.tasks.get_mut(&id) else {
            return;
        };
        if turn.due.is_some() {
            return;
        }
        turn.wakes += 1;
        let due = pace.due(now, (turn.place, turn.wakes));
        turn.due = Some(due);
        let process = process_at(turn.place);
        let queue = self.frozen.get_mut(&process).unwrap_or(&mut self.queue);
        queue.insert((due, id));
    }

    fn freeze(&mut self, process: ProcessId) {
        let tasks = &self.tasks;
        let is_its = |id: &u64| {
            tasks
                .get(id)
                .is_some_and(|turn| process_at(turn.place) == process)
        };
        let (held, queue) = self.queue.iter().partition(|(_, id)| is_its(id));
        self.queue = queue;
        self.frozen
            .entry(process)
            .or_default()
            .extend::<BTreeSet<_>>(held);
    }

    fn thaw(&mut self, process: ProcessId) {
        self.queue
            .extend(self.frozen.remove(&process).unwrap_or_default());
    }

    fn forget(&mut self, id: u64) {
        let Some(turn) = self.tasks.remove(&id) else {
            return;
        };
        if let Some(due) = turn.due {
            self.queue.remove(&(due, id));
            if let Some(held) = self.frozen.get_mut(&process_at(turn.place)) {
                held.remove(&(due, id));
            }
        }
    }
}

impl Tasks {
    pub(crate) fn new(pace: Pace) -> Self {
        let tasks = Self::default();
        tasks.turns().pace = pace;
        tasks
    }

    /// Adds a task, which may be polled from now on.
    pub(crate) fn spawn(
        &self,
        process: ProcessId,
        name: &'static str,
        future: BoxFuture<'static, ()>,
    ) {
        let nth = {
            let mut state = self.lock();
            let begun = state.begun.entry(process).or_default();
            *begun += 1;
            *begun
        };
        self.spawn_at((process, name), nth, future);
    }

    /// Adds a task that has the same pace whatever else there is.
    pub(crate) fn spawn_at(
        &self,
        (process, name): (ProcessId, &'static str),
        nth: u64,
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
        let mut turns = self.turns();
        let turn = Turn {
            place: (u64::from(process) << 32) | nth,
            wakes: 0,
            due: None,
        };
        turns.tasks.insert(id, turn);
        turns.wake(id);
    }

    /// When the first of those that could be polled may be.
    pub(crate) fn first_due(&self) -> Option<u64> {
        self.turns().queue.first().map(|(due, _)| *due)
    }

    /// Polls the first of those that are ready; whose it is and what it does.
    pub(crate) fn poll_first(&self, now: u64) -> Option<(ProcessId, &'static str)> {
        let id = {
            let mut turns = self.turns();
            turns.now = now;
            let (_, id) = turns.queue.pop_first()?;
            let turn = turns.tasks.get_mut(&id)?;
            turn.due = None;
            id
        };
        let (mut future, about) = {
            let mut state = self.lock();
            let task = state.tasks.get_mut(&id)?;
            (task.future.take()?, (task.process, task.name))
        };
        let waker = Waker::from(Arc::new(TaskWaker {
            id,
            turns: Arc::clone(&self.turns),
        }));
        let done = future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        let mut state = self.lock();
        if done {
            state.tasks.remove(&id);
            self.turns().forget(id);
        } else if let Some(task) = state.tasks.get_mut(&id) {
            task.future = Some(future);
            return Some(about);
        }
        drop(state);
        drop(future);
        Some(about)
    }

    /// Lets a task be polled for nothing; what it does.
    pub(crate) fn poll_again(&self, which: usize) -> Option<&'static str> {
        let state = self.lock();
        let len = state.tasks.len().max(1);
        let (id, task) = state.tasks.iter().nth(which % len)?;
        self.turns().wake(*id);
        Some(task.name)
    }

    /// Polls no task of a process until it thaws.
    pub(crate) fn freeze(&self, process: ProcessId) {
        self.turns().freeze(process);
    }

    /// True where no task of the process is polled.
    pub(crate) fn is_frozen(&self, process: ProcessId) -> bool {
        self.turns().frozen.contains_key(&process)
    }

    /// Polls the tasks of a process again.
    pub(crate) fn thaw(&self, process: ProcessId) {
        self.turns().thaw(process);
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
            self.turns().forget(id);
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

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct TaskWaker {
    id: u64,
    turns: Arc<Mutex<Turns>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.turns
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wake(self.id);
    }
}
