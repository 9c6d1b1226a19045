//! Hearing: what a driver is told, and what it has to ask the store because of that.
//!
//! To take a message in asks nothing. A message that was kept while the store is asked would take room
//! in each run that rests.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_core::event::Frame;
use rewake_store::RunWithLog;

use super::{Driver, Stop};
use crate::dispatch::{Message, TakenUp};

/// Why a driver was called.
pub(super) struct Heard {
    /// The beginning of a new run.
    pub(super) begun: Option<Frame>,
    /// What the store said of a run that is taken up, where nothing has come that may be newer.
    pub(super) found: Option<Box<RunWithLog>>,
    pub(super) more: More,
}

/// What else a driver was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum More {
    Nothing,
    /// Only to look whether something is due.
    Look,
    /// Something has happened.
    News,
}

/// What a message calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// How the log goes on.
    Log,
    /// Whose the run is.
    Lease,
}

impl Driver {
    /// Hears why it was called.
    pub(super) fn hear_first(&mut self) -> Heard {
        let (mut begun, mut found, mut more) = (None, None, More::Nothing);
        let mut messages = 0;
        while let Some(message) = self.mailbox.try_recv() {
            messages += 1;
            match message {
                Message::Begun(frame) => begun = Some(frame),
                Message::Recover(taken_up) => {
                    more = More::News;
                    found = self.taken_up(taken_up);
                }
                Message::Shutdown | Message::Abort => self.stopping = true,
                // The log is read anyway.
                Message::Frame(_) | Message::Upto(_) | Message::Owed => more = More::News,
                Message::Look => more = more.max(More::Look),
                Message::Fence
                | Message::Place { .. }
                | Message::AttemptEnded { .. }
                | Message::Unmarked(_)
                | Message::ForeignWake
                | Message::Evict => {}
            }
        }
        let found = found.filter(|_| messages == 1);
        Heard { begun, found, more }
    }

    /// What the store said of it when it was taken up.
    fn taken_up(&mut self, taken_up: TakenUp) -> Option<Box<RunWithLog>> {
        let TakenUp {
            unclean,
            rested,
            found,
        } = taken_up;
        self.recovering |= unclean;
        self.rested.extend(rested);
        found
    }

    /// Takes in everything that has arrived.
    pub(super) async fn hear(&mut self) -> Result<(), Stop> {
        while let Some(question) = self.hear_next()? {
            self.ask(question).await?;
        }
        Ok(())
    }

    /// Takes in what has arrived, up to what calls for a question.
    fn hear_next(&mut self) -> Result<Option<Question>, Stop> {
        while let Some(message) = self.mailbox.try_recv() {
            let question = self.take(message)?;
            if question.is_some() {
                return Ok(question);
            }
        }
        Ok(None)
    }

    /// Puts to the store what a message called for.
    pub(super) fn ask(&mut self, question: Question) -> BoxFuture<'_, Result<(), Stop>> {
        match question {
            Question::Log => self.read_tail(),
            Question::Lease => self.look_at_lease().boxed(),
        }
    }

    /// Takes in a message. It asks nothing itself: a message that is kept while the store is asked would
    /// take room in each run that rests.
    pub(super) fn take(&mut self, message: Message) -> Result<Option<Question>, Stop> {
        match message {
            Message::Begun(frame) | Message::Frame(frame) => return self.take_in(frame),
            Message::Look => return Ok(Some(Question::Log)),
            Message::Upto(head) if head > self.fed() => return Ok(Some(Question::Log)),
            Message::Fence => return Ok(Some(Question::Lease)),
            Message::Owed => self.children.may_be_owed = true,
            Message::Recover(taken_up) => {
                let _known = self.taken_up(taken_up);
            }
            Message::Place {
                step,
                attempt,
                place,
            } => self.take_place(step, attempt, place),
            Message::AttemptEnded {
                step,
                attempt,
                outcome,
            } => {
                self.attempt_ended(step, attempt, outcome);
            }
            Message::Unmarked(reacted) => self.unmark(reacted),
            Message::Upto(_) | Message::ForeignWake => {}
            Message::Evict => self.evict = true,
            Message::Shutdown => self.stopping = true,
            Message::Abort => {
                self.stopping = true;
                self.attempts.abort("the process is shutting down");
            }
        }
        Ok(None)
    }
}
