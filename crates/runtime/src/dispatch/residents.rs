//! The runs that have a driver, and the mailboxes through which drivers hear.
//!
//! A message is only a hint, except for the end of an attempt: what happened stands in the log, and a
//! driver that misses a message or hears it twice reads positions. This module must not know what a
//! driver does.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use rewake_core::event::{Frame, Position};
use rewake_core::id::{RunId, StepId};
use rewake_store::RunWithLog;

use super::mailbox::{self, Sender};
use crate::step::{AttemptOutcome, Place};

/// What a driver is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// The run began with this, which is all of its log, and nobody has driven it before.
    Begun(Frame),
    /// Somebody appended this.
    Frame(Frame),
    /// Look at the log, and at what is due.
    Look,
    /// The log goes on up to here at least.
    Upto(Position),
    /// Another node may have the run by now.
    Fence,
    /// A child run has left its end for this one.
    Owed,
    /// Look at the run, whatever is known of it.
    Recover(TakenUp),
    /// A place is free for an attempt that waits for one.
    Place {
        step: StepId,
        attempt: u32,
        place: Place,
    },
    /// An attempt of a step ended.
    AttemptEnded {
        step: StepId,
        attempt: u32,
        outcome: AttemptOutcome,
    },
    /// The mark that was to say how far the run has come, up to here, came to nothing.
    Unmarked(Position),
    /// Something woke the workflow that must not.
    ForeignWake,
    /// Give up the memory, if at rest.
    Evict,
    /// Begin nothing new; leave when no attempt is under way.
    Shutdown,
    /// Leave now: attempts under way are aborted.
    Abort,
}

/// A run that an earlier process, or an earlier driver, has left.
#[derive(Debug, Default)]
pub(crate) struct TakenUp {
    /// The process before this one ended uncleanly.
    pub(crate) unclean: bool,
    /// Told at the first rest.
    pub(crate) rested: Option<oneshot::Sender<()>>,
    /// What the store said of it since its place among the runs in memory is kept.
    pub(crate) found: Option<Box<RunWithLog>>,
}

/// Where a driver hears.
pub(crate) type Mailbox = mailbox::Mailbox<Message>;

#[derive(Debug, Default)]
pub(crate) struct Residents {
    runs: Mutex<BTreeMap<RunId, Sender<Message>>>,
    left: Mutex<Vec<oneshot::Sender<()>>>,
}

impl Residents {
    /// Tells the driver of a run. Where it has none, the mailbox of a new one is given back, with
    /// the message in it.
    #[must_use]
    pub(crate) fn tell(&self, run: RunId, message: Message) -> Option<Mailbox> {
        let mut runs = self.lock();
        if let Some(sender) = runs.get(&run) {
            // The mailbox is open as long as the entry stands.
            let _sent = sender.send(message);
            return None;
        }
        let (sender, mailbox) = mailbox::mailbox();
        let _sent = sender.send(message);
        runs.insert(run, sender);
        Some(mailbox)
    }

    /// Keeps the place of a run that is about to begin or to be taken up, and gives its mailbox; none where the run has
    /// one. What it is told until a driver has that mailbox waits there.
    pub(crate) fn expect(&self, run: RunId) -> Option<Mailbox> {
        let mut runs = self.lock();
        if runs.contains_key(&run) {
            return None;
        }
        let (sender, mailbox) = mailbox::mailbox();
        runs.insert(run, sender);
        Some(mailbox)
    }

    /// Tells the driver of a run, if it has one.
    pub(crate) fn tell_resident(&self, run: RunId, message: Message) -> bool {
        let runs = self.lock();
        runs.get(&run)
            .is_some_and(|sender| sender.send(message).is_ok())
    }

    /// True where the run has a driver.
    pub(crate) fn has(&self, run: RunId) -> bool {
        self.lock().contains_key(&run)
    }

    /// Where the driver that a run has now hears, and no driver after it.
    pub(crate) fn sender(&self, run: RunId) -> Option<Sender<Message>> {
        self.lock().get(&run).cloned()
    }

    /// Tells every driver.
    pub(crate) fn tell_all(&self, message: impl Fn() -> Message) {
        for sender in self.lock().values() {
            let _sent = sender.send(message());
        }
    }

    /// Takes a driver's leave, unless something has arrived for it that it must still see.
    pub(crate) fn leave(&self, run: RunId, mailbox: &Mailbox) -> bool {
        let mut runs = self.lock();
        if !mailbox.is_empty() {
            return false;
        }
        runs.remove(&run);
        self.tell_if_empty(&runs);
        true
    }

    /// Takes a driver's leave, whatever has arrived.
    pub(crate) fn abandon(&self, run: RunId) {
        let mut runs = self.lock();
        runs.remove(&run);
        self.tell_if_empty(&runs);
    }

    /// Resolves when no run has a driver any more.
    pub(crate) fn all_left(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let runs = self.lock();
        self.left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sender);
        self.tell_if_empty(&runs);
        receiver
    }

    /// The runs that have a driver.
    pub(crate) fn runs(&self) -> Vec<RunId> {
        self.lock().keys().copied().collect()
    }

    /// How many runs have a driver.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn tell_if_empty(&self, runs: &BTreeMap<RunId, Sender<Message>>) {
        if runs.is_empty() {
            let left =
                std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
            for sender in left {
                let _nobody_waits = sender.send(());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunId, Sender<Message>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rewake_core::time::Timestamp;

    use super::*;

    #[test]
    fn what_a_run_is_told_before_its_driver_begins_waits_for_it() {
        let residents = Residents::default();
        let run = RunId::mint(Timestamp::ZERO, 1);
        let mailbox = residents.expect(run).unwrap();
        assert!(residents.tell(run, Message::Look).is_none());
        assert!(matches!(mailbox.try_recv(), Some(Message::Look)));
    }

    #[test]
    fn nobody_keeps_a_place_that_is_taken() {
        let residents = Residents::default();
        let run = RunId::mint(Timestamp::ZERO, 1);
        let _driver = residents.tell(run, Message::Look);
        assert!(residents.expect(run).is_none());
        residents.abandon(run);
        assert!(residents.expect(run).is_some());
    }
}
