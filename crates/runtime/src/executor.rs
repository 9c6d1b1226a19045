//! The executor: owns the workflow's future and is the only place that polls it.
//!
//! Polling is part of what a replay reproduces. The workflow is polled exactly once after each fed
//! event, and once more for each wake that happens during a poll; never for anything else. A fed
//! event wakes at most one waker. A wake from anywhere else means that the workflow awaits something
//! that is not durable: it is reported, and the run is parked.
//!
//! Once a run is cancelled its shields are polled in the same manner, and nothing else of it: they
//! live in cells of their own, which the context knows. When none is left, the body is dropped.
//!
//! This module must not know logs or stores.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll, Wake, Waker};
use std::thread::{self, ThreadId};

use rewake_core::event::{EventRef, Failure, Position};
use rewake_core::payload::Payload;
use rewake_core::replay::{Divergence, Fed, Machine};

use crate::dispatch::{Message, Sender};
use crate::panic::{Panic, catch};
use crate::registry::WorkflowBody;
use crate::workflow::{Context, Polling, Reaction};

/// So many polls in a row without a new command are a busy loop.
const MAX_POLLS: u32 = 100_000;

/// Why a workflow cannot go on. The run is parked, its log is untouched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Stuck {
    #[error("{0}{cause}", cause = cause(.0))]
    Diverged(Divergence),
    #[error("the workflow panicked {panic}")]
    Panicked { panic: Panic },
    #[error(
        "the workflow asked tokio for a timer, a socket or a task ({panic}); in a workflow use \
         `rewake::sleep`, await only steps, hooks, sleeps and child runs, and do everything else in a \
         step"
    )]
    UsedTokio { panic: Panic },
    #[error(
        "the workflow was woken by something that is not durable (a timer, a socket, a channel, a \
         spawned task); in a workflow await only steps, hooks, sleeps and child runs, and do \
         everything else in a step"
    )]
    ForeignAwait,
    #[error(
        "{what} was awaited outside the workflow that wrote it, in a spawned task or on another \
         thread; await it in the workflow itself, and use `join!` or `FuturesUnordered` to wait for \
         several at once"
    )]
    AwaitedElsewhere { what: &'static str },
    #[error(
        "the workflow waits for something that is not durable: no step, hook, sleep or child run of \
         it is open; do the waiting in a step, or use `rewake::sleep` or a hook"
    )]
    NothingToWaitFor,
    #[error(
        "the workflow was polled {MAX_POLLS} times in a row without asking for anything new: it is in \
         a busy loop; let it wait for a step, a hook or a sleep"
    )]
    BusyLoop,
    #[error(
        "the process ended uncleanly {crashes} times in a row while this run was being replayed; look \
         for what aborts the process, then let the run go on with a build that is mended"
    )]
    CrashedRepeatedly { crashes: u32 },
    #[error(
        "the run would have {live} live hooks, and may have {limit}; close or drop those that are \
         done with before there are more, or raise `Limit::LiveHooks`"
    )]
    TooManyHooks { live: u32, limit: u32 },
    #[error("the workflow's arguments do not fit its function: {reason}")]
    Arguments { reason: String },
    #[error(
        "the replay of the log went another way than the run itself: {reason}; which way a workflow \
         goes may depend on its arguments and on what it awaited alone: use `rewake::now`, \
         `rewake::random`, ordered maps and `rewake::select!` (that of tokio's polls in random order), \
         and ask everything else in a step"
    )]
    Nondeterministic { reason: String },
}

impl Stuck {
    /// The one code that is not about what the build is: another limit lets the run go on.
    pub(crate) const TOO_MANY_HOOKS: &str = "TOO_MANY_HOOKS";

    /// Where in the log it is stuck, with the last event that was fed at `fed`.
    pub(crate) const fn position(&self, fed: Position) -> Option<Position> {
        match self {
            Self::Diverged(divergence) => Some(divergence.position()),
            Self::CrashedRepeatedly { .. } => None,
            Self::Panicked { .. }
            | Self::UsedTokio { .. }
            | Self::ForeignAwait
            | Self::AwaitedElsewhere { .. }
            | Self::NothingToWaitFor
            | Self::BusyLoop
            | Self::TooManyHooks { .. }
            | Self::Arguments { .. }
            | Self::Nondeterministic { .. } => Some(fed),
        }
    }

    /// The whole of it for a person: what happened, what usually causes it, and what to do.
    pub(crate) fn told(&self, begun_by_this_build: bool) -> String {
        match self {
            Self::Diverged(divergence) => {
                format!("{self}; {}", divergence.remedy(begun_by_this_build))
            }
            Self::Panicked { .. }
            | Self::UsedTokio { .. }
            | Self::ForeignAwait
            | Self::AwaitedElsewhere { .. }
            | Self::NothingToWaitFor
            | Self::BusyLoop
            | Self::CrashedRepeatedly { .. }
            | Self::TooManyHooks { .. }
            | Self::Arguments { .. }
            | Self::Nondeterministic { .. } => self.to_string(),
        }
    }

