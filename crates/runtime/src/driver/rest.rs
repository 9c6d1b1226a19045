//! Rest: the workflow waits, and everything that must be is on record.

use std::pin::pin;

use futures_util::future::{Either, select};
use rewake_core::event::{EventKind, Frame, Position, Taken};
use rewake_core::time::Timestamp;
use rewake_store::Append;

use super::append::LAZY;
use super::{Driver, Exit, Stop};
use crate::dispatch::{Message, TakenUp};
use crate::executor::Stuck;

/// What each run in memory takes beside its driver and its workflow, in bytes, roughly: its mailbox with
/// room for a few messages, its places among the runs in memory and in the budget, its task's head, and
/// what the allocator adds to a dozen pieces.
const PLACES: usize = 2 * size_of::<Message>() + 384;

impl Driver {
    pub(super) async fn rest(&mut self) -> Result<(), Stop> {
        self.verify()?;
        let waits = self.executor.with(|machine| {
            machine.has_open_reason()
                || machine
                    .entities()
                    .run()
                    .is_none_or(|run| run.started_at.is_none())
        });
        if !waits {
            return Err(Stuck::NothingToWaitFor.into());
        }
        if self.recorded.crashes > 0 {
            let mark = self.mark();
            return self.append(mark).await;
        }
        self.turn = None;
        for rested in self.rested.drain(..) {
            let _gone = rested.send(());
        }
        // It has survived whatever it was found after, and what that may have left begun is on record.
        // What begins from here on was never begun before.
        self.recovering &= self.attempts.any_to_begin();
        if self.attempts.is_quiet() || (self.stopping && self.attempts.is_idle()) {
            return self.rest_quietly().await;
        }
        let until = [
            self.flush_at,
            self.executor.with(|machine| machine.next_due()),
            // An attempt that is due does not begin while the engine stops.
            self.attempts.next_retry().filter(|_| !self.stopping),
        ];
        self.wait(until.into_iter().flatten().min()).await
    }

    /// Nothing is under way in this process: the run may be put away at any time.
    async fn rest_quietly(&mut self) -> Result<(), Stop> {
        let now = self.engine.host.clock.now();
        // One that goes makes room, and needs none.
        if !self.evict && !self.stopping {
            self.keep_to_budget();
        }
        let leaving = self.evict || self.stopping;
        let alone = leaving || self.unmarked;
        if alone {
            self.settle_mark().await;
        }
        let next = self.next_look(&[], now);
        if self.is_behind(next, now) {
            let mark = self.mark();
            if alone {
                return self.append(mark).await;
            }
            self.hand_over(mark, now);
        }
        if leaving {
            return self.go(next);
        }
        self.wait(next).await
    }

    /// Takes its place among the runs that rest, and has those go for whom there is no room.
    fn keep_to_budget(&mut self) {
        let weight = self.shrink_to_fit();
        let evicted = self.engine.budget.rest(&mut self.resting, self.run, weight);
        for run in evicted {
            if run == self.run {
                self.evict = true;
            } else {
                self.engine.residents.tell_resident(run, Message::Evict);
            }
        }
    }

    /// Has a mark written together with those of other runs, and takes it for written: should the
    /// process end before it is, the cost is a replay. Where it comes to nothing, word comes of that.
    fn hand_over(&mut self, append: Box<Append>, now: Timestamp) {
        if let Some(mark) = append.mark.clone() {
            self.recorded.note(mark);
        }
        self.marked = true;
        self.engine.write_later(*append, now, LAZY);
    }

    /// Takes back a mark that was handed over, and waits for the answer to one that the store has: of
    /// two marks the older must not come last.
    pub(super) async fn settle_mark(&mut self) {
        self.take_mark_back();
        if let Some(answered) = self.engine.marks.answered(self.run) {
            let _ended = answered.await;
        }
    }

