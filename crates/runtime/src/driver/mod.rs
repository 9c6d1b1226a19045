//! The driver: the loop round one machine.
//!
//! A driver loads its run's log and feeds it, appends what the workflow asked for, runs its steps,
//! and waits for news. It keeps no truth of its own: whatever it holds can be lost at any time and is
//! found again in the log.
//!
//! ```text
//! hear ─▶ check ─▶ begin attempts ─▶ append ─▶ feed the answer ─┐
//!   ▲                                  │ nothing to append      │
//!   └────────── wait for news ◀── rest ┘ ◀──────────────────────┘
//! ```

mod answers;
mod append;
mod attempts;
mod call_off;
mod children;
mod hear;
mod lease;
mod load;
mod park;
mod rest;
mod verify;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, BoxFuture};
use rewake_core::event::{Frame, Position, Taken, Writer};
use rewake_core::few::Few;
use rewake_core::id::{EventId, RunId, StepId};
use rewake_core::replay::Machine;
use rewake_core::time::Timestamp;
use rewake_store::StoreError;

use crate::dispatch::{Mailbox, Message, News, Rest, TakenUp, Turn};
use crate::engine::Inner;
use crate::executor::{Executor, Stuck};
use crate::panic;
use crate::registry::Workflow;
use crate::step::{
    Abort, Attempt, AttemptOutcome, Circumstances, Place, judge_attempt, run_attempt,
};
use crate::workflow::Context;
use attempts::{Attempts, Ready, Running};
use call_off::report_discarded;
use children::{Children, Kindred};
pub(crate) use verify::{executor, replay};

/// When a run that could not go on is looked at again.
const LATER: Duration = Duration::from_secs(5);

/// Drives a run until it ends, is evicted, is parked, or belongs to somebody else.
pub(crate) fn drive(engine: Arc<Inner>, run: RunId, mailbox: Mailbox) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let mut driver = Driver::new(engine, run, mailbox);
        let worked = AssertUnwindSafe(driver.work()).catch_unwind().await;
        let exit = worked.unwrap_or_else(|panicked| driver.panicked(&*panicked));
        driver.leave(exit);
    })
}

/// Why a driver goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// The run has ended.
    Ended,
    /// It rests, and its memory is wanted, or nothing is to be done for it.
    Rested,
    /// It is parked.
    Parked,
    /// Nothing can be done for it here: unknown workflow, a store that fails.
    Left,
    /// Another worker has taken it over; `news` where something came since of which it may not know.
    Superseded { news: bool },
}

/// What keeps a driver from going on.
#[derive(Debug)]
enum Stop {
    Stuck(Stuck),
    Store(StoreError),
    /// Another worker has written.
    Superseded,
    Exit(Exit),
}

impl From<Stuck> for Stop {
    fn from(stuck: Stuck) -> Self {
        Self::Stuck(stuck)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What the store's row of the run says, as far as this driver knows.
#[derive(Clone, Debug, Default)]
struct Recorded {
    wake_at: Option<Timestamp>,
    reacted: Position,
    /// Payloads taken. A mark without events moves it and leaves nothing in the log, so the machine
    /// does not know it.
    taken: Vec<Taken>,
    crashes: u32,
    parked: bool,
    /// The node that had it died: it may be what ended it.
    orphaned: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is told by a message of its own, and none excludes another"
)]
struct Driver {
    engine: Arc<Inner>,
    run: RunId,
    mailbox: Mailbox,
    executor: Executor,
    workflow: Option<Arc<Workflow>>,
    attempts: Attempts,
    children: Children,
    /// What the store said of the run, where it had ended before.
    ended: Option<Box<Kindred>>,
    recorded: Recorded,
    /// Found after an unclean end, which may have left steps under way: every start is on record before
    /// its attempt begins.
    recovering: bool,
    rested: Vec<oneshot::Sender<()>>,
    /// Its turn to be replayed, until it rests.
    turn: Option<Turn>,
    evict: bool,
    stopping: bool,
    /// A mark of the run may wait to be written with others: its own, taken for written since, or that
    /// of a driver before it.
    marked: bool,
    /// That came to nothing: it writes the next one alone.
    unmarked: bool,
    /// When what may wait must be on record.
    flush_at: Option<Timestamp>,
    /// The log, where each rest is checked by a second replay.
    shadow: Option<Vec<Frame>>,
    verified: Position,
    /// The end of the last frame that came to hand, and of the last that a worker wrote.
    seen: Position,
    seen_worker: Position,
    /// The log was read to its end: from here on every frame of a worker's must be one of `sent`.
    loaded: bool,
    /// The ids of appends whose frames may be met in the log.
    sent: Few<EventId, ()>,
    /// Its place among the runs that rest.
    resting: Rest,
}

impl Driver {
    fn new(engine: Arc<Inner>, run: RunId, mailbox: Mailbox) -> Self {
        let context = Context::new(
            run,
            Arc::clone(&engine.mint),
            engine.public_url.clone(),
            engine.limits.payload,
        );
        let executor = Executor::new(context, Some(mailbox.sender()));
        let span = engine.limits.clean_up;
        executor.with(|machine| machine.limit_clean_up(span));
        let shadow = engine.verify.then(Vec::new);
        // One that begins while the engine stops has missed what the others were told.
        let stopping = engine.is_stopping();
        // A message from outside may have come before recovery did.
        let recovering = engine.recovery.is_under_way();
        Self {
            engine,
            run,
            mailbox,
            executor,
            workflow: None,
            attempts: Attempts::default(),
            children: Children::default(),
            ended: None,
            recorded: Recorded::default(),
            recovering,
            rested: Vec::new(),
            turn: None,
            evict: false,
            stopping,
            marked: true,
            unmarked: false,
            flush_at: None,
            shadow,
            verified: Position::START,
            seen: Position::START,
            seen_worker: Position::START,
            loaded: false,
            sent: Few::new(),
            resting: Rest::default(),
        }
    }