    /// A stable name for programs.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Diverged(divergence) => divergence.code(),
            Self::Panicked { .. } => "WORKFLOW_PANICKED",
            Self::ForeignAwait | Self::UsedTokio { .. } | Self::AwaitedElsewhere { .. } => {
                "FOREIGN_AWAIT"
            }
            Self::NothingToWaitFor => "NOTHING_TO_WAIT_FOR",
            Self::BusyLoop => "BUSY_LOOP",
            Self::CrashedRepeatedly { .. } => "CRASHED_REPEATEDLY",
            Self::TooManyHooks { .. } => Self::TOO_MANY_HOOKS,
            Self::Arguments { .. } => "ARGUMENTS_DO_NOT_FIT",
            Self::Nondeterministic { .. } => "NONDETERMINISTIC",
        }
    }
}

/// Why, where that is not said yet.
fn cause(divergence: &Divergence) -> String {
    let cause = divergence.source().map(|cause| format!(": {cause}"));
    cause.unwrap_or_default()
}

impl From<Divergence> for Stuck {
    fn from(divergence: Divergence) -> Self {
        Self::Diverged(divergence)
    }
}

impl From<Panic> for Stuck {
    fn from(panic: Panic) -> Self {
        if panic.is_of_tokio() {
            Self::UsedTokio { panic }
        } else {
            Self::Panicked { panic }
        }
    }
}

/// How far a workflow has come.
struct Progress {
    commands: u64,
    may_be_polled: bool,
    divergence: Option<Divergence>,
}

/// Owns the future of one workflow.
pub(crate) struct Executor {
    context: Arc<Context>,
    body: Option<WorkflowBody>,
    signal: Arc<Signal>,
}

impl Executor {
    /// `driver` is told when something wakes the workflow that must not.
    pub(crate) fn new(context: Arc<Context>, driver: Option<Sender<Message>>) -> Self {
        Self {
            context,
            body: None,
            signal: Arc::new(Signal::new(driver)),
        }
    }

