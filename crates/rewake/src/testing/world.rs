//! The world of a test: its time, and who is busy in it.
//!
//! Everything that an engine does, it does in tasks. A task is busy from the moment that it is woken
//! until it has been polled and waits again; a step also while it waits, for what it waits for is no
//! business of ours. Where nobody is busy, every run rests: nothing can happen any more but what
//! somebody outside does, or what time brings. So the world knows exactly, without looking at any
//! clock, when time may pass. This module must not know runs.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_core::time::Timestamp;
use rewake_runtime::{Clock, Entropy};

/// What lies beyond this is never.
const NEVER: Timestamp = Timestamp::from_millis(u64::MAX / 2);

/// Time, entropy, and who is busy.
#[derive(Debug)]
pub(crate) struct World {
    state: Mutex<State>,
    seed: u64,
    drawn: AtomicU64,
    /// How much was drawn when something was last put on record.
    recorded: AtomicU64,
}

#[derive(Debug)]
struct State {
    now: Timestamp,
    /// How many have something to do.
    busy: usize,
    /// How often everything has come to rest and stirred again.
    rests: u64,
    turn: u64,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    /// Those of them who need not sleep where nobody is busy.
    lulls: BTreeSet<(Timestamp, u64)>,
    /// Sleepers whose time has come, and who have not noticed yet.
    fired: BTreeSet<u64>,
    watches: BTreeMap<u64, Watching>,
}

#[derive(Debug)]
struct Watching {
    waker: Option<Waker>,
    /// It has something to look for whenever everything rests, before time may pass.
    looks: bool,
    /// The rest at which it has looked last.
    looked: Option<u64>,
}