    async fn work(&mut self) -> Exit {
        let stop = self.work_on().await;
        let exit = self.stop(stop).boxed().await;
        if exit == Exit::Ended {
            self.tell_kindred().boxed().await;
        }
        exit
    }

    async fn work_on(&mut self) -> Stop {
        // In a box: it is over before the run rests.
        if let Err(stop) = self.load().boxed().await {
            return stop;
        }
        loop {
            if let Err(stop) = self.turn().await {
                return stop;
            }
        }
    }

    /// A panic that is no workflow's must not take the thread with it, nor leave a run to which
    /// nobody listens.
    fn panicked(&self, panicked: &(dyn Any + Send)) -> Exit {
        let reason = panic::message(panicked);
        tracing::error!(run = %self.run, reason, "the driver of the run panicked; this is a fault of Rewake's");
        self.look_again();
        Exit::Left
    }

    async fn turn(&mut self) -> Result<(), Stop> {
        if self.engine.outsiders.are_few() {
            self.engine.host.spawner.give_way();
        }
        self.hear().await?;
        self.check()?;
        self.call_off();
        self.begin_attempts();
        if self.children.may_be_owed {
            self.collect_ends().boxed().await?;
        }
        if let Some(append) = self.compose() {
            self.flush_at = None;
            return self.append(append).await;
        }
        self.rest().await
    }

    /// Refuses to go on with a workflow that cannot be followed.
    fn check(&mut self) -> Result<(), Stop> {
        self.executor.with(|machine| {
            if machine.has_ended() {
                return Err(Stop::Exit(Exit::Ended));
            }
            self.executor.check_foreign()?;
            machine.rest().map_err(Stuck::from)?;
            Ok(())
        })
    }

    fn attempt_ended(&mut self, step: StepId, attempt: u32, outcome: AttemptOutcome) {
        let Some(open) = self.attempts.under_way(step, attempt) else {
            return;
        };
        let circumstances = Circumstances {
            options: open.options,
            attempt,
            now: self.engine.host.clock.now(),
            jitter: self.engine.jitter(),
            max_result: self.engine.limits.payload,
        };
        self.attempts
            .end(step, judge_attempt(outcome, circumstances));
    }

    fn begin_attempts(&mut self) {
        for step in self.executor.with(Machine::take_fresh_steps) {
            self.attempts.add(step);
        }
        if !self.attempts.may_begin() || self.begins_nothing() {
            return;
        }
        for ready in self.attempts.take_ready(self.engine.host.clock.now()) {
            if self.answers(&ready) {
                continue;
            }
            match self.engine.steps.try_acquire_arc() {
                Some(place) => self.begin(ready, place),
                None => self.queue(&ready),
            }
        }
    }

    /// Where the workflow has come to its end, nobody hears of the steps it left.
    fn begins_nothing(&self) -> bool {
        // The engine stops before its drivers have heard of it.
        let stopping = self.stopping || self.engine.is_stopping();
        stopping || self.executor.with(|machine| machine.is_finished())
    }

    fn begin(&mut self, ready: Ready, place: Place) {
        if self.recovering || ready.step.options.max_retries == 0 {
            self.attempts.announce(ready.step.id, place);
        } else {
            self.spawn(ready, place, false);
        }
    }