    pub(crate) const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Works with the machine.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        self.context.with(work)
    }

    /// Makes the body that the first fed event will poll.
    pub(crate) fn begin(
        &mut self,
        make: impl FnOnce() -> Result<WorkflowBody, Failure>,
    ) -> Result<(), Stuck> {
        let made = {
            let _polling = Polling::enter(&self.context);
            catch(make)
        };
        let body = made?.map_err(|failure| Stuck::Arguments {
            reason: failure.message,
        })?;
        self.body = Some(body);
        Ok(())
    }

    /// Feeds one event, and lets the workflow react until it rests.
    pub(crate) fn feed(&mut self, event: EventRef<'_>) -> Result<(), Stuck> {
        let Reaction {
            fed,
            waker,
            is_shielding,
        } = self.context.feed(event)?;
        match fed {
            Fed::Nothing => Ok(()),
            Fed::Poll(_) => {
                self.wake(waker);
                if is_shielding {
                    return self.cancel();
                }
                self.poll_to_rest()
            }
            Fed::Cancel => self.cancel(),
        }
    }

    /// A cancelled workflow: its shields go on, and when none is left its body is dropped.
    fn cancel(&mut self) -> Result<(), Stuck> {
        if self.with(|machine| machine.is_shielding()) {
            self.poll_to_rest()?;
        }
        if self.with(|machine| machine.is_shielding()) {
            return Ok(());
        }
        self.drop_body()
    }

    /// Refuses to go on where something else than the log had a hand in the workflow.
    pub(crate) fn check_foreign(&self) -> Result<(), Stuck> {
        // What was awaited elsewhere often wakes from there too, and says more.
        if let Some(what) = self.context.awaited_elsewhere() {
            return Err(Stuck::AwaitedElsewhere { what });
        }
        if self.signal.foreign.load(Ordering::Acquire) {
            return Err(Stuck::ForeignAwait);
        }
        Ok(())
    }

    /// Seals the machine and lets go of the body: eviction, shutdown, a lost race, a park.
    pub(crate) fn seal(&mut self) {
        self.context.seal();
        self.signal.enter(SEALED);
        let body = self.body.take();
        let works = self.context.take_works();
        if body.is_none() && works.is_empty() {
            return;
        }
        // A panic in a destructor of a body that is only put away is nobody's business.
        let _ignored = catch(move || drop((body, works)));
    }

    /// Lets go of memory that holds nothing, for a workflow that may wait for long. Roughly what the body
    /// and the machine hold in memory then, in bytes.
    pub(crate) fn shrink_to_fit(&self) -> usize {
        let body = self.body.as_ref().map_or(0, |body| size_of_val(&**body));
        body + size_of::<Signal>() + self.context.shrink_to_fit()
    }

    fn wake(&self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        self.signal.enter(FEEDING);
        waker.wake();
        self.signal.enter(RESTING);
    }

    fn poll_to_rest(&mut self) -> Result<(), Stuck> {
        let waker = Waker::from(Arc::clone(&self.signal));
        let mut polls_due = 1_u32;
        let mut polls = 0_u32;
        let mut before = self.progress();
        while polls_due > 0 {
            if !before.may_be_polled {
                return Ok(());
            }
            polls_due -= 1;
            polls_due = polls_due.saturating_add(self.poll_once(&waker)?);
            let now = self.progress();
            polls = if now.commands == before.commands {
                polls + 1
            } else {
                0
            };
            before = now;
            if polls >= MAX_POLLS {
                return Err(Stuck::BusyLoop);
            }
        }
        before
            .divergence
            .map_or(Ok(()), |parted| Err(parted.into()))
    }

    fn progress(&self) -> Progress {
        self.with(|machine| Progress {
            commands: machine.commands(),
            may_be_polled: machine.is_running() || machine.is_shielding(),
            divergence: machine.divergence().cloned(),
        })
    }

    /// Polls once; how often it was woken meanwhile.
    fn poll_once(&mut self, waker: &Waker) -> Result<u32, Stuck> {
        let Some(body) = &mut self.body else {
            return Ok(0);
        };
        let polled = {
            let _polling = Polling::enter(&self.context);
            self.signal.begin_poll();
            let context = &self.context;
            let polled = catch(|| {
                let mut cx = task::Context::from_waker(waker);
                if context.with(|machine| machine.is_running()) {
                    return body.as_mut().poll(&mut cx);
                }
                context.poll_shields(&mut cx);
                Poll::Pending
            });
            self.signal.enter(RESTING);
            polled
        };
        // The panic of a call that was awaited elsewhere may have come back as the workflow's own.
        if let Some(what) = self.context.awaited_elsewhere() {
            return Err(Stuck::AwaitedElsewhere { what });
        }
        match polled? {
            Poll::Pending => Ok(self.signal.wakes.swap(0, Ordering::AcqRel)),
            Poll::Ready(result) => {
                self.finish(result);
                Ok(0)
            }
        }
    }

    fn finish(&mut self, result: Result<Payload, Failure>) {
        let result = result.and_then(|output| {
            let checked = self.context.check_len("the workflow's result has", &output);
            checked.map(|()| output)
        });
        let result = result.map_err(Failure::shortened);
        self.with(|machine| machine.finish(result));
        self.signal.enter(SEALED);
        let body = self.body.take();
        // It is done, and what it still holds is inert.
        let _ignored = catch(move || drop(body));
    }

    /// Drops the body as the workflow's own act: what it holds is let go of by commands.
    fn drop_body(&mut self) -> Result<(), Stuck> {
        let body = self.body.take();
        let dropped = {
            let _polling = Polling::enter(&self.context);
            self.signal.enter(SEALED);
            catch(move || drop(body))
        };
        dropped?;
        self.with(Machine::finish_cancelled);
        Ok(())
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.seal();
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").finish_non_exhaustive()
    }
}

/// Nobody polls; a wake is foreign.
const RESTING: u8 = 0;
/// A fed event wakes its call; the poll that follows is due anyway.
const FEEDING: u8 = 1;
/// The workflow is being polled; a wake asks for one more poll.
const POLLING: u8 = 2;
/// The body is gone or going; wakes mean nothing.
const SEALED: u8 = 3;

/// The waker of one workflow.
struct Signal {
    state: AtomicU8,
    wakes: AtomicU32,
    foreign: AtomicBool,
    thread: Mutex<Option<ThreadId>>,
    driver: Option<Sender<Message>>,
}

impl Signal {
    const fn new(driver: Option<Sender<Message>>) -> Self {
        Self {
            state: AtomicU8::new(RESTING),
            wakes: AtomicU32::new(0),
            foreign: AtomicBool::new(false),
            thread: Mutex::new(None),
            driver,
        }
    }

    /// A sealed signal stays sealed.
    fn enter(&self, state: u8) {
        if self.state.load(Ordering::Acquire) != SEALED {
            // A wake at rest is foreign, whichever thread it comes from.
            if state == FEEDING || state == POLLING {
                self.remember_thread();
            }
            self.state.store(state, Ordering::Release);
        }
    }

    fn begin_poll(&self) {
        self.wakes.store(0, Ordering::Release);
        self.enter(POLLING);
    }

    fn remember_thread(&self) {
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
    }

    fn is_own_thread(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        *thread == Some(thread::current().id())
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match self.state.load(Ordering::Acquire) {
            SEALED => {}
            FEEDING if self.is_own_thread() => {}
            POLLING if self.is_own_thread() => {
                self.wakes.fetch_add(1, Ordering::AcqRel);
            }
            _ => {
                self.foreign.store(true, Ordering::Release);
                if let Some(driver) = &self.driver {
                    // One that has gone need not hear of it.
                    let _gone = driver.send(Message::ForeignWake);
                }
            }
        }
    }
}