impl World {
    pub(super) fn new(now: Timestamp, seed: u64) -> Arc<Self> {
        let state = State {
            now,
            busy: 0,
            rests: 0,
            turn: 0,
            sleepers: BTreeMap::new(),
            lulls: BTreeSet::new(),
            fired: BTreeSet::new(),
            watches: BTreeMap::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            seed,
            drawn: AtomicU64::new(0),
            recorded: AtomicU64::new(0),
        })
    }

    pub(super) fn time(&self) -> Timestamp {
        self.lock().now
    }

    pub(super) fn timers(&self) -> usize {
        self.lock().sleepers.len()
    }

    /// Somebody has something to do.
    pub(super) fn enter(&self) {
        self.lock().enter(1);
    }

    /// Somebody has nothing more to do.
    pub(super) fn leave(&self) {
        let waiting = self.lock().leave();
        wake(waiting);
    }

    /// Resolves at `at`, or at once if that has passed.
    pub(super) fn nap_until(self: &Arc<Self>, at: Timestamp) -> Nap {
        Nap {
            world: Arc::clone(self),
            at,
            turn: None,
            lull: false,
        }
    }

    /// Resolves as soon as nobody else is busy, at `at` at the latest.
    fn lull_until(self: &Arc<Self>, at: Timestamp) -> Nap {
        let mut nap = self.nap_until(at);
        nap.lull = true;
        nap
    }

    /// Watches for rest, to let time pass then. One that `looks` is asked before time passes.
    pub(super) fn watch(self: &Arc<Self>, looks: bool) -> Watch {
        let mut state = self.lock();
        let turn = state.next_turn();
        let watching = Watching {
            waker: None,
            looks,
            looked: None,
        };
        state.watches.insert(turn, watching);
        drop(state);
        Watch {
            world: Arc::clone(self),
            turn,
        }
    }

    /// Waits for what `future` waits for, and lets time pass meanwhile.
    pub(crate) fn passing<F: Future + Unpin>(self: &Arc<Self>, future: F) -> Passing<F> {
        Passing {
            watch: self.watch(false),
            seen: None,
            future,
        }
    }

    /// What was drawn so far may be on record.
    pub(super) fn record(&self) {
        let drawn = self.drawn.load(Ordering::Relaxed);
        self.recorded.store(drawn, Ordering::Relaxed);
    }

    /// Draws again what is on no record: whoever does again what a crash undid gets the same.
    pub(super) fn draw_again(&self) {
        let recorded = self.recorded.load(Ordering::Relaxed);
        self.drawn.store(recorded, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Never under the lock: whoever is woken may come back here.
fn wake(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

impl State {
    fn next_turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    fn enter(&mut self, more: usize) {
        if self.busy == 0 {
            self.rests += 1;
        }
        self.busy += more;
    }

    fn leave(&mut self) -> Vec<Waker> {
        self.busy -= 1;
        self.call()
    }

    /// Who must be woken to see that everything rests. Whoever waited only for a lull comes first.
    fn call(&mut self) -> Vec<Waker> {
        if self.busy > 0 {
            return Vec::new();
        }
        if !self.lulls.is_empty() {
            let lulls = std::mem::take(&mut self.lulls);
            return self.fire(&lulls);
        }
        let watches = self.watches.values_mut();
        watches
            .filter_map(|watching| watching.waker.take())
            .collect()
    }

    fn listen(&mut self, turn: u64, waker: &Waker) {
        if let Some(watching) = self.watches.get_mut(&turn) {
            watching.waker = Some(waker.clone());
        }
    }

    /// Skips to the next thing due, which wakes those who wait for it. Nothing where none is due up
    /// to `until`; it is `until` then, unless that is never.
    fn skip(&mut self, until: Timestamp) -> Option<Vec<Waker>> {
        let next = self.sleepers.first_key_value().map(|((at, _), _)| *at);
        let Some(at) = next.filter(|at| *at <= until && *at < NEVER) else {
            if until < NEVER {
                self.now = self.now.max(until);
            }
            return None;
        };
        self.now = self.now.max(at);
        let due = self.sleepers.range(..=(self.now, u64::MAX));
        let due = due.map(|(place, _)| *place).collect();
        Some(self.fire(&due))
    }

    /// These need not sleep any longer. They are busy until they notice.
    fn fire(&mut self, places: &BTreeSet<(Timestamp, u64)>) -> Vec<Waker> {
        self.enter(places.len());
        self.fired.extend(places.iter().map(|(_, turn)| *turn));
        let wakers = places.iter().map(|place| {
            self.lulls.remove(place);
            self.sleepers.remove(place)
        });
        wakers.flatten().collect()
    }
}

/// Watches for rest. Dropped, nobody waits for it to look.
#[derive(Debug)]
pub(super) struct Watch {
    world: Arc<World>,
    turn: u64,
}

/// Whether time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// It has, or something else has happened: look again.
    Something,
    /// Nothing is due.
    Nothing,
}

impl Watch {
    /// Resolves when everything rests, with the number of that rest.
    pub(super) fn rest(&self) -> impl Future<Output = u64> {
        std::future::poll_fn(|cx| self.poll_rest(cx))
    }

    /// Resolves when anything has happened since everything came to rest.
    pub(super) fn stir(&self) -> impl Future<Output = ()> {
        let mut waited = false;
        std::future::poll_fn(move |cx| {
            // Whoever wakes it knows of something.
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            self.world.lock().listen(self.turn, cx.waker());
            Poll::Pending
        })
    }

    /// Having looked at a rest, lets time pass to the next thing due, at most until `until`. It waits
    /// for others to have looked, those too that are polled after it for the first time.
    pub(super) fn skip(&self, rest: u64, until: Timestamp) -> impl Future<Output = Passed> {
        let mut waited = false;
        std::future::poll_fn(move |cx| {
            if !std::mem::replace(&mut waited, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.poll_skip(cx, rest, until)
        })
    }

    fn poll_rest(&self, cx: &mut Context<'_>) -> Poll<u64> {
        let mut state = self.world.lock();
        if state.busy == 0 {
            return Poll::Ready(state.rests);
        }
        state.listen(self.turn, cx.waker());
        Poll::Pending
    }

    fn poll_skip(&self, cx: &mut Context<'_>, rest: u64, until: Timestamp) -> Poll<Passed> {
        let mut state = self.world.lock();
        if state.busy > 0 || state.rests != rest {
            return Poll::Ready(Passed::Something);
        }
        if let Some(watching) = state.watches.get_mut(&self.turn) {
            watching.looked = Some(rest);
        }
        state.listen(self.turn, cx.waker());
        let mut watches = state.watches.values();
        if watches.any(|watching| watching.looks && watching.looked != Some(rest)) {
            return Poll::Pending;
        }
        let Some(due) = state.skip(until) else {
            return Poll::Ready(Passed::Nothing);
        };
        drop(state);
        wake(due);
        Poll::Ready(Passed::Something)
    }

    /// Lets time pass whenever everything rests, as long as anything is due. `seen` is the rest at
    /// which it was here last: whoever is polled after it comes first.
    fn poll_pass(&self, cx: &mut Context<'_>, seen: &mut Option<u64>) {
        while let Poll::Ready(rest) = self.poll_rest(cx) {
            if seen.replace(rest) != Some(rest) {
                cx.waker().wake_by_ref();
                return;
            }
            match self.poll_skip(cx, rest, Timestamp::MAX) {
                Poll::Ready(Passed::Something) => {}
                Poll::Ready(Passed::Nothing) | Poll::Pending => return,
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        state.watches.remove(&self.turn);
        let waiting = state.call();
        drop(state);
        wake(waiting);
    }
}

/// Waits for something, and lets time pass meanwhile.
#[derive(Debug)]
pub(crate) struct Passing<F> {
    watch: Watch,
    seen: Option<u64>,
    future: F,
}

impl<F: Future + Unpin> Future for Passing<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let output = this.future.poll_unpin(cx);
        if output.is_pending() {
            this.watch.poll_pass(cx, &mut this.seen);
        }
        output
    }
}

/// Waits for a time. It counts as busy from the moment its time has come until it notices.
#[derive(Debug)]
pub(super) struct Nap {
    world: Arc<World>,
    at: Timestamp,
    turn: Option<u64>,
    lull: bool,
}

impl Future for Nap {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut state = this.world.lock();
        let fired = this.turn.is_some_and(|turn| state.fired.contains(&turn));
        if fired || state.now >= this.at {
            drop(state);
            this.forget();
            return Poll::Ready(());
        }
        let turn = *this.turn.get_or_insert_with(|| state.next_turn());
        state.sleepers.insert((this.at, turn), cx.waker().clone());
        if this.lull {
            state.lulls.insert((this.at, turn));
        }
        // There may be something to skip to now.
        let waiting = state.call();
        drop(state);
        wake(waiting);
        Poll::Pending
    }
}

impl Nap {
    fn forget(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        let mut state = self.world.lock();
        state.sleepers.remove(&(self.at, turn));
        state.lulls.remove(&(self.at, turn));
        let waiting = if state.fired.remove(&turn) {
            state.leave()
        } else {
            Vec::new()
        };
        drop(state);
        wake(waiting);
    }
}

impl Drop for Nap {
    fn drop(&mut self) {
        self.forget();
    }
}

/// The world's time, as an engine takes it.
pub(super) struct WorldClock(pub(super) Arc<World>);

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.0.time()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        self.0.nap_until(at).boxed()
    }

    fn lull_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        self.0.lull_until(at).boxed()
    }
}

/// The world's entropy: the same in every test, and never the same twice in one.
pub(super) struct WorldEntropy(pub(super) Arc<World>);

impl Entropy for WorldEntropy {
    /// Ids take the low 80 bits: in them, what was drawn later is greater, so that a listing shows
    /// runs of one millisecond in the order in which they were started.
    fn draw(&self) -> u128 {
        let world = &self.0;
        let n = world.drawn.fetch_add(1, Ordering::Relaxed);
        let mixed = [mix(world.seed, 2 * n), mix(world.seed, 2 * n + 1)].map(u128::from);
        (mixed[0] << 80) | (u128::from(n) << 48) | (mixed[1] >> 16)
    }
}

/// The step of `SplitMix64`, which spreads neighbouring numbers over all of them.
const fn mix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