    /// Waits for a place beside the driver. An attempt without one has not begun, and nothing says that
    /// it has: it would count as lost if the process ended now.
    fn queue(&mut self, ready: &Ready) {
        let (step, attempt) = (ready.step.id, ready.attempt);
        self.attempts.queue(step);
        let steps = Arc::clone(&self.engine.steps);
        let driver = self.engine.residents.sender(self.run);
        self.engine.host.spawner.spawn_driver(Box::pin(async move {
            let place = steps.acquire_arc().await;
            let free = Message::Place {
                step,
                attempt,
                place,
            };
            if let Some(driver) = driver {
                // With a driver that has gone, the place is free again.
                let _gone = driver.send(free);
            }
        }));
    }

    fn take_place(&mut self, step: StepId, attempt: u32, place: Place) {
        if self.begins_nothing() || !self.wants(step) {
            return;
        }
        if let Some(ready) = self.attempts.leave_queue(step, attempt) {
            self.begin(ready, place);
        }
    }

    fn spawn(&mut self, ready: Ready, place: Place, recorded: bool) {
        let (abort, registration) = AbortHandle::new_pair();
        let (engine, run) = (Arc::clone(&self.engine), self.run);
        // This driver's own: another that takes its place has attempts of its own.
        let driver = engine.residents.sender(run);
        let (step, attempt) = (ready.step.id, ready.attempt);
        let cancellation = Abort::default();
        let running = Running {
            abort,
            cancellation: cancellation.clone(),
        };
        self.attempts.begin(step, running, recorded);
        let attempt_to_run = Attempt {
            engine,
            work: self.executor.context().work(step),
            step: ready.step,
            run,
            number: attempt,
            place,
            abort: registration,
            cancellation,
            aborts: Arc::clone(self.executor.context().aborts()),
        };
        self.engine.host.spawner.spawn_step(Box::pin(async move {
            // A body's destructor may panic where nothing else catches it.
            let outcome = AssertUnwindSafe(run_attempt(attempt_to_run))
                .catch_unwind()
                .await;
            let outcome = outcome
                .unwrap_or_else(|panicked| AttemptOutcome::Panicked(panic::message(&*panicked)));
            let finished = outcome != AttemptOutcome::Aborted;
            let ended = Message::AttemptEnded {
                step,
                attempt,
                outcome,
            };
            // A driver that has gone does not want to know.
            if driver.is_none_or(|driver| driver.send(ended).is_err()) {
                report_discarded(run, step, attempt, finished);
            }
        }));
    }

    async fn stop(&mut self, stop: Stop) -> Exit {
        match stop {
            Stop::Exit(exit) => exit,
            Stop::Superseded => self.stand_down().await,
            Stop::Stuck(stuck) => self.park(&stuck).await,
            Stop::Store(error) => {
                tracing::error!(run = %self.run, %error, "the run cannot go on: the store fails");
                self.look_again();
                Exit::Left
            }
        }
    }

    /// Leaves the run to the worker that has taken it over. That one has heard of everything up to
    /// its own last append; what came since is this process's to see to. In case the other is gone by
    /// then, the run is looked at again some time later.
    async fn stand_down(&mut self) -> Exit {
        tracing::info!(run = %self.run, "another worker has taken it over");
        self.forgive();
        self.look_again();
        let (mut at, mut news) = (self.fed(), false);
        loop {
            let frames = self
                .engine
                .store
                .frames(self.engine.scope, self.run, at, load::PAGE)
                .await;
            let Ok(frames) = frames else { break };
            let Some(last) = frames.last() else { break };
            (at, news) = (last.last(), last.writer == Writer::Outsider);
        }
        Exit::Superseded { news }
    }

    /// The run is looked at some time later, whatever the store says.
    fn look_again(&self) {
        let later = self.engine.host.clock.now().after(LATER);
        self.engine.schedule.add_again(later, self.run);
    }

    fn leave(&mut self, exit: Exit) {
        self.executor.seal();
        // At rest it has taken its leave already, with nothing left in its mailbox.
        if exit != Exit::Rested {
            // What it was to say may no longer be so by the time it is written.
            self.engine.marks.take_back(self.run);
            self.engine.budget.stir(&mut self.resting);
            self.engine.residents.abandon(self.run);
        }
        if matches!(exit, Exit::Left | Exit::Superseded { .. }) {
            // Whoever drives the run next begins these attempts anew; no two shall run at once.
            self.attempts
                .abort("the attempt is made anew by whoever drives the run next");
        }
        if exit == Exit::Ended {
            self.call_off();
            self.discard_ends();
        }
        if exit == (Exit::Superseded { news: true }) {
            let recover = Message::Recover(TakenUp::default());
            self.engine.tell(self.run, recover);
        }
        // Whoever waits relies on this driver, as long as the run has it; the next one tells of an end
        // of a run that only rests.
        if exit != Exit::Rested {
            self.engine.waiters.call(self.run, News::Look);
        }
    }
}
