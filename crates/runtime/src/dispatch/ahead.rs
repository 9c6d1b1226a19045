//! Runs that are about to be taken up, several at once: their rows and logs are read in one question.
//!
//! To ask for each alone takes both sides longer than the answer does: a message to another thread,
//! its answer, and a driver that is woken in between.

use std::sync::Arc;

use futures_channel::oneshot;
use rewake_core::id::RunId;
use rewake_store::RunWithLog;

use super::expected::Expected;
use super::residents::{Message, TakenUp};
use crate::engine::Inner;

/// So many are read at once.
pub(super) const TOGETHER: usize = 32;
/// About how much of their logs is read at once, in bytes. Who gets nothing of it asks for itself. Until their
/// drivers have gone through it, as many times as much is held as are taken up together.
const PAGE: usize = 1 << 20;

/// A run that is about to be taken up.
pub(super) struct Ahead {
    run: RunId,
    /// Kept since before the store was asked: nobody here has driven the run since. None where it is in
    /// memory already.
    place: Option<Expected>,
    found: Option<Box<RunWithLog>>,
}

/// Keeps their places, and reads them. Where that fails, each of them asks for itself.
pub(super) async fn read_ahead(engine: &Arc<Inner>, runs: &[RunId]) -> Vec<Ahead> {
    let mut ahead: Vec<Ahead> = runs.iter().map(|run| Ahead::keep(engine, *run)).collect();
    let kept = ahead.iter().filter(|one| one.place.is_some());
    let asked = kept.map(|one| one.run).collect();
    let found = (engine.store)
        .runs_with_logs(engine.scope, asked, PAGE)
        .await;
    let found = found.unwrap_or_else(|error| {
        tracing::debug!(%error, "runs that are taken up could not be read together");
        Vec::new()
    });
    let kept = ahead.iter_mut().filter(|one| one.place.is_some());
    for (one, found) in kept.zip(found) {
        one.found = found.map(Box::new);
    }
    ahead
}

impl Ahead {
    /// One that reads for itself.
    pub(super) const fn of(run: RunId) -> Self {
        Self {
            run,
            place: None,
            found: None,
        }
    }

    fn keep(engine: &Arc<Inner>, run: RunId) -> Self {
        Self {
            place: Expected::new(engine, run),
            ..Self::of(run)
        }
    }

    /// Calls its driver; when it has rested.
    pub(super) fn take_up(self, engine: &Arc<Inner>, unclean: bool) -> oneshot::Receiver<()> {
        let (rested, rest) = oneshot::channel();
        let taken_up = TakenUp {
            unclean,
            rested: Some(rested),
            found: self.found,
        };
        match self.place {
            Some(place) => place.take_up(taken_up),
            None => engine.tell(self.run, Message::Recover(taken_up)),
        }
        rest
    }
}
