//! The place where the calls of one workflow and the machine of its run meet.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{self, Waker};

use rewake_core::event::{Correlation, EventRef, Failure};
use rewake_core::few::Few;
use rewake_core::heap;
use rewake_core::id::{RunId, StepId};
use rewake_core::payload::Payload;
use rewake_core::replay::{Divergence, Fed, Machine};
use rewake_core::time::Timestamp;

use super::shield::Shielded;
use super::work::Work;
use crate::mint::Mint;
use crate::step::Aborts;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Context>>> = const { RefCell::new(None) };
}

/// A durable call was written or awaited where no workflow is being polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this only works inside a workflow")]
pub struct NotInWorkflow;

/// What a workflow may know of its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// The run.
    pub run: RunId,
    /// Its workflow.
    pub workflow: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The public URL of the application, where it is known.
    pub public_url: Option<Arc<str>>,
}

/// The machine of one run, with the wakers of the calls that wait.
pub struct Context {
    sealed: AtomicBool,
    shared: Mutex<Shared>,
    mint: Arc<Mint>,
    public_url: Option<Arc<str>>,
    max_payload: usize,
    /// The first call of the run that was awaited where its workflow is not polled.
    awaited_elsewhere: OnceLock<&'static str>,
    /// None before the first is asked for: few workflows make any.
    aborts: OnceLock<Arc<Aborts>>,
}

/// What an event that was fed asks for.
pub(crate) struct Reaction {
    pub(crate) fed: Fed,
    /// Of the call that it is about, where somebody waits.
    pub(crate) waker: Option<Waker>,
    pub(crate) is_shielding: bool,
}

pub(super) struct Shared {
    pub(super) machine: Machine,
    wakers: Few<Correlation, Waker>,
    /// The shields in progress that are inside no other, in the order in which they began.
    shields: BTreeMap<u64, Weak<dyn Shielded>>,
    next_shield: u64,
    /// How many shields the code that is being polled is inside of.
    shielded: u32,
    /// What open steps run, where it is not the function of their name. Kept although the call may
    /// have been dropped: that does not stop its step.
    works: BTreeMap<StepId, Work>,
    /// What the child runs can be looked up by whose beginning is not on record.
    child_attributes: BTreeMap<StepId, BTreeMap<String, String>>,
}

impl Shared {
    /// True while the code that is being polled is inside a shield.
    pub(super) const fn is_shielded(&self) -> bool {
        self.shielded > 0
    }

    /// Remembers whom to wake when something about `id` is fed.
    pub(super) fn wait(&mut self, id: Correlation, waker: &Waker) {
        match self.wakers.get_mut(&id) {
            Some(known) => known.clone_from(waker),
            None => {
                self.wakers.insert(id, waker.clone());
            }
        }
    }

    pub(super) fn forget(&mut self, id: Correlation) {
        self.wakers.remove(&id);
    }

    pub(super) fn keep_child_attributes(
        &mut self,
        step: StepId,
        attributes: BTreeMap<String, String>,
    ) {
        if !attributes.is_empty() {
            self.child_attributes.insert(step, attributes);
        }
    }

    pub(super) fn keep_work(&mut self, step: StepId, work: Work) {
        self.works.insert(step, work);
    }
}

impl Context {
    pub(crate) fn new(
        run: RunId,
        mint: Arc<Mint>,
        public_url: Option<Arc<str>>,
        max_payload: usize,
    ) -> Arc<Self> {
        let shared = Shared {
            machine: Machine::new(run),
            wakers: Few::new(),
            shields: BTreeMap::new(),
            next_shield: 0,
            shielded: 0,
            works: BTreeMap::new(),
            child_attributes: BTreeMap::new(),
        };
        Arc::new(Self {
            sealed: AtomicBool::new(false),
            shared: Mutex::new(shared),
            mint,
            public_url,
            max_payload,
            awaited_elsewhere: OnceLock::new(),
            aborts: OnceLock::new(),
        })
    }

    /// The run that is being polled on this thread.
    ///
    /// # Errors
    ///
    /// [`NotInWorkflow`] where none is.
    pub fn current() -> Result<Arc<Self>, NotInWorkflow> {
        CURRENT.with_borrow(Clone::clone).ok_or(NotInWorkflow)
    }

