//! A run that is about to begin, or to be taken up.
//!
//! Its place among the runs in memory is taken before the store is asked: to begin its log, or what is in
//! it. So nobody else in this process can drive it first, and its driver goes on from what the store has
//! answered: a new run is never read, and one that was left need not be read again.

use std::fmt;
use std::sync::Arc;

use rewake_core::event::Frame;
use rewake_core::id::RunId;

use super::residents::{Mailbox, Message, TakenUp};
use super::waiters::News;
use crate::engine::Inner;

/// A place that is kept for a run. Let go of, it is free again, and what came for the run meanwhile
/// reaches it the ordinary way.
pub(crate) struct Expected {
    engine: Arc<Inner>,
    run: RunId,
    mailbox: Option<Mailbox>,
}

impl Expected {
    /// Keeps a place for a run; none where the run is in memory already, or nothing is driven here.
    pub(crate) fn new(engine: &Arc<Inner>, run: RunId) -> Option<Self> {
        if engine.client_only {
            return None;
        }
        let mailbox = engine.residents.expect(run)?;
        Some(Self {
            engine: Arc::clone(engine),
            run,
            mailbox: Some(mailbox),
        })
    }

    /// Begins the driver: this frame was written just now and is all there is of the log.
    pub(crate) fn begin(self, frame: Frame) {
        self.drive(Message::Begun(frame));
    }

    /// Begins the driver of a run that was left.
    pub(super) fn take_up(self, taken_up: TakenUp) {
        self.drive(Message::Recover(taken_up));
    }

    fn drive(mut self, message: Message) {
        if self.engine.is_stopping() {
            return;
        }
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.put(message);
            self.engine.drive(self.run, mailbox);
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        let Some(mailbox) = self.mailbox.take() else {
            return;
        };
        let (engine, run) = (&self.engine, self.run);
        if !engine.residents.leave(run, &mailbox) {
            engine.residents.abandon(run);
            engine.tell(run, Message::Recover(TakenUp::default()));
        }
        engine.waiters.call(run, News::Look);
    }
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}
