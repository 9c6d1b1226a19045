//! A task of an engine's, and whether it is busy.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::world::World;

thread_local! {
    /// The step that is being polled waits for time or for nothing, and for nobody else.
    static RESTS: Cell<bool> = const { Cell::new(false) };
}

/// Says that the step that is being polled has nothing to do until it is woken.
pub(super) fn rest() {
    RESTS.set(true);
}

/// When a task that waits is busy all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// It waits for other tasks or for time, as drivers do: it has nothing to do then.
    Here,
    /// It waits for what we know nothing of, as steps do, unless it says otherwise.
    Elsewhere,
}

/// A task that counts as busy while it has something to do, and can be ended from outside.
pub(super) struct Task {
    signal: Arc<Signal>,
    waits: Waits,
    future: Option<BoxFuture<'static, ()>>,
}

impl Task {
    /// It is busy from now on: it has to be polled.
    pub(super) fn new(
        world: &Arc<World>,
        dead: &Arc<AtomicBool>,
        waits: Waits,
        future: BoxFuture<'static, ()>,
    ) -> Self {
        world.enter();
        let signal = Signal {
            world: Arc::clone(world),
            dead: Arc::clone(dead),
            state: Mutex::new(State {
                busy: true,
                woken: true,
                over: false,
                waker: None,
            }),
        };
        Self {
            signal: Arc::new(signal),
            waits,
            future: Some(future),
        }
    }

    /// Wakes it from outside.
    pub(super) fn signal(&self) -> Arc<Signal> {
        Arc::clone(&self.signal)
    }

    fn end(&mut self) {
        // Whatever it lets go of may wake others: they are busy before it no longer is.
        self.future = None;
        self.signal.end();
    }
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.signal.begin(cx.waker());
        let waker = Waker::from(Arc::clone(&this.signal));
        let outer = RESTS.replace(false);
        let polled = match &mut this.future {
            Some(future) if !this.signal.dead.load(Ordering::Acquire) => {
                future.poll_unpin(&mut Context::from_waker(&waker))
            }
            _ => Poll::Ready(()),
        };
        let rests = RESTS.replace(outer) || this.waits == Waits::Here;
        match polled {
            Poll::Ready(()) => {
                this.end();
                Poll::Ready(())
            }
            Poll::Pending => {
                this.signal.wait(rests);
                Poll::Pending
            }
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

/// The waker of one task.
#[derive(Debug)]
pub(super) struct Signal {
    world: Arc<World>,
    dead: Arc<AtomicBool>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The world counts it.
    busy: bool,
    /// It was woken since its last poll began.
    woken: bool,
    over: bool,
    waker: Option<Waker>,
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, waker: &Waker) {
        let mut state = self.lock();
        state.woken = false;
        state.waker = Some(waker.clone());
        self.count(&mut state);
    }

    fn wait(&self, rests: bool) {
        let mut state = self.lock();
        let leaves = rests && !state.woken && std::mem::replace(&mut state.busy, false);
        drop(state);
        if leaves {
            self.world.leave();
        }
    }

    fn end(&self) {
        let mut state = self.lock();
        state.over = true;
        state.waker = None;
        let leaves = std::mem::replace(&mut state.busy, false);
        drop(state);
        if leaves {
            self.world.leave();
        }
    }

    fn count(&self, state: &mut State) {
        if !state.busy && !state.over {
            state.busy = true;
            self.world.enter();
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.lock();
        state.woken = true;
        // Before it can be polled, so that nobody sees everything at rest in between.
        self.count(&mut state);
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
