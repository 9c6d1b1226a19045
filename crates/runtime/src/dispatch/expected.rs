//! A run that is about to begin.
//!
//! Its place among the runs in memory is taken before the store is asked to begin its log. So nobody
//! else in this process can drive it first, and its driver may take the frame that the log begins with
//! for the whole of it: a new run is never read.

use std::fmt;
use std::sync::Arc;

use rewake_core::event::Frame;
use rewake_core::id::RunId;

use super::residents::{Mailbox, Message};
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
    pub(crate) fn begin(mut self, frame: Frame) {
        if self.engine.is_stopping() {
            return;
        }
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.put(Message::Begun(frame));
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
            engine.tell(
                run,
                Message::Recover {
                    unclean: false,
                    rested: None,
                },
            );
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
