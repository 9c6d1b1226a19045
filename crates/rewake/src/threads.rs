//! Threads of our own for drivers, which poll workflow code: off tokio, so that what is not durable
//! shows at once. Steps go where the application's tokio is.
//!
//! One caller waits for hand-overs between threads more than for anything but the disk. So nobody is
//! woken but who is needed: a task that is ready wakes one thread, and none where one is looking for
//! work anyway.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use async_task::Runnable;
use futures_util::future::BoxFuture;
use rewake_runtime::Spawner;
use rewake_store::Patience;
use tokio::runtime::Handle;

use crate::host::now;

/// The threads of one engine. They end with its last handle.
pub(crate) struct Threads {
    shared: Arc<Shared>,
    tokio: Handle,
}

impl Threads {
    pub(crate) fn start(tokio: Handle, threads: usize) -> Self {
        let shared = Arc::new(Shared::default());
        for n in 0..threads {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("rewake-{n}"))
                .spawn(move || shared.work())
                .expect("the operating system starts threads");
        }
        Self { shared, tokio }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Spawner for Threads {
    fn spawn_driver(&self, task: BoxFuture<'static, ()>) {
        let shared = Arc::clone(&self.shared);
        let (runnable, task) = async_task::spawn(task, move |runnable| shared.schedule(runnable));
        runnable.schedule();
        task.detach();
    }

    fn spawn_step(&self, task: BoxFuture<'static, ()>) {
        drop(self.tokio.spawn(task));
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// How many tasks are ready, for who looks without the lock.
    ready: AtomicUsize,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Runnable>,
    /// Threads that look for work without sleeping, and those on their way from sleep.
    looking: usize,
    waking: usize,
    sleeping: usize,
    stopped: bool,
}

/// The time of day, to measure how long a thread looks for work.
fn passed() -> Duration {
    Duration::from_millis(now().as_millis())
}

/// Drops a task that is woken after the threads have stopped, and its future with it, on a thread of its
/// own: whoever wakes it may hold the lock that its future needs to go.
fn drop_elsewhere(task: Runnable) {
    let thread = thread::Builder::new().name("rewake-late".to_owned());
    // Nobody waits for it. Where there is no thread to be had, it goes here.
    drop(thread.spawn(move || drop(task)));
}

impl Shared {
    fn schedule(&self, task: Runnable) {
        let mut state = self.lock();
        if state.stopped {
            drop(state);
            drop_elsewhere(task);
            return;
        }
        state.ready.push_back(task);
        self.ready.store(state.ready.len(), Ordering::Release);
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let enough = state.ready.len() <= state.looking + state.waking;
        if enough || state.sleeping == 0 {
            return;
        }
        state.sleeping -= 1;
        state.waking += 1;
        drop(state);
        self.woken.notify_one();
    }

    fn work(&self) {
        let mut patience = Patience::new();
        while let Some(task) = self.next(&mut patience) {
            // A panic ends the task, whose future is dropped, and not the thread.
            drop(catch_unwind(AssertUnwindSafe(|| task.run())));
        }
    }

    fn next(&self, patience: &mut Patience) -> Option<Runnable> {
        let mut state = self.lock();
        let mut looked = false;
        loop {
            if let Some(task) = state.ready.pop_front() {
                self.ready.store(state.ready.len(), Ordering::Release);
                self.wake(state);
                return Some(task);
            }
            if state.stopped {
                return None;
            }
            if !looked && state.looking == 0 && patience.is_worth_a_look() {
                state.looking += 1;
                drop(state);
                looked = true;
                patience.look(|| self.ready.load(Ordering::Acquire) > 0, passed);
                state = self.lock();
                state.looking -= 1;
                continue;
            }
            state.sleeping += 1;
            while state.waking == 0 && !state.stopped {
                state = self
                    .woken
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.waking = state.waking.saturating_sub(1);
        }
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let left = std::mem::take(&mut state.ready);
        drop(state);
        self.woken.notify_all();
        // Outside the lock: a future that is dropped may wake another.
        drop(left);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here panics while it holds the lock half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Barrier;
    use std::task::{Poll, Waker};

    use async_lock::Semaphore;
    use futures::channel::oneshot;
    use futures_executor::block_on;
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    /// Threads whose tokio is never asked for anything.
    fn threads(count: usize) -> Threads {
        let mut tokio = tokio::runtime::Builder::new_current_thread();
        let tokio = tokio.build().unwrap();
        Threads::start(tokio.handle().clone(), count)
    }

    /// Runs a task, and says when it has ended.
    fn run(
        threads: &Threads,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> oneshot::Receiver<()> {
        let (ended, end) = oneshot::channel();
        threads.spawn_driver(
            async move {
                task.await;
                ended.send(()).unwrap();
            }
            .boxed(),
        );
        end
    }

    #[test]
    fn tasks_that_wait_for_one_another_come_to_their_end() {
        for count in [1, 2, 4] {
            let threads = threads(count);
            let (first, mut last) = oneshot::channel();
            let mut ends = Vec::new();
            for _ in 0..200 {
                let (next, after) = oneshot::channel();
                let before = std::mem::replace(&mut last, after);
                ends.push(run(&threads, async move {
                    before.await.unwrap();
                    next.send(()).unwrap();
                }));
            }
            first.send(()).unwrap();
            assert_eq!(block_on(join_all(ends)), vec![Ok(()); 200]);
            assert_eq!(block_on(last), Ok(()));
        }
    }

    #[test]
    fn two_tasks_that_hold_their_threads_run_at_once() {
        let threads = threads(2);
        let meet = Arc::new(Barrier::new(2));
        for _ in 0..100 {
            let ends: [_; 2] = std::array::from_fn(|_| {
                let meet = Arc::clone(&meet);
                run(&threads, async move {
                    meet.wait();
                })
            });
            assert_eq!(block_on(join_all(ends)), [Ok(()), Ok(())]);
        }
    }

    #[test]
    fn a_panic_ends_the_task_and_not_its_thread() {
        let threads = threads(1);
        let panicked = run(&threads, async { panic!("this is what is tested") });
        assert!(block_on(panicked).is_err());
        assert_eq!(block_on(run(&threads, async {})), Ok(()));
    }

    #[test]
    fn what_waits_when_the_threads_stop_is_dropped_and_not_run() {
        let threads = threads(1);
        let (hold, held) = oneshot::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let holding = run(&threads, async move {
            begun.send(()).unwrap();
            // It keeps the thread.
            block_on(held).unwrap();
        });
        block_on(begins).unwrap();
        let waiting = run(&threads, async {});
        drop(threads);
        assert!(block_on(waiting).is_err());
        hold.send(()).unwrap();
        assert_eq!(block_on(holding), Ok(()));
    }

    #[test]
    fn tasks_that_wait_in_one_line_go_one_by_one_once_the_threads_have_stopped() {
        let threads = threads(1);
        let line = Arc::new(Semaphore::new(1));
        let place = line.try_acquire_arc().unwrap();
        let waiting: [_; 2] = std::array::from_fn(|_| {
            let line = Arc::clone(&line);
            run(&threads, async move { drop(line.acquire_arc().await) })
        });
        // They have come to wait: the one thread takes them in turn.
        assert_eq!(block_on(run(&threads, async {})), Ok(()));
        drop(threads);
        drop(place);
        for end in waiting {
            assert!(block_on(end).is_err());
        }
    }

    #[test]
    fn a_task_that_is_woken_after_the_threads_have_stopped_is_dropped() {
        let threads = threads(1);
        let (told, waker) = oneshot::channel::<Waker>();
        let mut told = Some(told);
        let asleep = run(&threads, async move {
            poll_fn(|context| {
                if let Some(told) = told.take() {
                    told.send(context.waker().clone()).unwrap();
                }
                Poll::<()>::Pending
            })
            .await;
        });
        let waker = block_on(waker).unwrap();
        drop(threads);
        waker.wake();
        assert!(block_on(asleep).is_err());
    }
}