    /// Works with the machine of the run. Must not be called from within itself.
    pub fn with<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        work(&mut self.lock().machine)
    }

    /// Checks the length of what the workflow hands over, as encoded.
    pub(crate) fn check_len(&self, what: &str, payload: &Payload) -> Result<(), Failure> {
        let (len, limit) = (payload.len(), self.max_payload);
        if len <= limit {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{what} {len} bytes, more than the {limit} allowed; store it elsewhere and hand over \
             where it is"
        )))
    }

    /// The id of a child run that is started now.
    pub(super) fn new_run(&self) -> RunId {
        self.mint.run()
    }

    /// 128 bits of the operating system's entropy, for what is recorded where it is used.
    pub fn draw(&self) -> u128 {
        self.mint.draw()
    }

    /// What the workflow may know of its run.
    pub fn info(&self) -> RunInfo {
        self.with(|machine| {
            let run = machine.entities().run();
            RunInfo {
                run: machine.run(),
                workflow: run.map(|run| run.workflow.clone()).unwrap_or_default(),
                started_at: run.and_then(|run| run.started_at).unwrap_or_default(),
                public_url: self.public_url.clone(),
            }
        })
    }

    /// A shield is polled for the first time; none where it is inside another, which keeps both.
    pub(super) fn enter_shield(&self, cell: Weak<dyn Shielded>) -> Option<u64> {
        let mut shared = self.lock();
        if shared.is_shielded() {
            return None;
        }
        let turn = shared.next_shield;
        shared.next_shield += 1;
        shared.shields.insert(turn, cell);
        shared.machine.enter_shield();
        Some(turn)
    }

    /// A shield has ended, or its workflow has dropped it.
    pub(super) fn leave_shield(&self, turn: u64) {
        let mut shared = self.lock();
        if shared.shields.remove(&turn).is_some() {
            shared.machine.leave_shield();
        }
    }

    /// Polls something that is inside a shield.
    pub(super) fn in_shield<T>(&self, poll: impl FnOnce() -> T) -> T {
        struct Inside<'a>(&'a Context);
        impl Drop for Inside<'_> {
            fn drop(&mut self) {
                self.0.lock().shielded -= 1;
            }
        }
        self.lock().shielded += 1;
        let _inside = Inside(self);
        poll()
    }

    /// Polls every shield in progress, in the order in which they began.
    pub(crate) fn poll_shields(&self, cx: &mut task::Context<'_>) {
        let shields = self.lock().shields.clone();
        for (turn, cell) in shields {
            let ended = match cell.upgrade() {
                Some(cell) => self.in_shield(|| cell.poll(cx)),
                None => true,
            };
            if ended {
                self.leave_shield(turn);
            }
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic of workflow code parks the run; the machine itself is never left half changed.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The abort controllers that the workflow has made.
    pub fn aborts(&self) -> &Arc<Aborts> {
        self.aborts.get_or_init(Arc::default)
    }

    /// True where the body is being dropped for no reason of its own.
    pub(super) fn is_put_away(&self) -> bool {
        self.sealed.load(Ordering::Acquire) || std::thread::panicking()
    }

    /// Makes every handle inert: the body is about to be dropped for no reason of its own.
    pub(crate) fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    /// What the attempts of an open step run, where its call says so.
    pub(crate) fn work(&self, step: StepId) -> Option<Work> {
        self.lock().works.get(&step).cloned()
    }

    /// Lets go of what a step ran: it has ended.
    pub(crate) fn forget_work(&self, step: StepId) {
        let work = self.lock().works.remove(&step);
        // Not under the lock: what a closure holds may be handles of this very run.
        drop(work);
    }

    /// What a child run that is to begin can be looked up by.
    pub(crate) fn child_attributes(&self, step: StepId) -> BTreeMap<String, String> {
        let known = self.lock().child_attributes.get(&step).cloned();
        known.unwrap_or_default()
    }

    /// Lets go of a child's attributes: its own log has them.
    pub(crate) fn forget_child_attributes(&self, step: StepId) {
        self.lock().child_attributes.remove(&step);
    }

    /// Gives away everything that steps run, for a run that is put away: the closures may hold
    /// handles of it, which would keep it in memory for ever.
    pub(crate) fn take_works(&self) -> BTreeMap<StepId, Work> {
        std::mem::take(&mut self.lock().works)
    }

    /// Lets go of memory that holds nothing. Roughly what is held then for its calls, in bytes.
    pub(crate) fn shrink_to_fit(&self) -> usize {
        let mut shared = self.lock();
        shared.machine.shrink_to_fit();
        heap::shrink_map(&mut shared.shields);
        heap::shrink_map(&mut shared.works);
        heap::shrink_map(&mut shared.child_attributes);
        let works = shared.works.values().map(Work::weight);
        let works = works.sum::<usize>() + heap::map(&shared.works);
        let calls = shared.wakers.weight() + heap::map(&shared.shields);
        size_of::<Self>() + shared.machine.weight() + calls + works
    }

    /// Feeds the machine.
    pub(crate) fn feed(&self, event: EventRef<'_>) -> Result<Reaction, Divergence> {
        let mut shared = self.lock();
        let fed = shared.machine.feed(event)?;
        let waker = match fed {
            Fed::Poll(Some(id)) => shared.wakers.remove(&id),
            Fed::Poll(None) | Fed::Nothing | Fed::Cancel => None,
        };
        Ok(Reaction {
            fed,
            waker,
            is_shielding: shared.machine.is_shielding(),
        })
    }

    /// True where a drop on this thread, now, is the workflow's own act.
    pub(super) fn is_acting(self: &Arc<Self>) -> bool {
        !self.is_put_away() && self.is_current()
    }

    /// The call of this run that was awaited outside its workflow, if one was.
    pub(crate) fn awaited_elsewhere(&self) -> Option<&'static str> {
        self.awaited_elsewhere.get().copied()
    }

    /// Panics where a call of this run is awaited outside its workflow; the executor reports it.
    pub(super) fn expect_current(self: &Arc<Self>, what: &'static str) {
        if self.is_current() {
            return;
        }
        self.awaited_elsewhere.get_or_init(|| what);
        panic!(
            "{what} belongs to the workflow that wrote it and was awaited somewhere else; await it in \
             the workflow itself, and use `join!` or `FuturesUnordered` to wait for several at once"
        );
    }

    fn is_current(self: &Arc<Self>) -> bool {
        CURRENT.with_borrow(|current| {
            current
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, self))
        })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// While this is held, the thread is inside a poll of the run.
pub(crate) struct Polling {
    outer: Option<Arc<Context>>,
}

impl Polling {
    pub(crate) fn enter(context: &Arc<Context>) -> Self {
        let outer = CURRENT.replace(Some(Arc::clone(context)));
        Self { outer }
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}
