//! Marks: what the store's rows must say of runs that have come to rest, put off for a moment and
//! written together.
//!
//! A mark adds nothing to a log, and nobody waits for it. Until it is written the store has the run
//! looked at sooner than need be, which costs whoever looks a replay and nothing else. So a driver
//! hands its mark over and rests: it is not woken again to write it, nor to hear that it is written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{BoxFuture, join_all};
use rewake_core::event::Position;
use rewake_core::id::RunId;
use rewake_core::time::Timestamp;
use rewake_store::Append;

use super::residents::Message;
use crate::engine::Inner;

/// How many marks go into one request: few enough that a transaction stays small.
const TOGETHER: usize = 128;

/// The marks that are to be written.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<RunId, Append>,
    /// Those that the store was handed and has not answered, with whoever waits for that. Two marks of
    /// one run are never with the store at once: nothing says which of them it would take first.
    under_way: BTreeMap<RunId, Vec<oneshot::Sender<()>>>,
    /// Somebody writes what waits, or is about to.
    expected: bool,
}

impl Marks {
    /// Takes the mark of a run, in place of one that waits. True where nobody is about to write it.
    fn put(&self, mark: Append) -> bool {
        let mut state = self.lock();
        state.waiting.insert(mark.run, mark);
        !std::mem::replace(&mut state.expected, true)
    }

    /// Drops the mark of a run; true if it still waited.
    pub(crate) fn take_back(&self, run: RunId) -> bool {
        self.lock().waiting.remove(&run).is_some()
    }

    /// Resolves once the store has answered the mark of a run that is with it; none where none is.
    pub(crate) fn answered(&self, run: RunId) -> Option<oneshot::Receiver<()>> {
        let mut state = self.lock();
        let waits = state.under_way.get_mut(&run)?;
        let (sender, receiver) = oneshot::channel();
        waits.push(sender);
        Some(receiver)
    }

    /// All that wait, to be handed to the store; none where nothing waits, and then nobody is expected
    /// to look again.
    fn begin(&self) -> Vec<Append> {
        let mut state = self.lock();
        let marks: Vec<_> = std::mem::take(&mut state.waiting).into_values().collect();
        state.expected = !marks.is_empty();
        state.under_way = marks.iter().map(|mark| (mark.run, Vec::new())).collect();
        marks
    }

    fn end(&self) {
        let ended = std::mem::take(&mut self.lock().under_way);
        for waits in ended.into_values().flatten() {
            let _gone = waits.send(());
        }
    }

    /// Nobody writes any more. Whoever waits for an answer waits no longer, and the next mark finds
    /// somebody to write it.
    fn abandon(&self) {
        self.end();
        self.lock().expected = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Has a mark written within `lazy`, together with others. The driver of its run hears of it only
    /// where it came to nothing.
    pub(crate) fn write_later(self: &Arc<Self>, mark: Append, now: Timestamp, lazy: Duration) {
        if self.marks.put(mark) {
            let lull = self.host.clock.lull_until(now.after(lazy));
            // It must not keep an engine alive that nobody holds any more.
            let engine = Arc::downgrade(self);
            let writing = write(engine, lull, lazy);
            self.host.spawner.spawn_driver(Box::pin(writing));
        }
    }
}

/// Sees to it that marks are written again where writing them has panicked.
struct Writing {
    engine: Weak<Inner>,
    is_over: bool,
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.is_over
            && let Some(engine) = self.engine.upgrade()
        {
            engine.marks.abandon();
        }
    }
}

/// Writes what waits, until nothing has come for a while.
async fn write(engine: Weak<Inner>, mut lull: BoxFuture<'static, ()>, lazy: Duration) {
    let mut writing = Writing {
        engine: Weak::clone(&engine),
        is_over: false,
    };
    loop {
        lull.await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        let marks = engine.marks.begin();
        if marks.is_empty() {
            writing.is_over = true;
            return;
        }
        // All are handed over at once, so that they share a commit.
        let mut marks = marks.into_iter().peekable();
        let parts = std::iter::from_fn(|| {
            marks.peek()?;
            Some(marks.by_ref().take(TOGETHER).collect())
        });
        join_all(parts.map(|part| write_some(&engine, part))).await;
        engine.marks.end();
        lull = (engine.host.clock).lull_until(engine.host.clock.now().after(lazy));
    }
}

async fn write_some(engine: &Inner, marks: Vec<Append>) {
    let said: Vec<_> = marks.iter().map(said).collect();
    let answers = engine.store.append_all(marks).await;
    let mut answers = answers.unwrap_or_default().into_iter();
    for (run, reacted) in said {
        let message = match answers.next() {
            Some(Ok(written)) if written.frames.is_empty() => continue,
            Some(Ok(written)) => Message::Upto(written.head),
            // Its driver writes it alone, and sees to what is in the way.
            Some(Err(_)) | None => Message::Unmarked(reacted),
        };
        engine.residents.tell_resident(run, message);
    }
}

/// Whose mark it is, and how far it says that the run has come.
fn said(mark: &Append) -> (RunId, Position) {
    let reacted = mark.mark.as_ref().map(|mark| mark.reacted);
    (mark.run, reacted.unwrap_or_default())
}