    /// Takes back a mark that was handed over: it is not written, and what comes next must say as much.
    pub(super) fn take_mark_back(&mut self) {
        if std::mem::take(&mut self.marked) && self.engine.marks.take_back(self.run) {
            self.recorded.reacted = Position::START;
        }
    }

    /// A mark that was taken for written is not, unless a later append has said more.
    pub(super) fn unmark(&mut self, reacted: Position) {
        if self.recorded.reacted == reacted {
            self.recorded.reacted = Position::START;
            self.unmarked = true;
        }
    }

    /// Lets go of memory that holds nothing. Roughly what the run holds then, in bytes.
    fn shrink_to_fit(&mut self) -> usize {
        let attempts = self.attempts.shrink_to_fit();
        let frames = self.shadow.iter().flatten();
        let shadow = frames
            .map(|frame| size_of::<Frame>() + frame.events.capacity() * size_of::<EventKind>());
        let driver = self.engine.driver_bytes() + PLACES + attempts + shadow.sum::<usize>();
        let pieces = driver + self.executor.shrink_to_fit();
        // An eighth more: of what many runs gave back, allocators keep gaps that nothing fits into.
        pieces + pieces / 8
    }

    /// True where the store's row says something else than what is so.
    fn is_behind(&self, next: Option<Timestamp>, now: Timestamp) -> bool {
        let reacts = self.executor.with(|machine| {
            let hooks = machine.entities().hooks();
            // What was taken from a hook that has ended rides along with the next event.
            let is_live = |taken: &Taken| hooks.get(&taken.hook).is_some_and(|hook| hook.is_live());
            let mut taken = machine.unrecorded().filter(is_live);
            let took = taken.any(|taken| !self.recorded.taken.contains(&taken));
            took || self.recorded.reacted < machine.fed()
        });
        reacts || is_looked_at_otherwise(self.recorded.wake_at, next, now)
    }

    /// Leaves, unless something has arrived meanwhile.
    fn go(&mut self, next: Option<Timestamp>) -> Result<(), Stop> {
        // Sealed first: what the body lets go of from here on is no act of the workflow's.
        if !self.mailbox.is_empty() {
            return Ok(());
        }
        self.executor.context().seal();
        // Before the leave: from then on another driver may rest in its place.
        self.engine.budget.stir(&mut self.resting);
        if !self.engine.residents.leave(self.run, &self.mailbox) {
            // It cannot go on with a sealed machine: another driver takes over what has arrived.
            self.engine.residents.abandon(self.run);
            self.engine
                .tell(self.run, Message::Recover(TakenUp::default()));
            return Err(Stop::Exit(Exit::Rested));
        }
        if let (Some(at), false) = (next, self.stopping) {
            self.engine.schedule.add(at, self.run);
        }
        Err(Stop::Exit(Exit::Rested))
    }

    async fn wait(&mut self, until: Option<Timestamp>) -> Result<(), Stop> {
        let message = match until {
            None => self.mailbox.recv().await,
            Some(at) => {
                let clock = &self.engine.host.clock;
                let flushes = self.flush_at == Some(at);
                let timer = if flushes {
                    clock.lull_until(at)
                } else {
                    clock.sleep_until(at)
                };
                match select(pin!(self.mailbox.recv()), timer).await {
                    Either::Left((message, _)) => message,
                    Either::Right(((), _)) => {
                        if flushes {
                            self.flush_at = Some(clock.now().min(at));
                        }
                        None
                    }
                }
            }
        };
        self.engine.budget.stir(&mut self.resting);
        let question = message.map(|message| self.take(message)).transpose()?;
        match question.flatten() {
            Some(question) => self.ask(question).await,
            None => Ok(()),
        }
    }
}

/// True where the store would have the run looked at at another time. All that is past is now.
fn is_looked_at_otherwise(
    recorded: Option<Timestamp>,
    next: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    recorded.map(|at| at.max(now)) != next.map(|at| at.max(now))
}
